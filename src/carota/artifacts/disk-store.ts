/** Stores artifacts as files in a directory. */
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Readable } from 'node:stream';
import { type ArtifactStore, type ByteRange } from './artifact-store.js';

export class DiskStore implements ArtifactStore {
  readonly #directory: string;

  /** @param directory on the same file system as the files to be stored */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async put(sha256: string, file: string): Promise<void> {
    const path = this.#path(sha256);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await synchronise(file);
    await rename(file, path);
    await synchronise(dirname(path));
  }

  async read(sha256: string, range: ByteRange | undefined): Promise<Readable> {
    const stream = createReadStream(
      this.#path(sha256),
      range ? { start: range.from, end: range.to } : {},
    );
    await new Promise((resolve, reject) => {
      stream.once('open', resolve);
      stream.once('error', reject);
    });
    return stream;
  }

  async remove(sha256: string): Promise<void> {
    await rm(this.#path(sha256), { force: true });
  }

  #path(sha256: string): string {
    return join(this.#directory, sha256.slice(0, 2), sha256);
  }
}

/** Flushes a file or directory to disk. */
async function synchronise(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
