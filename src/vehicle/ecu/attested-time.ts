/**
 * The trusted time of an ECU: signed answers of the time server to the ECU's own nonces, and a floor on its disk that
 * never decreases (Uptane, "Load and verify the latest attested time"). Neither a clock of the vehicle nor a trigger nor
 * an unsigned answer changes it.
 */
import { type Authority } from '../../uptane/keys/authority.js';
import { newNonce } from '../../uptane/manifest/nonce.js';
import { Refusal } from '../../uptane/refusal.js';
import { readIfThere, replaceFile } from '../../uptane/store/durable-file.js';
import { checkSignedTime } from '../../uptane/time/check-time.js';
import { POUF } from '../../uptane/checks/sections.js';

export interface AttestedTimeOptions {
  /** File of the floor. */
  readonly path: string;
  /** The time keys from provisioning. */
  readonly authority: Authority;
  /** Monotonic clock, ms; default: that of the process. */
  readonly monotonic?: (() => number) | undefined;
}

/**
 * Validity of an answer after its nonce was created, ms: the answer states a time within this interval. An attacker who
 * could withhold it for longer could freeze this ECU's clock, and with it the metadata it considers valid.
 */
const ANSWER_MS = 2 * 60 * 1000;
/** A verification relies on a time that was attested at most this long ago, ms of the monotonic clock. */
const FRESH_MS = 10 * 60 * 1000;

const SUBJECT = { repository: 'director', role: 'time' };

export class AttestedTime {
  readonly #path: string;
  readonly #authority: Authority;
  readonly #monotonic: () => number;
  /** ms */
  #floor: number;
  #attested: { readonly time: number; readonly at: number } | undefined;
  #nonce: { readonly text: string; readonly at: number } | undefined;

  /** @throws Error if the file of the floor is damaged */
  constructor({ path, authority, monotonic = () => performance.now() }: AttestedTimeOptions) {
    this.#path = path;
    this.#authority = authority;
    this.#monotonic = monotonic;
    this.#floor = readFloor(path);
  }

  /** A nonce for the next request. Answers to earlier nonces become invalid. */
  newNonce(): string {
    this.#nonce = { text: newNonce(), at: this.#monotonic() };
    return this.#nonce.text;
  }

  /**
   * Accepts one answer to the last nonce. Once it returns, the floor survives a power cut.
   *
   * @throws Refusal; the time is then unchanged
   */
  accept(signedTime: Uint8Array): void {
    if (this.#nonce === undefined) {
      throw new Refusal(SUBJECT, {
        code: 'freeze',
        check: POUF.time,
        fault: 'was not requested: no nonce of this ECU is pending',
      });
    }
    const { text, at } = this.#nonce;
    const time = checkSignedTime(signedTime, this.#authority, text).getTime();
    this.#nonce = undefined;
    if (this.#monotonic() - at > ANSWER_MS) {
      throw new Refusal(SUBJECT, {
        code: 'freeze',
        check: POUF.time,
        fault: `has come too late: more than ${ANSWER_MS / 1000} s after its nonce was made`,
      });
    }
    // Servers differ by a second or two, and the answer has whole seconds: the later time counts.
    const later = Math.max(time, this.#floor);
    this.#attested = { time: Math.max(later, this.now()), at: this.#monotonic() };
    if (later === this.#floor) return;
    writeFloor(this.#path, later);
    this.#floor = later;
  }

  /** Lower bound of the current time, ms. */
  now(): number {
    if (this.#attested === undefined) return this.#floor;
    return this.#attested.time + Math.max(0, this.#monotonic() - this.#attested.at);
  }

  /** Whether a time was attested recently, since the process started. */
  get isFresh(): boolean {
    return this.#attested !== undefined && this.#monotonic() - this.#attested.at < FRESH_MS;
  }

  /** The time for a verification. @throws Refusal `freeze` if it was not attested recently */
  forVerification(): Date {
    if (this.isFresh) return new Date(this.now());
    throw new Refusal(SUBJECT, {
      code: 'freeze',
      check: 'Uptane, Full verification, step 1',
      fault: 'is not known: no signed time has answered this ECU lately',
    });
  }
}

/** @param time ms */
export function writeFloor(path: string, time: number): void {
  replaceFile(path, `${JSON.stringify({ floor: Math.floor(time) })}\n`);
}

function readFloor(path: string): number {
  const text = readIfThere(path)?.toString();
  if (text === undefined) return 0;
  try {
    const { floor } = JSON.parse(text) as { floor?: unknown };
    if (typeof floor === 'number' && Number.isSafeInteger(floor) && floor >= 0) return floor;
  } catch {
    // Treated like a wrong value.
  }
  throw new Error(`${path} is damaged: it must contain {"floor": <ms since 1970>}`);
}
