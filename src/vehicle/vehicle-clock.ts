/**
 * A vehicle's clock after a power cut may say 1970, until a satellite or a network tells it better. Until then
 * what is known counts: the journal's last time, and the time of a trigger from the cloud.
 */
import { isPlausible } from '../contract/index.js';

/** The vehicle’s clock, which may stand at 1970 until it is set: plausible times of triggers then take its place. */
export class VehicleClock {
  readonly #clock: () => number;
  /** Added to what the clock says while that is not plausible, ms. */
  #behind = 0;

  /** @param clock ms, as the vehicle has it */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** ms */
  now(): number {
    const said = this.#clock();
    return isPlausible(said, Number.POSITIVE_INFINITY) ? said : said + this.#behind;
  }

  /** It is this late, or later. @param time ms */
  atLeast(time: number): void {
    if (!isPlausible(time, Number.POSITIVE_INFINITY)) return;
    this.#behind = Math.max(this.#behind, time - this.#clock());
  }
}
