/** Migrates the schema of a database: the migrations of its server, in order, each once. */
import { readdir, readFile } from 'node:fs/promises';
import { type Database, type Queryable } from './database.js';

/** The tables of one server. Each server has its own database. */
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
 * another and each migration runs once. A database that has them all is only read.
 *
 * @returns the names of the migrations that this call ran
 * @throws DatabaseError; migrations that ran before it stay
 * @throws ForeignDatabase
 */
export async function migrate(database: Database, { part }: Schema): Promise<string[]> {
  const folder = new URL(`${part}/`, MIGRATIONS);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const applied = (await isMigrated(database)) ? await migrationsIn(database, part) : new Set();
  const done: string[] = [];
  for (const name of names.filter((each) => !applied.has(each))) {
    const text = await readFile(new URL(name, folder), 'utf8');
    const ran = await database.transaction(async (tx) => {
      await tx.query('select pg_advisory_xact_lock($1)', [LOCK]);
      // Not `isMigrated`: this connection may still remember that there was no table.
      await tx.script(
        `create table if not exists schema_migrations (
           part text not null, name text primary key, at timestamptz not null default now())`,
      );
      if ((await migrationsIn(tx, part)).has(name)) return false;
      await tx.script(text);
      await tx.query('insert into schema_migrations (part, name) values ($1, $2)', [part, name]);
      return true;
    });
    if (ran) done.push(name);
  }
  return done;
}

/** Names of the migrations that have run. @throws ForeignDatabase */
async function migrationsIn(database: Queryable, part: Schema['part']): Promise<Set<string>> {
  const rows = await database.query<Schema & { name: string }>(
    'select part, name from schema_migrations',
  );
  const owner = rows.find((row) => row.part !== part)?.part;
  if (owner !== undefined) {
    throw new ForeignDatabase(`this database belongs to ${owner}; ${part} needs its own`);
  }
  return new Set(rows.map(({ name }) => name));
}

/** The server whose tables a database has; undefined: none yet. @throws DatabaseError */
export async function schemaIn(database: Queryable): Promise<Schema['part'] | undefined> {
  if (!(await isMigrated(database))) return undefined;
  const [first] = await database.query<Schema>('select part from schema_migrations limit 1');
  return first?.part;
}

/** May miss a table that another process has just created. */
async function isMigrated(database: Queryable): Promise<boolean> {
  const [found] = await database.query<{ has: boolean }>(
    `select to_regclass('schema_migrations') is not null as has`,
  );
  return found?.has === true;
}
