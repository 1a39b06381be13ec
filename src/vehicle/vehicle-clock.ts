/**
 * After a power cut a vehicle's clock may be at 1970 until it is set by satellite or network. Until then the latest
 * known time is used: the last one in the journal, or that of a trigger from the cloud.
 */
import { isPlausible } from '../contract/index.js';

/** The vehicle’s clock, which may stand at 1970 until it is set: plausible times of triggers then take its place. */
export class VehicleClock {
  readonly #clock: () => number;
  /** Added to the clock's reading while that is implausible, ms. */
  #behind = 0;

  /** @param clock the vehicle's own clock, ms */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** ms */
  now(): number {
    const said = this.#clock();
    return isPlausible(said, Number.POSITIVE_INFINITY) ? said : said + this.#behind;
  }

  /** Notes that it is at least this late. @param time ms */
  atLeast(time: number): void {
    if (!isPlausible(time, Number.POSITIVE_INFINITY)) return;
    this.#behind = Math.max(this.#behind, time - this.#clock());
  }
}
