/** Verifies a chain line by line, in constant memory. Pure. */
import { NotCanonical } from '../../uptane/json/canonical-json.js';
import { BadChainLine, type ChainLine, readChainLine } from './chain-line.js';
import { GENESIS, linkHash } from './link.js';

/** The chain breaks at a line. */
export class BrokenChain extends Error {
  override readonly name = 'BrokenChain';

  /** @param line number of the line, from 1 @param reason completes "the line …" */
  constructor(
    readonly line: number,
    readonly reason: string,
  ) {
    super(`line ${line} ${reason}`);
  }
}

/** Accepts the lines of a chain in order. Not usable after a broken line. */
export class ChainVerifier {
  #previous: string;
  #count = 0;

  /** @param previous the hash before the first line; not {@link GENESIS} for a part of a chain */
  constructor(previous: string = GENESIS) {
    this.#previous = previous;
  }

  /** Hash of the last line. */
  get head(): string {
    return this.#previous;
  }

  /** Number of lines so far. */
  get count(): number {
    return this.#count;
  }

  /** @param line without its end @throws BrokenChain */
  take(line: string): ChainLine {
    const number = this.#count + 1;
    try {
      const read = readChainLine(line);
      if (linkHash(this.#previous, read.record) !== read.hash) {
        throw new BrokenChain(
          number,
          'does not have the hash of its content and the line before: one of them was changed, removed, added or moved',
        );
      }
      this.#previous = read.hash;
      this.#count = number;
      return read;
    } catch (error) {
      if (error instanceof BadChainLine || error instanceof NotCanonical) {
        throw new BrokenChain(number, error.message);
      }
      throw error;
    }
  }
}

/** Result of {@link verifyChain}: `count` and `head` refer to the lines before a break. */
export type ChainVerdict = { readonly count: number; readonly head: string } & (
  | { readonly intact: true }
  | { readonly intact: false; readonly line: number; readonly reason: string }
);

/** Finds the first line at which a chain breaks, and the reason. @param lines without their ends */
export async function verifyChain(
  lines: Iterable<string> | AsyncIterable<string>,
  previous: string = GENESIS,
): Promise<ChainVerdict> {
  const verifier = new ChainVerifier(previous);
  try {
    for await (const line of lines) verifier.take(line);
  } catch (error) {
    if (!(error instanceof BrokenChain)) throw error;
    const { line, reason } = error;
    return { intact: false, line, reason, count: verifier.count, head: verifier.head };
  }
  return { intact: true, count: verifier.count, head: verifier.head };
}
