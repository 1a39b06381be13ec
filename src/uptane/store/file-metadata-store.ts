/** Trusted metadata in a directory, a file per role: `root.json`, `timestamp.json`, `supplier%2Fqa.json` … */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type MetadataStore } from './metadata-store.js';
import { readIfThere, removeFile, replaceFile } from './durable-file.js';

/** File systems limit names to 255 bytes, including the suffix of a replacement. */
const LONGEST_NAME = 200;

export class FileMetadataStore implements MetadataStore {
  readonly #directory: string;

  /** @param directory created if missing */
  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  read(role: string): Uint8Array | undefined {
    return readIfThere(this.#path(role));
  }

  write(role: string, bytes: Uint8Array): void {
    replaceFile(this.#path(role), bytes);
  }

  remove(role: string): void {
    removeFile(this.#path(role));
  }

  readOnlineKeys(): string | undefined {
    return readIfThere(this.#onlineKeysPath)?.toString('utf8');
  }

  writeOnlineKeys(keys: string): void {
    replaceFile(this.#onlineKeysPath, keys);
  }

  /** Not `.json`, because a role may have any name. */
  get #onlineKeysPath(): string {
    return join(this.#directory, 'online-keys');
  }

  #path(role: string): string {
    return join(this.#directory, `${fileNameOf(role)}.json`);
  }
}

/**
 * A safe file name for a name from a repository: it contains no path separator and fits any file system.
 */
export function fileNameOf(name: string): string {
  const encoded = encodeURIComponent(name);
  return encoded.length <= LONGEST_NAME && !/^\.*$/.test(encoded)
    ? encoded
    : `%${createHash('sha256').update(name).digest('hex')}`;
}
