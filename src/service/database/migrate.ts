/** Brings a database's schema up to date: the migrations of its part, in order, each once. */
import { readdir, readFile } from 'node:fs/promises';
import { type Database } from './database.js';

/** The tables of one part of ours. Each part has a database of its own. */
export interface Schema {
  /** Its folder in `migrations/`. */
  readonly part: 'adapter' | 'carota';
}

/** The database is that of another part. */
class ForeignDatabase extends Error {
  override readonly name = 'ForeignDatabase';
}

/** The same from `src` and from `dist`. */
const MIGRATIONS = new URL('../../../migrations/', import.meta.url);

/** Any number that nobody else in this database uses for an advisory lock. */
const LOCK = 0x07a0_0b5;

/**
 * Each migration runs in a transaction that holds a lock, so that several processes that start at
 * once wait for one another and each migration is done once.
 *
 * @returns the names of the migrations that this call has run
 * @throws DatabaseError; what was migrated before stays
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

/** Whose tables a database has; undefined: nobody's yet. @throws DatabaseError */
export async function schemaIn(database: Database): Promise<Schema['part'] | undefined> {
  const [{ is_there: isThere } = { is_there: false }] = await database.query<{ is_there: boolean }>(
    `select to_regclass('schema_migrations') is not null as is_there`,
  );
  if (!isThere) return undefined;
  const [first] = await database.query<{ name: string }>(
    'select name from schema_migrations order by name limit 1',
  );
  if (!first) return undefined;
  return partOf(first.name) === 'carota' ? 'carota' : 'adapter';
}

/** Whose a migration is: those of the adapter were there first and have no name before the number. */
const partOf = (name: string) => /^([a-z]+)-\d/.exec(name)?.[1] ?? 'adapter';
