/** Brings a database's schema up to date: the migrations of its part, in order, each once. */
import { readdir, readFile } from 'node:fs/promises';
import { type Database, type Queryable } from './database.js';

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
        `create table if not exists schema_migrations (
           part text not null, name text primary key, at timestamptz not null default now())`,
      );
      const known = await tx.query<{ part: string; name: string }>(
        'select part, name from schema_migrations',
      );
      const owner = known.find((row) => row.part !== part)?.part;
      if (owner !== undefined) {
        throw new ForeignDatabase(`this database is that of ${owner}; ${part} needs its own`);
      }
      if (known.some((row) => row.name === name)) return false;
      await tx.script(text);
      await tx.query('insert into schema_migrations (part, name) values ($1, $2)', [part, name]);
      return true;
    });
    if (ran) done.push(name);
  }
  return done;
}

/** Whose tables a database has; undefined: nobody's yet. @throws DatabaseError */
export async function schemaIn(database: Queryable): Promise<Schema['part'] | undefined> {
  const [found] = await database.query<{ has: boolean }>(
    `select to_regclass('schema_migrations') is not null as has`,
  );
  if (!found?.has) return undefined;
  const [first] = await database.query<Schema>('select part from schema_migrations limit 1');
  return first?.part;
}
