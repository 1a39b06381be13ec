/** In-memory fetcher and store, which count their calls and can fail on request. */
import { type MetadataStore } from '../../../src/uptane/store/metadata-store.js';
import { type Fetcher, Unreachable } from '../../../src/uptane/transfer/fetcher.js';

export class MemoryFetcher implements Fetcher {
  readonly requests: string[] = [];
  readonly #files: ReadonlyMap<string, Uint8Array>;
  readonly #prefix: string;
  /** Paths that cannot be fetched. */
  readonly broken = new Set<string>();

  constructor(files: ReadonlyMap<string, Uint8Array>, prefix: string) {
    this.#files = files;
    this.#prefix = prefix;
  }

  async fetch(path: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    this.requests.push(path);
    if (this.broken.has(path)) throw new Unreachable('the connection has failed');
    const file = this.#files.get(this.#prefix + path);
    return file && pieces(file);
  }
}

async function* pieces(file: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.length; at += 1000) yield file.subarray(at, at + 1000);
}

/** The power is cut. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

export class MemoryStore implements MetadataStore {
  readonly files = new Map<string, Uint8Array>();
  #onlineKeys: string | undefined;
  /** Writes that still reach the disk; the power is cut before the next one. */
  writesLeft = Number.POSITIVE_INFINITY;

  read(role: string): Uint8Array | undefined {
    return this.files.get(role);
  }

  write(role: string, bytes: Uint8Array): void {
    this.#spend();
    this.files.set(role, bytes);
  }

  remove(role: string): void {
    this.#spend();
    this.files.delete(role);
  }

  readOnlineKeys(): string | undefined {
    return this.#onlineKeys;
  }

  writeOnlineKeys(keys: string): void {
    this.#spend();
    this.#onlineKeys = keys;
  }

  #spend(): void {
    if (this.writesLeft === 0) throw new PowerCut('the power is cut');
    this.writesLeft -= 1;
  }
}
