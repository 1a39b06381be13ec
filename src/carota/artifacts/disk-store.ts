/** Stores artifacts as files in a directory. */
import { createReadStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Readable } from 'node:stream';
import { makeFolder, syncPath } from '../../service/write-durably.js';
import { type ArtifactStore, type ByteRange } from './artifact-store.js';

export class DiskStore implements ArtifactStore {
  readonly #directory: string;

  /** @param directory on the same file system as the files to be stored */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async put(sha256: string, file: string): Promise<void> {
    const path = this.#path(sha256);
    await makeFolder(dirname(path));
    await syncPath(file);
    await rename(file, path);
    await syncPath(dirname(path));
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
