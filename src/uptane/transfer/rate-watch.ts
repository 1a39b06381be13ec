/** Enforces a minimum rate: computes how long a transfer may wait for its next bytes. Pure. */
import { type TransferRate } from '../limits.js';

interface Arrival {
  /** Seconds of waiting since the transfer started. */
  readonly at: number;
  readonly bytes: number;
}

/**
 * Counts only time spent waiting for the sender: a slow disk is not an attack.
 */
export class RateWatch {
  readonly #rate: TransferRate;
  /** The most recent arrivals that add up to the required bytes of one window. */
  readonly #arrivals: Arrival[] = [];
  #total = 0;
  #waited = 0;

  constructor(rate: TransferRate) {
    this.#rate = rate;
  }

  /** Seconds that the next bytes may take from now on. */
  get patience(): number {
    const windowStart = this.#total >= this.#rate.bytes ? (this.#arrivals[0]?.at ?? 0) : 0;
    return windowStart + this.#rate.seconds - this.#waited;
  }

  /** @param seconds spent waiting for these bytes */
  arrived(bytes: number, seconds: number): void {
    this.#waited += seconds;
    this.#arrivals.push({ at: this.#waited, bytes });
    this.#total += bytes;
    for (let first = this.#arrivals[0]; first; first = this.#arrivals[0]) {
      if (this.#total - first.bytes < this.#rate.bytes) break;
      this.#total -= first.bytes;
      this.#arrivals.shift();
    }
  }
}
