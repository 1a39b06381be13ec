/** A file that is being downloaded; synced bytes survive a power cut. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { removeFile, replaceFile, syncDirectory } from '../durable-file.js';

/** Written data is synced after this many bytes or ms. */
const SYNC_BYTES = 1024 * 1024;
const SYNC_MS = 1_000;

interface Mark {
  /** Bytes synced to disk. */
  readonly synced: number;
  /** ETag of the server's file they belong to. */
  readonly etag?: string;
}

export class PartialFile {
  readonly #path: string;
  readonly #part: string;
  readonly #markFile: string;
  #file: FileHandle | undefined;
  #etag: string | undefined;
  #bytes = 0;
  #synced = 0;
  #syncedAt = 0;

  /** @param path final path of the complete file */
  constructor(path: string) {
    this.#path = path;
    this.#part = `${path}.part`;
    this.#markFile = `${path}.mark`;
  }

  /** Bytes received so far. */
  get bytes(): number {
    return this.#bytes;
  }

  get etag(): string | undefined {
    return this.#etag;
  }

  get isComplete(): boolean {
    return existsSync(this.#path);
  }

  /** Opens an earlier partial file, up to the point that is known to be on disk. */
  async open(): Promise<void> {
    const mark = this.#mark();
    this.#file = await open(this.#part, mark ? 'r+' : 'w', 0o600);
    this.#bytes = this.#synced = mark?.synced ?? 0;
    this.#etag = mark?.etag;
    await this.#file.truncate(this.#bytes);
    this.#syncedAt = performance.now();
  }

  /** Starts over. @param etag of the server's file */
  async restart(etag: string | undefined): Promise<void> {
    removeFile(this.#markFile);
    await this.#opened.truncate(0);
    this.#bytes = this.#synced = 0;
    this.#etag = etag;
  }

  async write(chunk: Uint8Array): Promise<void> {
    let written = 0;
    while (written < chunk.length) {
      const { bytesWritten } = await this.#opened.write(
        chunk,
        written,
        chunk.length - written,
        this.#bytes + written,
      );
      written += bytesWritten;
    }
    this.#bytes += chunk.length;
    const isDue =
      this.#bytes - this.#synced >= SYNC_BYTES || performance.now() - this.#syncedAt >= SYNC_MS;
    if (isDue) await this.sync();
  }

  /** Syncs the data, so that it survives a power cut. */
  async sync(): Promise<void> {
    if (this.#bytes === this.#synced) return;
    await this.#opened.datasync();
    const mark: Mark = {
      synced: this.#bytes,
      ...(this.#etag === undefined ? {} : { etag: this.#etag }),
    };
    replaceFile(this.#markFile, JSON.stringify(mark));
    this.#synced = this.#bytes;
    this.#syncedAt = performance.now();
  }

  /** Renames the complete file to its final name. */
  async complete(): Promise<void> {
    await this.#opened.datasync();
    await this.close();
    await rename(this.#part, this.#path);
    removeFile(this.#markFile);
    syncDirectory(dirname(this.#path));
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  get #opened(): FileHandle {
    if (!this.#file) throw new Error(`${this.#part} is not open`);
    return this.#file;
  }

  #mark(): Mark | undefined {
    if (!existsSync(this.#markFile) || !existsSync(this.#part)) return undefined;
    try {
      const mark = JSON.parse(readFileSync(this.#markFile, 'utf8')) as Mark;
      return statSync(this.#part).size >= mark.synced ? mark : undefined;
    } catch {
      return undefined;
    }
  }
}
