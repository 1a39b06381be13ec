/** Migrates the schema of a database: the migrations of its server, in order, each once. */
import { readdir, readFile } from 'node:fs/promises';
import { type Database } from './database.js';

/** The tables of one server. Each server has a database of its own. */
export interface Schema {
  /** Its directory in `migrations/`. */
  readonly part: 'adapter' | 'carota';
}

/** The database belongs to the other server. */
class ForeignDatabase extends Error {
  override readonly name = 'ForeignDatabase';
}

/** The same path from `src` and from `dist`. */
const MIGRATIONS = new URL('../../../migrations/', import.meta.url);

/** An arbitrary number, not used for another advisory lock in this database. */
const LOCK = 0x07a0_0b5;

/**
 * Each migration runs in a transaction that holds a lock, so that processes that start at the same time wait for one
 * another and each migration runs once.
 *
 * @returns the names of the migrations that this call ran
 * @throws DatabaseError; migrations that ran before it stay
 * @throws ForeignDatabase
 */
export async function migrate(database: Database, { part }: Schema): Promise<string[]> {
  const folder = new URL(`${part}/`, MIGRATIONS);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const done: string[] = [];
  for (const name of names) {
    const text = await readFile(new URL(name, folder), 'utf8');
    const ran = await database.transaction(async (tx) => {
      await tx.query('select pg_advisory_xact_lock($1)', [LOCK]);
      await tx.script(
        'create table if not exists schema_migrations (name text primary key, at timestamptz not null default now())',
      );
      const rows = await tx.query<{ name: string }>('select name from schema_migrations');
      const known = rows.map((row) => row.name);
      const owner = known.map(partOf).find((other) => other !== part);
      if (owner !== undefined) {
        throw new ForeignDatabase(`this database is that of ${owner}; ${part} needs its own`);
      }
      if (known.includes(name)) return false;
      await tx.script(text);
      await tx.query('insert into schema_migrations (name) values ($1)', [name]);
      return true;
    });
    if (ran) done.push(name);
  }
  return done;
}

/** Whose a migration is: those of the adapter were there first and have no name before the number. */
const partOf = (name: string) => /^([a-z]+)-\d/.exec(name)?.[1] ?? 'adapter';
