/** Limits a download to a bandwidth. */
import { setTimeout as sleep } from 'node:timers/promises';

export class Throttle {
  readonly #bytesPerSecond: number | undefined;
  /** Time until which the received bytes use up the bandwidth, ms. */
  #paidUntil = 0;

  /** @param bytesPerSecond undefined: no limit */
  constructor(bytesPerSecond: number | undefined) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Waits for the time that these bytes take at this bandwidth. */
  async pay(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.#bytesPerSecond === undefined) return;
    const now = performance.now();
    this.#paidUntil = Math.max(this.#paidUntil, now) + (bytes / this.#bytesPerSecond) * 1000;
    const wait = this.#paidUntil - now;
    if (wait > 1) await sleep(wait, undefined, { signal });
  }
}
