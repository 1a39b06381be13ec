/** Artifacts are uploaded as streams of any size, within the quota, and addressed by content. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { currentRequest, recordRequest } from '../../service/audit/index.js';
import { type Database } from '../../service/database/index.js';
import { Work } from '../work.js';
import { type ArtifactStore } from './artifact-store.js';
import { type ArtifactRow, findArtifact } from './artifacts.js';
import { type IncomingFolder } from './incoming-folder.js';
import { finishRemoval, openRemovals } from './removals.js';
import { QuotaExceeded, type UploadQuota } from './upload-quota.js';
import {
  giveUpUploads,
  type NewUpload,
  noteContent,
  refreshUploads,
  reserveRoom,
  strayUploads,
} from './upload-room.js';

/** The upload is empty, or differs from its announcement. */
export class ArtifactRefused extends Error {
  override readonly name = 'ArtifactRefused';
}

export interface NewArtifact {
  readonly name: string;
  /** As announced by the sender, to detect a damaged transfer. */
  readonly sha256?: string | undefined;
  /** Announced size, bytes; further bytes are not even written. */
  readonly size?: number | undefined;
  /** Id of the token. */
  readonly by: string;
}

export interface UploadsOptions {
  readonly database: Database;
  readonly store: ArtifactStore;
  readonly incoming: IncomingFolder;
  readonly quota: UploadQuota;
  /** ms */
  readonly clock: () => number;
  /** Called when work has failed and will be retried. */
  readonly onFailure: (error: Error) => void;
}

/** If the sender does not announce the size, storage is reserved in steps of this size, bytes. */
const FIRST_STEP = 1024 ** 2;
const LAST_STEP = 64 * 1024 ** 2;
/** Free disk space is checked again after this many bytes. */
const DISK_STEP = LAST_STEP;

const UPKEEP_MS = 60 * 1000;

export class Uploads {
  readonly #options: UploadsOptions;
  readonly #inProgress = new Set<string>();
  readonly #upkeep: Work;

  constructor(options: UploadsOptions) {
    this.#options = options;
    this.#upkeep = new Work(UPKEEP_MS, () => this.#cleanUp(), options.onFailure);
  }

  get quota(): UploadQuota {
    return this.#options.quota;
  }

  /** Removes the remains of killed processes, now and periodically. */
  async start(): Promise<void> {
    await this.#removeAbandoned();
    this.#upkeep.start();
  }

  async stop(): Promise<void> {
    await this.#upkeep.stop();
    await this.#options.incoming.close();
  }

  /**
   * Writes the stream to disk while hashing it, then hands the file to the store. The same bytes are the same artifact.
   *
   * @throws ArtifactRefused, QuotaExceeded; Error where the stream or the store fails. Nothing is then left behind.
   */
  async take(
    input: Readable,
    { name, sha256: announced, size: expected, by }: NewArtifact,
  ): Promise<ArtifactRow> {
    const { database, store, incoming, clock } = this.#options;
    const id = randomUUID();
    const upload = { id, owner: incoming.owner, token: by };
    const file = incoming.newFile(id);
    this.#inProgress.add(id);
    let isStored = false;
    try {
      await this.#reserve(upload, expected ?? FIRST_STEP);
      await mkdir(incoming.path, { recursive: true, mode: 0o700 });
      const { sha256, md5, size } = await this.#writeHashed(input, file, upload, expected);
      if (size === 0) throw new ArtifactRefused('the artifact is empty');
      if (announced !== undefined && announced !== sha256) {
        throw new ArtifactRefused(
          `the SHA-256 of the received bytes is ${sha256}, not ${announced}`,
        );
      }
      while (!(await noteContent(database, id, { sha256, size }))) {
        await finishRemoval(database, store, sha256);
      }
      await store.put(sha256, file, size);
      await database.transaction(async (tx) => {
        const now = clock();
        await tx.query(
          `insert into artifacts (sha256, md5, size, name, created_at, created_by)
           values ($1, $2, $3, $4, $5, $6) on conflict (sha256) do nothing`,
          [sha256, md5, size, name, new Date(now), by],
        );
        await tx.query('delete from uploads where id = $1', [id]);
        // A script's file is stored as part of publishing the script, which has its own audit entry.
        if (!currentRequest()?.isRecorded) {
          await recordRequest(tx, now, { subject: sha256, detail: { name, size } });
        }
      });
      isStored = true;
      const stored = await findArtifact(database, sha256);
      if (!stored) throw new ArtifactRefused(`artifact ${sha256} was deleted in the meantime`);
      return stored;
    } finally {
      await rm(file, { force: true });
      if (!isStored) await this.#giveUp([id]).catch(this.#options.onFailure);
      this.#inProgress.delete(id);
    }
  }

  async #reserve(upload: NewUpload, more: number): Promise<void> {
    const { database, quota, clock } = this.#options;
    await this.#checkDisk(more);
    await reserveRoom(database, upload, more, quota, clock());
  }

  /** @throws QuotaExceeded */
  async #checkDisk(more: number): Promise<void> {
    const { incoming, quota } = this.#options;
    const free = await incoming.freeBytes();
    if (free - more >= quota.freeDiskBytes) return;
    const message = `the disk of the server has ${free} bytes free, and uploads leave ${quota.freeDiskBytes} of them`;
    throw new QuotaExceeded('artifact-quota', message);
  }

  async #writeHashed(
    input: Readable,
    file: string,
    upload: NewUpload,
    announced: number | undefined,
  ): Promise<{ sha256: string; md5: string; size: number }> {
    const hashes = { sha256: createHash('sha256'), md5: createHash('md5') };
    let size = 0;
    let reserved = announced ?? FIRST_STEP;
    let looked = 0;
    const makeRoom = async () => {
      while (size > reserved) {
        const step = Math.min(Math.max(reserved, size - reserved), LAST_STEP);
        const needed = size - reserved;
        // Near the limit, reserve only for the bytes that have arrived.
        const got = await this.#reserve(upload, step).then(
          () => step,
          async (error: unknown) => {
            if (!(error instanceof QuotaExceeded) || needed >= step) throw error;
            await this.#reserve(upload, needed);
            return needed;
          },
        );
        reserved += got;
      }
      if (size - looked < DISK_STEP) return;
      looked = size;
      await this.#checkDisk(0);
    };
    const hashing = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        size += chunk.length;
        if (announced !== undefined && size > announced) {
          done(
            new ArtifactRefused(`there are more than the ${announced} bytes that were announced`),
          );
          return;
        }
        hashes.sha256.update(chunk);
        hashes.md5.update(chunk);
        makeRoom().then(() => done(null, chunk), done);
      },
    });
    // Opened before anything can fail: a stream that opens the file itself could create it after its removal.
    const opened = await open(file, 'wx', 0o600);
    await pipeline(input, hashing, opened.createWriteStream());
    return { sha256: hashes.sha256.digest('hex'), md5: hashes.md5.digest('hex'), size };
  }

  async #giveUp(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { database, store } = this.#options;
    const unneeded = await giveUpUploads(database, ids);
    for (const sha256 of unneeded) await finishRemoval(database, store, sha256);
  }

  async #removeAbandoned(): Promise<void> {
    const { database, incoming } = this.#options;
    await incoming.removeAbandoned(async (owner) =>
      this.#giveUp(await strayUploads(database, owner, [])),
    );
  }

  async #cleanUp(): Promise<boolean> {
    const { database, store, incoming, clock } = this.#options;
    // In this order, because an upload must be in progress before it has a row.
    const stray = await strayUploads(database, incoming.owner, [...this.#inProgress]);
    await this.#giveUp(stray.filter((id) => !this.#inProgress.has(id)));
    await this.#giveUp(await refreshUploads(database, incoming.owner, clock()));
    await this.#removeAbandoned();
    for (const sha256 of await openRemovals(database)) await finishRemoval(database, store, sha256);
    return false;
  }
}
