/**
 * The vehicle's time for event timestamps and windows: the attested time, if obtained since the process started. Before
 * that, the vehicle's own clock is used, which may be arbitrarily wrong, e.g. at 1970 after a power cut; no security
 * decision depends on it. Neither a trigger nor an unsigned answer changes it.
 */
import { isPlausible } from '../contract/index.js';

const isLateEnough = (time: number) => isPlausible(time, Number.POSITIVE_INFINITY);

/** The vehicle’s clock: attested time if available, otherwise its own, with the latest known time instead of 1970. */
export class VehicleClock {
  readonly #clock: () => number;
  readonly #monotonic: () => number;
  /** Added to the clock's reading while that is implausible, ms. */
  #behind = 0;
  #attested: { readonly time: number; readonly at: number } | undefined;
  #floor = 0;

  /**
   * @param clock the vehicle's own clock, ms
   * @param monotonic monotonic clock, ms
   */
  constructor(clock: () => number, monotonic: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#monotonic = monotonic;
  }

  /** ms */
  now(): number {
    if (this.#attested) {
      const { time, at } = this.#attested;
      return Math.round(time + Math.max(0, this.#monotonic() - at));
    }
    const said = this.#clock();
    return isLateEnough(said) ? said : said + this.#behind;
  }

  /** Whether `now` is the attested time. */
  get isAttested(): boolean {
    return this.#attested !== undefined;
  }

  /** Trusted lower bound of the current time, ms; 0 if there is none. */
  get earliest(): number {
    return this.#attested ? this.now() : this.#floor;
  }

  /** Records the latest time in the vehicle's own records, for a clock at 1970. @param time ms */
  atLeast(time: number): void {
    if (!isLateEnough(time)) return;
    this.#behind = Math.max(this.#behind, time - this.#clock());
  }

  /** Records a time attested before the process started. @param time ms */
  notBefore(time: number): void {
    this.#floor = Math.max(this.#floor, time);
    this.atLeast(time);
  }

  /** Sets the time to an attested time. @param time ms */
  attest(time: number): void {
    this.#attested = { time, at: this.#monotonic() };
  }
}
