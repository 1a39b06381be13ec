/**
 * Memory for what is read from a broker. The messages of a full reading lie in it until all of them are acknowledged; then it is
 * read into again. Otherwise each reading would take new memory, 20 MB per second at full load, which the garbage collector
 * frees late and counts as a reason to collect.
 */

/** As much as libuv reads at once. */
const READING_BYTES = 64 * 1024;
/** Free memory that is kept: what waits for its commit at full load. */
const MOST_FREE = 64;

/** What was read at once. Its bytes are valid until {@link release} has been called as often as {@link hold}, and once more. */
export class Reading {
  #users = 1;

  constructor(
    readonly bytes: Buffer,
    private readonly onFree?: () => void,
  ) {}

  hold(): void {
    this.#users += 1;
  }

  release(): void {
    this.#users -= 1;
    if (this.#users === 0) this.onFree?.();
  }
}

export class ReadingMemory {
  readonly #free: Buffer[] = [];

  /** Where to read to. */
  next(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(READING_BYTES);
  }

  /**
   * @param memory from {@link next}
   * @param bytes how many were read into it
   */
  reading(memory: Buffer, bytes: number): Reading {
    const read = memory.subarray(0, bytes);
    // A few messages must not occupy memory for a hundred: while the database is down, thousands wait.
    if (bytes < memory.length / 2) {
      const copy = Buffer.from(read);
      this.#keep(memory);
      return new Reading(copy);
    }
    return new Reading(read, () => this.#keep(memory));
  }

  #keep(memory: Buffer): void {
    if (this.#free.length < MOST_FREE) this.#free.push(memory);
  }
}
