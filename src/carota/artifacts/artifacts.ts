/** Artifacts: taken in as a stream of any size, known by what is in them. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Queryable } from '../../service/database/index.js';
import { type ArtifactStore } from './artifact-store.js';

export interface ArtifactRow {
  readonly sha256: string;
  readonly md5: string;
  /** Bytes. */
  readonly size: number;
  readonly name: string;
  readonly created_at: Date;
}

const COLUMNS = 'sha256, md5, size, name, created_at';

/** There is nothing in it, or it is not what the sender said. */
export class ArtifactRefused extends Error {
  override readonly name = 'ArtifactRefused';
}

export interface NewArtifact {
  readonly name: string;
  /** What the sender says it is, to be sure that nothing was lost on the way. */
  readonly sha256?: string | undefined;
  readonly by: string;
  /** ms */
  readonly now: number;
}

/**
 * Reads it to its end onto the disk while it is hashed, then gives it to the store. The same bytes again are the same
 * artifact.
 *
 * @param incoming folder for what is on its way
 * @throws ArtifactRefused; Error where the stream or the store breaks: nothing is left of it then
 */
export async function takeArtifact(
  database: Queryable,
  store: ArtifactStore,
  incoming: string,
  input: Readable,
  { name, sha256: said, by, now }: NewArtifact,
): Promise<ArtifactRow> {
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  const file = join(incoming, randomUUID());
  try {
    const { sha256, md5, size } = await writeHashed(input, file);
    if (size === 0) throw new ArtifactRefused('the artifact is empty');
    if (said !== undefined && said !== sha256) {
      throw new ArtifactRefused(`the SHA-256 of what has come is ${sha256}, not ${said}`);
    }
    await store.put(sha256, file, size);
    await database.query(
      `insert into artifacts (sha256, md5, size, name, created_at, created_by)
       values ($1, $2, $3, $4, $5, $6) on conflict (sha256) do nothing`,
      [sha256, md5, size, name, new Date(now), by],
    );
    const known = await findArtifact(database, sha256);
    if (!known) throw new Error(`artifact ${sha256} was not stored`);
    return known;
  } finally {
    await rm(file, { force: true });
  }
}

async function writeHashed(input: Readable, file: string) {
  const hashes = { sha256: createHash('sha256'), md5: createHash('md5') };
  let size = 0;
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hashes.sha256.update(chunk);
      hashes.md5.update(chunk);
      done(null, chunk);
    },
  });
  // It is there before anything can fail: a stream that opens it by itself may make it after it was removed.
  const opened = await open(file, 'wx', 0o600);
  await pipeline(input, hashing, opened.createWriteStream());
  return { sha256: hashes.sha256.digest('hex'), md5: hashes.md5.digest('hex'), size };
}

export async function findArtifact(
  database: Queryable,
  sha256: string,
): Promise<ArtifactRow | undefined> {
  const rows = await database.query<ArtifactRow>(
    `select ${COLUMNS} from artifacts where sha256 = $1`,
    [sha256],
  );
  return rows[0];
}

export const listArtifacts = (
  database: Queryable,
  after: string,
  limit: number,
): Promise<ArtifactRow[]> =>
  database.query<ArtifactRow>(
    `select ${COLUMNS} from artifacts where sha256 > $1 order by sha256 limit $2`,
    [after, limit],
  );
