/** Transfers a file within limits of bytes, rate and time (endless data, slow retrieval). */
import { tooLong } from '../checks/length.js';
import { POUF, STANDARD } from '../checks/sections.js';
import { type TransferRate } from '../limits.js';
import { Refusal, type Subject } from '../refusal.js';
import { type Fetcher, Unreachable } from './fetcher.js';
import { RateWatch } from './rate-watch.js';

export interface TransferLimits {
  /** Longer files are rejected. */
  readonly bytes: number;
  readonly rate: TransferRate;
  /** Timeout for the entire file, at any rate. */
  readonly seconds?: number | undefined;
}

/**
 * @param take receives the bytes as they arrive, never more than the limit
 * @returns whether the file exists
 * @throws Refusal `length`, `slow`, `network`
 */
export async function transfer(
  fetcher: Fetcher,
  path: string,
  limits: TransferLimits,
  subject: Subject,
  take: (bytes: Uint8Array) => void | Promise<void>,
): Promise<boolean> {
  const waiting = new Waiting(limits, subject);
  let chunks: AsyncIterator<Uint8Array> | undefined;
  try {
    const body = await waiting.forNext(fetcher.fetch(path, waiting.signal));
    if (body === undefined) return false;
    chunks = body[Symbol.asyncIterator]();
    for (let total = 0; ;) {
      const next: IteratorResult<Uint8Array, unknown> = await waiting.forNext(chunks.next());
      if (next.done) return true;
      const { value } = next;
      total += value.length;
      if (total > limits.bytes) throw tooLong(subject, limits.bytes);
      waiting.arrived(value.length);
      await take(value);
    }
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    throw new Refusal(subject, { code: 'network', check: POUF.urls, fault: error.message });
  } finally {
    waiting.end();
    // Not awaited, because a sender that ignores the signal would delay the cycle.
    chunks?.return?.().catch(() => undefined);
  }
}

/** Like `transfer`, into memory. @returns `undefined` if there is no such file */
export async function transferToMemory(
  fetcher: Fetcher,
  path: string,
  limits: TransferLimits,
  subject: Subject,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  const exists = await transfer(fetcher, path, limits, subject, (bytes) => {
    chunks.push(bytes);
  });
  return exists ? Buffer.concat(chunks) : undefined;
}

/** Waits for the sender as long as the limits allow. */
class Waiting {
  readonly #limits: TransferLimits;
  readonly #subject: Subject;
  readonly #watch: RateWatch;
  readonly #abort = new AbortController();
  #waitedSeconds = 0;
  #lastWait = 0;

  constructor(limits: TransferLimits, subject: Subject) {
    this.#limits = limits;
    this.#subject = subject;
    this.#watch = new RateWatch(limits.rate);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** @throws Refusal `slow` */
  async forNext<T>(next: Promise<T>): Promise<T> {
    const { seconds = Number.POSITIVE_INFINITY, rate } = this.#limits;
    const left = seconds - this.#waitedSeconds;
    const patience = Math.min(this.#watch.patience, left);
    const begun = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const tooSlow = new Promise<never>((_resolve, reject) => {
      const giveUp = () =>
        reject(
          new Refusal(this.#subject, {
            code: 'slow',
            check: STANDARD.downloadSpeed,
            fault: 'comes too slowly',
            expected:
              patience === left
                ? `all bytes within ${seconds} s`
                : `at least ${rate.bytes} bytes in ${rate.seconds} s`,
          }),
        );
      timer = setTimeout(giveUp, Math.max(0, patience) * 1000);
    });
    try {
      return await Promise.race([next, tooSlow]);
    } finally {
      clearTimeout(timer);
      // After losing the race its outcome no longer matters.
      next.catch(() => undefined);
      this.#lastWait = (performance.now() - begun) / 1000;
      this.#waitedSeconds += this.#lastWait;
    }
  }

  arrived(bytes: number): void {
    this.#watch.arrived(bytes, this.#lastWait);
  }

  end(): void {
    this.#abort.abort();
  }
}
