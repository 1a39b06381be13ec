/** Trusted metadata in memory, for a client used for a single check. */
import { type MetadataStore } from './metadata-store.js';

export class MemoryMetadataStore implements MetadataStore {
  readonly #files: Map<string, Uint8Array>;
  #onlineKeys: string | undefined;

  /** @param files by role */
  constructor(files: Iterable<readonly [string, Uint8Array]>) {
    this.#files = new Map(files);
  }

  read(role: string): Uint8Array | undefined {
    return this.#files.get(role);
  }

  write(role: string, bytes: Uint8Array): void {
    this.#files.set(role, bytes);
  }

  remove(role: string): void {
    this.#files.delete(role);
  }

  readOnlineKeys(): string | undefined {
    return this.#onlineKeys;
  }

  writeOnlineKeys(keys: string): void {
    this.#onlineKeys = keys;
  }
}
