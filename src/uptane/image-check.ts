/** Uptane, "Verify image": length and every hash, as the bytes arrive. */
import { STANDARD } from './checks/sections.js';
import { checkHashAlgorithms } from './director/compare.js';
import { RunningHashes } from './metadata/hashes.js';
import { type Target } from './metadata/target.js';
import { Refusal, type Subject } from './refusal.js';

export class ImageCheck {
  readonly #target: Target;
  readonly #subject: Subject;
  readonly #hashes: RunningHashes;
  #length = 0;

  /** @throws Refusal `hash` if a listed hash cannot be computed */
  constructor(target: Target, subject: Subject) {
    checkHashAlgorithms(target, subject);
    this.#target = target;
    this.#subject = subject;
    this.#hashes = new RunningHashes(target.hashes);
  }

  update(bytes: Uint8Array): void {
    this.#length += bytes.length;
    this.#hashes.update(bytes);
  }

  /** After the last byte. @throws Refusal `length`, `hash` */
  finish(): void {
    const { length } = this.#target;
    if (this.#length !== length) {
      throw new Refusal(this.#subject, {
        code: 'length',
        check: STANDARD.imageLength,
        fault: this.#length < length ? 'is too short' : 'is too long',
        expected: `${length} bytes`,
        found: `${this.#length} bytes`,
        attack: 'arbitrary-software',
      });
    }
    const fault = this.#hashes.fault();
    if (fault) {
      throw new Refusal(this.#subject, {
        code: 'hash',
        check: STANDARD.imageHashes,
        fault: 'does not have the hash that is listed',
        ...fault,
      });
    }
  }
}
