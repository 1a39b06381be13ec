/** Artifacts: uploaded as streams of any size, addressed by content. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { currentRequest, recordRequest } from '../../service/audit/index.js';
import { type Database, type Queryable } from '../../service/database/index.js';
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

/** The upload is empty, or not what the sender announced. */
export class ArtifactRefused extends Error {
  override readonly name = 'ArtifactRefused';
}

export interface NewArtifact {
  readonly name: string;
  /** As announced by the sender, to detect a damaged transfer. */
  readonly sha256?: string | undefined;
  /** As announced, bytes: what comes beyond it is not even written. */
  readonly size?: number | undefined;
  readonly by: string;
  /** ms */
  readonly now: number;
}

/**
 * Writes the stream to disk while hashing it, then hands the file to the store. The same bytes are the same artifact.
 *
 * @param incoming directory of uploads in progress
 * @throws ArtifactRefused; Error where the stream or the store fails, which leaves nothing behind
 */
export async function takeArtifact(
  database: Database,
  store: ArtifactStore,
  incoming: string,
  input: Readable,
  { name, sha256: announced, size: expected, by, now }: NewArtifact,
): Promise<ArtifactRow> {
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  const file = join(incoming, randomUUID());
  try {
    const { sha256, md5, size } = await writeHashed(input, file, expected);
    if (size === 0) throw new ArtifactRefused('the artifact is empty');
    if (announced !== undefined && announced !== sha256) {
      throw new ArtifactRefused(`the SHA-256 of the received bytes is ${sha256}, not ${announced}`);
    }
    await store.put(sha256, file, size);
    await database.transaction(async (tx) => {
      await tx.query(
        `insert into artifacts (sha256, md5, size, name, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6) on conflict (sha256) do nothing`,
        [sha256, md5, size, name, new Date(now), by],
      );
      // A script's file is part of publishing the script, which has an entry of its own.
      if (!currentRequest()?.isRecorded) {
        await recordRequest(tx, now, { subject: sha256, detail: { name, size } });
      }
    });
    const stored = await findArtifact(database, sha256);
    if (!stored) throw new Error(`artifact ${sha256} was not stored`);
    return stored;
  } finally {
    await rm(file, { force: true });
  }
}

async function writeHashed(input: Readable, file: string, most = Infinity) {
  const hashes = { sha256: createHash('sha256'), md5: createHash('md5') };
  let size = 0;
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > most) {
        done(new ArtifactRefused(`there are more than the ${most} bytes that were announced`));
        return;
      }
      hashes.sha256.update(chunk);
      hashes.md5.update(chunk);
      done(null, chunk);
    },
  });
  // Opened before anything can fail: a stream that opens the file itself could create it after its removal.
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
