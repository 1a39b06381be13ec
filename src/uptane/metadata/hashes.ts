/** The `hashes` member: digests by algorithm. */
import { createHash, type Hash } from 'node:crypto';
import { type Reader } from '../json/reader.js';

export type HashAlgorithm = 'sha256' | 'sha512';

const DIGITS: Readonly<Record<HashAlgorithm, number>> = { sha256: 64, sha512: 128 };

export const isKnownAlgorithm = (name: string): name is HashAlgorithm =>
  Object.hasOwn(DIGITS, name);

/** Whether the text is a digest of that algorithm in lower-case hex. */
export const isDigest = (algorithm: HashAlgorithm, text: string): boolean =>
  text.length === DIGITS[algorithm] && /^[0-9a-f]+$/.test(text);

/** Digests in lower-case hex by algorithm, known or not; at least one. */
export type Hashes = ReadonlyMap<string, string>;

/** @throws Refusal if there is none */
export function readHashes(member: Reader): Hashes {
  const hashes = new Map(
    member.members().map(([algorithm, digest]) => [algorithm, digest.string().toLowerCase()]),
  );
  if (hashes.size === 0) member.refuse('at least one hash');
  return hashes;
}

export const hasKnownAlgorithm = (hashes: Hashes): boolean =>
  [...hashes.keys()].some(isKnownAlgorithm);

export interface HashFault {
  /** `sha256 abc…`; the same for `found`. */
  readonly expected: string;
  readonly found: string;
}

/** Hashes bytes as they arrive, with each known algorithm listed. */
export class RunningHashes {
  readonly #hashes: Hashes;
  readonly #running = new Map<HashAlgorithm, Hash>();

  constructor(hashes: Hashes) {
    this.#hashes = hashes;
    for (const name of hashes.keys()) {
      if (isKnownAlgorithm(name)) this.#running.set(name, createHash(name));
    }
  }

  update(bytes: Uint8Array): void {
    for (const hash of this.#running.values()) hash.update(bytes);
  }

  /** The first known hash that differs, after the last byte. Unknown algorithms are ignored. */
  fault(): HashFault | undefined {
    for (const [name, hash] of this.#running) {
      const found = hash.digest('hex');
      const expected = this.#hashes.get(name) ?? '';
      if (found !== expected) {
        return { expected: `${name} ${expected}`, found: `${name} ${found}` };
      }
    }
    return undefined;
  }
}

/** Like `RunningHashes.fault`, for complete bytes. */
export function hashFault(bytes: Uint8Array, hashes: Hashes): HashFault | undefined {
  const running = new RunningHashes(hashes);
  running.update(bytes);
  return running.fault();
}

export const sameHashes = (a: Hashes, b: Hashes): boolean =>
  a.size === b.size && [...a].every(([algorithm, digest]) => b.get(algorithm) === digest);
