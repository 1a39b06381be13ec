/** Brings the database's schema up to date: the files of `migrations/`, in order, each once. */
import { readdir, readFile } from 'node:fs/promises';
import { type Database } from './database.js';

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
 */
export async function migrate(database: Database): Promise<string[]> {
  const names = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql')).sort();
  const done: string[] = [];
  for (const name of names) {
    const text = await readFile(new URL(name, MIGRATIONS), 'utf8');
    const ran = await database.transaction(async (tx) => {
      await tx.query('select pg_advisory_xact_lock($1)', [LOCK]);
      await tx.script(
        'create table if not exists schema_migrations (name text primary key, at timestamptz not null default now())',
      );
      const known = await tx.query('select from schema_migrations where name = $1', [name]);
      if (known.length > 0) return false;
      await tx.script(text);
      await tx.query('insert into schema_migrations (name) values ($1)', [name]);
      return true;
    });
    if (ran) done.push(name);
  }
  return done;
}
