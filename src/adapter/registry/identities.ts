/** Who a vehicle is: the identity of its registration, which changes with its system_id and its credential. */
import { type Queryable, textArray } from '../../service/database/index.js';
import { type HashedCredential, isCredential } from './credential.js';

/** The identity of the registration with this system_id and credential; undefined if there is none. */
export async function authenticateVehicle(
  database: Queryable,
  systemId: string,
  credential: string,
): Promise<string | undefined> {
  const [stored] = await database.query<HashedCredential & { readonly identity: string }>(
    `select credential_salt as salt, credential_hash as hash, identity from vehicles
     where system_id = $1 and credential_hash is not null`,
    [systemId],
  );
  return stored !== undefined && isCredential(credential, stored) ? stored.identity : undefined;
}

/** The identities that vehicles have now, by system_id. */
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

/** Identities that have changed. */
export interface IdentityChanges {
  readonly systemIds: readonly string[];
  /** PostgreSQL's snapshot in which they were read: the next call begins with what it does not show. */
  readonly snapshot: string;
}

/**
 * Changes that have become visible since a snapshot, each once, in whatever order their transactions ended.
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

/** Removes what every adapter has read long since. @param before ms */
export async function forgetIdentityChanges(database: Queryable, before: number): Promise<void> {
  await database.query('delete from identity_changes where at < $1', [new Date(before)]);
}
