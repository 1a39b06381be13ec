/** Downloads artifacts over HTTP to disk, with ranges, retries, a bandwidth limit and a check of free space. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync } from 'node:fs';
import { rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffPause } from '../../contract/index.js';
import { type Artifact } from '../../update-script/index.js';
import { SLOWEST } from '../../uptane/limits.js';
import { type HashFault, RunningHashes } from '../../uptane/metadata/hashes.js';
import { RateWatch } from '../../uptane/transfer/rate-watch.js';
import { messageOf } from '../fetch-failure.js';
import {
  DownloadFailed,
  type Downloads,
  type Transfer,
  type VerifiedImage,
} from '../update/equipment.js';
import { PartialFile } from './partial-file.js';
import { rangeAnswer } from './range-answer.js';
import { Throttle } from './throttle.js';

/** A transfer with fewer bytes in this time is aborted. */
export interface SlowestRate {
  readonly bytes: number;
  readonly seconds: number;
}

/** Source and storage of artifacts. */
export interface HttpDownloadsOptions {
  /** Created if missing; used exclusively for downloads. */
  readonly directory: string;
  /** Download URL of an artifact; `fresh`: the previous URL is no longer valid. */
  readonly locate: (
    wanted: Pick<Transfer, 'scriptRefId' | 'artifact' | 'image'>,
    fresh: boolean,
    signal: AbortSignal,
  ) => Promise<string>;
  /** Sent with each request, e.g. a credential. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Default: that of Node.js. */
  readonly fetch?: typeof fetch;
  readonly bytesPerSecond?: number | undefined;
  /** Consecutive attempts without progress before it gives up. */
  readonly attempts?: number | undefined;
  /** Pause before the second attempt, ms; doubled before each further one. */
  readonly pauseMs?: number | undefined;
  /** A connection without data for this long is dropped, seconds; so is one that is slower than the POUF allows. */
  readonly stallSeconds?: number | undefined;
  /** Default: that of the POUF, section 7. */
  readonly slowest?: SlowestRate | undefined;
  /** Bytes to leave free on the disk. */
  readonly keepFree?: number | undefined;
  /** Free bytes on the file system of the directory. */
  readonly freeBytes?: (() => Promise<number>) | undefined;
}

const ATTEMPTS = 10;
const PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
const STALL_SECONDS = 30;
const KEEP_FREE = 16 * 1024 * 1024;

/** This attempt failed; a retry may succeed. */
class TryAgain extends Error {
  override readonly name = 'TryAgain';

  constructor(
    message: string,
    /** A new URL must be requested. */
    readonly fresh = false,
  ) {
    super(message);
  }
}

/** Downloads artifacts over HTTP, with ranges, into files of a folder. */
export class HttpDownloads implements Downloads {
  readonly #options: HttpDownloadsOptions;
  readonly #throttle: Throttle;

  constructor(options: HttpDownloadsOptions) {
    this.#options = options;
    this.#throttle = new Throttle(options.bytesPerSecond);
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  }

  async reserve(artifacts: readonly Artifact[]): Promise<void> {
    const { keepFree = KEEP_FREE, freeBytes = () => this.#freeBytes() } = this.#options;
    let needed = keepFree;
    for (const artifact of artifacts) {
      // Once for the download, once for the slot.
      needed += artifact.size * 2 - (await this.#bytesOf(artifact));
    }
    const free = await freeBytes();
    if (free < needed) {
      throw new DownloadFailed(`the disk is full: ${needed} bytes are needed, ${free} are free`);
    }
  }

  async download(transfer: Transfer): Promise<void> {
    const { artifact, onProgress, signal } = transfer;
    const { attempts = ATTEMPTS, pauseMs = PAUSE_MS } = this.#options;
    const file = new PartialFile(this.pathOf(artifact));
    if (file.isComplete) {
      onProgress(artifact.size);
      return;
    }
    await file.open();
    try {
      let fresh = false;
      for (let failed = 0; ;) {
        const before = file.bytes;
        try {
          const locate = () => this.#options.locate(transfer, fresh, signal);
          await this.#transfer(file, artifact, await locate(), onProgress, signal);
          break;
        } catch (error) {
          const retry = asTryAgain(error as Error, signal);
          fresh = retry.fresh;
          failed = file.bytes > before ? 1 : failed + 1;
          if (failed >= attempts) throw new DownloadFailed(`${retry.message}, ${failed} times`);
          const backoff = { firstPauseMs: pauseMs, longestPauseMs: LONGEST_PAUSE_MS };
          await sleep(backoffPause(backoff, failed, Math.random()), undefined, { signal });
        }
      }
      await file.complete();
    } catch (error) {
      throw asDiskFull(error as Error);
    } finally {
      // Received bytes are kept, even if the user pauses or the vehicle is switched off.
      await file.sync().catch(() => undefined);
      await file.close();
    }
  }

  async fault(
    { sha256, md5, size }: Artifact,
    signal: AbortSignal,
    image?: VerifiedImage,
  ): Promise<string | undefined> {
    const path = this.#path(sha256);
    if (!existsSync(path)) return 'the download is missing';
    const hashes = { md5: createHash('md5'), sha256: createHash('sha256') };
    const listed = new RunningHashes(new Map(Object.entries(image?.hashes ?? {})));
    let bytes = 0;
    for await (const chunk of createReadStream(path, { signal })) {
      bytes += (chunk as Buffer).length;
      listed.update(chunk as Buffer);
      hashes.md5.update(chunk as Buffer);
      hashes.sha256.update(chunk as Buffer);
    }
    const fault =
      difference('length', bytes, size) ??
      difference('MD5', hashes.md5.digest('hex'), md5) ??
      difference('SHA-256', hashes.sha256.digest('hex'), sha256) ??
      listedDifference(listed.fault());
    if (fault !== undefined) await rm(path, { force: true });
    return fault;
  }

  pathOf({ sha256 }: Artifact): string {
    return this.#path(sha256);
  }

  async clear(): Promise<void> {
    const { directory } = this.#options;
    await rm(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  #path(sha256: string): string {
    return join(this.#options.directory, sha256);
  }

  async #bytesOf({ sha256 }: Artifact): Promise<number> {
    const path = this.#path(sha256);
    const sizes = [path, `${path}.part`].map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    );
    return Math.max(...(await Promise.all(sizes)));
  }

  async #freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#options.directory);
    return bavail * bsize;
  }

  /** One request. @throws TryAgain, DownloadFailed */
  async #transfer(
    file: PartialFile,
    artifact: Artifact,
    url: string,
    onProgress: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    if (file.bytes === artifact.size) return;
    const { stallSeconds = STALL_SECONDS, slowest = SLOWEST, headers } = this.#options;
    const send = this.#options.fetch ?? fetch;
    const wait = new Patience(stallSeconds, slowest);
    try {
      const response = await send(url, {
        headers: {
          ...headers,
          'accept-encoding': 'identity',
          ...(file.bytes > 0 ? rangeHeaders(file) : {}),
        },
        // A credential is sent only to the host it is meant for.
        redirect: headers === undefined ? 'follow' : 'manual',
        signal: AbortSignal.any([signal, wait.signal]),
      });
      await this.#begin(file, response, artifact.size);
      for await (const chunk of response.body ?? []) {
        wait.arrived((chunk as Uint8Array).length);
        await this.#take(file, chunk as Uint8Array, artifact.size, signal);
        onProgress(file.bytes);
        wait.begin();
      }
    } catch (error) {
      if (wait.signal.aborted && !signal.aborted) throw new TryAgain('the server has stalled');
      throw error;
    } finally {
      wait.end();
    }
    if (file.bytes < artifact.size) {
      throw new TryAgain(`the connection ended after ${file.bytes} of ${artifact.size} bytes`);
    }
  }

  async #begin(file: PartialFile, response: Response, size: number): Promise<void> {
    const { headers, status } = response;
    const answer = rangeAnswer(
      {
        status,
        contentLength: headers.get('content-length'),
        contentRange: headers.get('content-range'),
      },
      file.bytes,
      size,
    );
    switch (answer.kind) {
      case 'rest':
        return;
      case 'whole':
        return file.restart(headers.get('etag') ?? undefined);
      default:
        await response.body?.cancel();
    }
    if (answer.kind === 'discard') await file.restart(undefined);
    if (answer.kind === 'never') throw new DownloadFailed(answer.reason);
    throw new TryAgain(answer.reason, answer.kind === 'moved');
  }

  async #take(
    file: PartialFile,
    chunk: Uint8Array,
    size: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (file.bytes + chunk.length > size) {
      throw new DownloadFailed(`wrong length: more than the ${size} bytes that the script says`);
    }
    await this.#throttle.pay(chunk.length, signal);
    await file.write(chunk);
  }
}

/** Drops a stalled or too slow connection. Only time spent waiting for the server counts. */
class Patience {
  readonly #controller = new AbortController();
  readonly #stallSeconds: number;
  readonly #watch: RateWatch;
  #timer: NodeJS.Timeout | undefined;
  #since = 0;

  constructor(stallSeconds: number, slowest: SlowestRate) {
    this.#stallSeconds = stallSeconds;
    this.#watch = new RateWatch(slowest);
    this.begin();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Starts waiting for the next bytes. */
  begin(): void {
    this.#since = performance.now();
    const seconds = Math.max(0, Math.min(this.#stallSeconds, this.#watch.patience));
    this.#timer = setTimeout(() => this.#controller.abort(), seconds * 1000);
  }

  arrived(bytes: number): void {
    this.end();
    this.#watch.arrived(bytes, (performance.now() - this.#since) / 1000);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** Resumes only the same file; for a different one the server sends everything. A weak ETag guarantees nothing. */
function rangeHeaders({ bytes, etag }: PartialFile): Record<string, string> {
  const isStrong = etag !== undefined && !etag.startsWith('W/');
  return { range: `bytes=${bytes}-`, ...(isStrong ? { 'if-range': etag } : {}) };
}

function asTryAgain(error: Error, signal: AbortSignal): TryAgain {
  if (signal.aborted || error instanceof DownloadFailed || isDiskFull(error)) throw error;
  return error instanceof TryAgain ? error : new TryAgain(messageOf(error));
}

const isDiskFull = (error: Error) =>
  ['ENOSPC', 'EDQUOT', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '');

const asDiskFull = (error: Error) =>
  isDiskFull(error) ? new DownloadFailed(`the disk is full: ${error.message}`) : error;

const listedDifference = (fault: HashFault | undefined) =>
  fault && `the download has ${fault.found}, the metadata lists ${fault.expected}`;

const difference = (what: string, is: string | number, due: string | number) =>
  is === due ? undefined : `the ${what} of the download is ${is}, the script says ${due}`;
