/** Deletes an artifact that nothing uses. */
import { recordRequest } from '../../service/audit/index.js';
import { type Database, type Queryable } from '../../service/database/index.js';
import { noteRemoval } from './removals.js';
import { lockUploads } from './upload-room.js';

export type Deletion =
  | 'unknown'
  | 'deleted'
  /** The uses of it, in words. */
  | { readonly users: readonly string[] };

/** A name under which the image repository serves an artifact. */
export interface ImageName {
  readonly path: string;
  readonly digest: string;
}

/** Users beyond these are not named. */
const MOST_NAMED = 20;

/**
 * `finishRemoval` removes the bytes afterwards.
 *
 * @param targets paths under which published or proposed metadata of the image repository lists the artifact; nothing may be
 * proposed in the meantime
 * @param removeImages removes its copies from the image repository; if that fails, nothing is deleted, and the call can be
 * repeated
 * @param now ms
 */
export function deleteArtifact(
  database: Database,
  sha256: string,
  targets: readonly string[],
  removeImages: (names: readonly ImageName[]) => Promise<void>,
  now: number,
): Promise<Deletion> {
  return database.transaction(async (tx) => {
    await lockUploads(tx);
    // Serializes with transactions that publish a script with the artifact or serve it as an image.
    const [artifact] = await tx.query<{ name: string; size: number }>(
      'select name, size from artifacts where sha256 = $1 for update',
      [sha256],
    );
    if (!artifact) return 'unknown';
    const users = [
      ...(await usersOf(tx, sha256)),
      ...targets.slice(0, MOST_NAMED).map((path) => `the target ${path}`),
    ];
    if (users.length > 0) return { users };
    const images = await tx.query<ImageName>(
      'delete from published_images where sha256 = $1 returning path, digest',
      [sha256],
    );
    await tx.query('delete from artifacts where sha256 = $1', [sha256]);
    await noteRemoval(tx, sha256);
    await recordRequest(tx, now, { subject: sha256, detail: { ...artifact } });
    // No metadata lists these copies, so they are not missed if the transaction is rolled back.
    await removeImages(images);
    return 'deleted';
  });
}

async function usersOf(tx: Queryable, sha256: string): Promise<string[]> {
  const scripts = await tx.query<{ script_ref_id: string }>(
    'select script_ref_id from script_artifacts where sha256 = $1 order by script_ref_id limit $2',
    [sha256, MOST_NAMED],
  );
  const uploads = await tx.query('select from uploads where sha256 = $1 limit 1', [sha256]);
  return [
    ...scripts.map(({ script_ref_id }) => `the update script ${script_ref_id}`),
    ...uploads.map(() => 'an upload of the same bytes'),
  ];
}

/** Digests under which the image repository serves an artifact. */
export async function digestsOf(database: Queryable, sha256: string): Promise<ReadonlySet<string>> {
  const rows = await database.query<{ digest: string }>(
    'select distinct digest from published_images where sha256 = $1',
    [sha256],
  );
  return new Set([sha256, ...rows.map(({ digest }) => digest)]);
}
