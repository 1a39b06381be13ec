/** How much an adapter receives and sends: pure, but for the clock handed in. */

export interface Rates {
  /** Messages per second. */
  readonly received: number;
  /** Triggers per second. */
  readonly triggered: number;
}

export class Traffic {
  readonly #now: () => number;
  #received = 0;
  #triggered = 0;
  #since: number;

  /** @param now monotonic, ms */
  constructor(now = () => performance.now()) {
    this.#now = now;
    this.#since = now();
  }

  received(messages: number): void {
    this.#received += messages;
  }

  triggered(vehicles: number): void {
    this.#triggered += vehicles;
  }

  /** The rates since the last call. */
  takeRates(): Rates {
    const now = this.#now();
    const seconds = Math.max(0.001, (now - this.#since) / 1000);
    const rates = { received: this.#received / seconds, triggered: this.#triggered / seconds };
    this.#received = 0;
    this.#triggered = 0;
    this.#since = now;
    return rates;
  }
}
