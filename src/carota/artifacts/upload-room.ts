/**
 * Storage used by uploads, recorded in the database, so that all servers on it share one quota. Storage is reserved before
 * the bytes arrive. The remains of a crash count until they are removed.
 */
import { type Database, only, type Queryable, textArray } from '../../service/database/index.js';
import { artifactFault, QuotaExceeded, type UploadQuota, type Used } from './upload-quota.js';

/** An arbitrary number, not used for another advisory lock in this database. */
const LOCK = 2_140_190_401;

/** An upload without a heartbeat of its owner for this time is considered dead, ms. */
const GIVEN_UP_MS = 24 * 60 * 60 * 1000;

/** Serializes decisions about storage and about an artifact's bytes. */
export async function lockUploads(tx: Queryable): Promise<void> {
  await tx.query('select pg_advisory_xact_lock($1)', [LOCK]);
}

export interface UsedRoom {
  readonly artifacts: Used;
  readonly scripts: Used;
}

export async function usedRoom(database: Queryable): Promise<UsedRoom> {
  const row = only(
    await database.query<{
      artifacts: number;
      artifact_bytes: number;
      uploads: number;
      upload_bytes: number;
      scripts: number;
      script_bytes: number;
    }>(
      `select count(*) as artifacts, coalesce(sum(size), 0)::bigint as artifact_bytes,
         (select count(*) from uploads) as uploads,
         (select coalesce(sum(bytes), 0)::bigint from uploads) as upload_bytes,
         (select count(*) from update_scripts) as scripts,
         (select coalesce(sum(bytes), 0)::bigint from update_scripts) as script_bytes
       from artifacts`,
    ),
  );
  return {
    artifacts: {
      number: row.artifacts + row.uploads,
      bytes: row.artifact_bytes + row.upload_bytes,
    },
    scripts: { number: row.scripts, bytes: row.script_bytes },
  };
}

async function bytesOfToken(database: Queryable, token: string): Promise<number> {
  const { bytes } = only(
    await database.query<{ bytes: number }>(
      `select (select coalesce(sum(size), 0) from artifacts where created_by = $1)::bigint
         + (select coalesce(sum(bytes), 0) from uploads where token = $1)::bigint as bytes`,
      [token],
    ),
  );
  return bytes;
}

export interface NewUpload {
  readonly id: string;
  readonly owner: string;
  /** Id of the token. */
  readonly token: string;
}

/**
 * Reserves storage for an upload, or more storage for one in progress.
 *
 * @param more bytes
 * @throws QuotaExceeded
 */
export async function reserveRoom(
  database: Database,
  { id, owner, token }: NewUpload,
  more: number,
  quota: UploadQuota,
  now: number,
): Promise<void> {
  await database.transaction(async (tx) => {
    await lockUploads(tx);
    await tx.query(
      `insert into uploads (id, owner, token, bytes, seen_at) values ($1, $2, $3, 0, $4)
       on conflict (id) do nothing`,
      [id, owner, token, new Date(now)],
    );
    const { artifacts } = await usedRoom(tx);
    const fault = artifactFault(artifacts, await bytesOfToken(tx, token), more, quota);
    if (fault !== undefined) throw new QuotaExceeded('artifact-quota', fault);
    await tx.query('update uploads set bytes = bytes + $2 where id = $1', [id, more]);
  });
}

/**
 * Records the hash of the bytes that an upload is about to store.
 *
 * @returns false: an artifact with these bytes is being removed, see `finishRemoval`
 */
export function noteContent(
  database: Database,
  id: string,
  { sha256, size }: { readonly sha256: string; readonly size: number },
): Promise<boolean> {
  return database.transaction(async (tx) => {
    await lockUploads(tx);
    const removals = await tx.query('select from artifact_removals where sha256 = $1', [sha256]);
    if (removals.length > 0) return false;
    const noted = await tx.query(
      'update uploads set sha256 = $2, bytes = $3 where id = $1 returning id',
      [id, sha256, size],
    );
    if (noted.length === 0) throw new Error(`the upload ${id} was given up`);
    return true;
  });
}

/**
 * Gives up uploads that did not become artifacts and whose files are gone.
 *
 * @returns SHA-256 of unneeded bytes in the store, to be removed
 */
export function giveUpUploads(database: Database, ids: readonly string[]): Promise<string[]> {
  return database.transaction(async (tx) => {
    await lockUploads(tx);
    const rows = await tx.query<{ sha256: string }>(
      `with given_up as (delete from uploads where id = any ($1::uuid[]) returning sha256)
       insert into artifact_removals (sha256)
       select distinct sha256 from given_up
       where sha256 is not null
         and not exists (select from artifacts where artifacts.sha256 = given_up.sha256)
         and not exists (
           select from uploads where uploads.sha256 = given_up.sha256 and id <> all ($1::uuid[]))
       on conflict do nothing
       returning sha256`,
      [textArray(ids)],
    );
    return rows.map(({ sha256 }) => sha256);
  });
}

/** Uploads recorded for a process that are no longer in progress there. */
export const strayUploads = async (
  database: Queryable,
  owner: string,
  inProgress: readonly string[],
): Promise<string[]> =>
  idsOf(
    await database.query<{ id: string }>(
      'select id from uploads where owner = $1 and id <> all ($2::uuid[])',
      [owner, textArray(inProgress)],
    ),
  );

/** Sends the heartbeat of a process's uploads, and finds those without one for a day. */
export async function refreshUploads(
  database: Queryable,
  owner: string,
  now: number,
): Promise<string[]> {
  await database.query('update uploads set seen_at = $2 where owner = $1', [owner, new Date(now)]);
  return idsOf(
    await database.query<{ id: string }>('select id from uploads where seen_at < $1', [
      new Date(now - GIVEN_UP_MS),
    ]),
  );
}

const idsOf = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);
