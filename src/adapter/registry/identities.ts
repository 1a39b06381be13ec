/** The identity of a vehicle's registration, which changes with its system_id and its credential. */
import { Batches } from '../../service/batches.js';
import { type Queryable, textArray } from '../../service/database/index.js';
import {
  type HashedCredential,
  hashCredential,
  isCredential,
  newCredential,
} from './credential.js';

/** The identity of the registration with this system_id and credential; undefined if there is none. */
export async function authenticateVehicle(
  database: Queryable,
  systemId: string,
  credential: string,
): Promise<string | undefined> {
  const existing = lookUps.get(database);
  const lookUp =
    existing ?? new Batches((ids) => findCredentials(database, ids), { most: MOST_AT_ONCE });
  if (!existing) lookUps.set(database, lookUp);
  // Text that PostgreSQL cannot store must not make the look-up of other vehicles fail.
  const stored = systemId.includes('\0') ? undefined : await lookUp.do(systemId);
  // Do the same work for unknown vehicles, so that the response time does not reveal them.
  const isRight = isCredential(credential, stored ?? NOBODY);
  return stored !== undefined && isRight ? stored.identity : undefined;
}

/** The identity of the vehicle whose certificate has this name; undefined if it is not registered. */
export async function identifyVehicle(
  database: Queryable,
  systemId: string,
): Promise<string | undefined> {
  const existing = certified.get(database);
  const lookUp =
    existing ?? new Batches((ids) => findIdentities(database, ids), { most: MOST_AT_ONCE });
  if (!existing) certified.set(database, lookUp);
  return lookUp.do(systemId);
}

/** @returns in their order */
async function findIdentities(
  database: Queryable,
  systemIds: readonly string[],
): Promise<readonly (string | undefined)[]> {
  const found = await readIdentities(database, [...new Set(systemIds)]);
  return systemIds.map((systemId) => found.get(systemId));
}

const certified = new WeakMap<Queryable, Batches<string, string | undefined>>();
/** Per database: a fleet that connects at the same time uses one connection, not all of them. */
const lookUps = new WeakMap<Queryable, Batches<string, StoredCredential | undefined>>();
const MOST_AT_ONCE = 500;
const NOBODY = hashCredential(newCredential());

type StoredCredential = HashedCredential & { readonly identity: string };

/** @returns in their order */
async function findCredentials(
  database: Queryable,
  systemIds: readonly string[],
): Promise<readonly (StoredCredential | undefined)[]> {
  const rows = await database.query<StoredCredential & { readonly system_id: string }>(
    `select system_id, credential_salt as salt, credential_hash as hash, identity from vehicles
     where system_id = any($1::text[]) and credential_hash is not null`,
    [textArray([...new Set(systemIds)])],
    'find-credentials',
  );
  const found = new Map(rows.map(({ system_id, ...stored }) => [system_id, stored]));
  return systemIds.map((systemId) => found.get(systemId));
}

/** The current identities of vehicles, by system_id. */
export async function readIdentities(
  database: Queryable,
  systemIds: readonly string[],
): Promise<Map<string, string>> {
  const rows = await database.query<{ system_id: string; identity: string }>(
    'select system_id, identity from vehicles where system_id = any($1::text[])',
    [textArray(systemIds)],
  );
  return new Map(rows.map(({ system_id, identity }) => [system_id, identity]));
}

/** Changed identities. */
export interface IdentityChanges {
  readonly systemIds: readonly string[];
  /** PostgreSQL snapshot of this read; the next call returns the changes that it does not contain. */
  readonly snapshot: string;
}

/**
 * Changes that have become visible since a snapshot, each once, in any order of their transactions' commits.
 *
 * @param since undefined: only the snapshot is read
 */
export async function readIdentityChanges(
  database: Queryable,
  since: string | undefined,
): Promise<IdentityChanges> {
  const [row] = await database.query<{ snapshot: string; changed: string[] | null }>(
    `select pg_current_snapshot()::text as snapshot,
       (select array_agg(distinct system_id) from identity_changes
        where xact >= pg_snapshot_xmin($1::text::pg_snapshot)
          and not pg_visible_in_snapshot(xact, $1::text::pg_snapshot)) as changed`,
    [since ?? null],
  );
  if (!row) throw new Error('the database has no snapshot');
  return { systemIds: row.changed ?? [], snapshot: row.snapshot };
}

/** Removes changes that every adapter has read. @param before ms */
export async function forgetIdentityChanges(database: Queryable, before: number): Promise<void> {
  await database.query('delete from identity_changes where at < $1', [new Date(before)]);
}
