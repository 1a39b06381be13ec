/** Files that were served lately, in memory: the next request of a cycle asks for what the one before has named. */

/** Some 600 bytes each. */
const MOST = 20_000;

export class RecentFiles {
  /** The longest unused first. */
  readonly #files = new Map<string, Uint8Array>();

  get(vin: string, version: number): Uint8Array | undefined {
    return this.#files.get(`${vin} ${version}`);
  }

  put(vin: string, version: number, bytes: Uint8Array): void {
    const key = `${vin} ${version}`;
    this.#files.delete(key);
    this.#files.set(key, bytes);
    if (this.#files.size <= MOST) return;
    const [oldest] = this.#files.keys();
    if (oldest !== undefined) this.#files.delete(oldest);
  }
}
