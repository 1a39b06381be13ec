/** Which artifacts are served as images, by target path and digest. */
import { type Queryable, textArray } from '../../service/database/index.js';

export interface ServedArtifact {
  readonly sha256: string;
  /** bytes */
  readonly size: number;
}

/** @param digests all that the target lists */
export async function recordImage(
  database: Queryable,
  path: string,
  digests: readonly string[],
  sha256: string,
): Promise<void> {
  await database.query(
    `insert into published_images (path, digest, sha256)
     select $1, digest, $3 from unnest($2::text[]) as digest on conflict do nothing`,
    [path, textArray(digests), sha256],
  );
}

export async function findImage(
  database: Queryable,
  path: string,
  digest: string,
): Promise<ServedArtifact | undefined> {
  const [row] = await database.query<{ sha256: string; size: number }>(
    `select sha256, size from published_images join artifacts using (sha256)
     where path = $1 and digest = $2`,
    [path, digest],
  );
  return row;
}
