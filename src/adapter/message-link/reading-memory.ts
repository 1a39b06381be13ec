/**
 * Memory for what is read from a broker. Readings follow one another in a block, and the messages lie in it until all of them are
 * acknowledged; then it is read into again. Otherwise each reading would take new memory, 20 MB per second at full load, which the
 * garbage collector frees late and counts as a reason to collect.
 */

/** Four times as much as libuv reads at once. */
const BLOCK_BYTES = 256 * 1024;
/** Less room than this ends a block: a short reading costs as much as a full one. */
const LEAST_ROOM = 32 * 1024;
/** Free blocks that are kept: what waits for its commit at full load. */
const MOST_FREE = 16;

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

interface Block {
  readonly memory: Buffer;
  /** Bytes from its start that readings have taken. */
  used: number;
  /** Readings in it that are held. */
  readings: number;
}

/** Of one connection. */
export class ReadingMemory {
  readonly #free: Block[] = [];
  #current: Block = newBlock();

  /** Where to read to next, after the last reading has been taken with {@link reading}. */
  next(): Buffer {
    if (this.#current.readings === 0) this.#current.used = 0;
    if (BLOCK_BYTES - this.#current.used < LEAST_ROOM)
      this.#current = this.#free.pop() ?? newBlock();
    return this.#current.memory.subarray(this.#current.used);
  }

  /** @param bytes how many were read into the memory of the last {@link next} */
  reading(bytes: number): Reading {
    const block = this.#current;
    const start = block.used;
    block.used += bytes;
    block.readings += 1;
    return new Reading(block.memory.subarray(start, block.used), () => this.#release(block));
  }

  #release(block: Block): void {
    block.readings -= 1;
    if (block.readings > 0 || block === this.#current) return;
    block.used = 0;
    if (this.#free.length < MOST_FREE) this.#free.push(block);
  }
}

const newBlock = (): Block => ({
  memory: Buffer.allocUnsafeSlow(BLOCK_BYTES),
  used: 0,
  readings: 0,
});
