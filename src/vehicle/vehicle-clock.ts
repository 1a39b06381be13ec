/**
 * The time by which a vehicle stamps its events and waits for windows: the attested one, once there is one in this life
 * of the process. Before, the vehicle's own clock is used, which may be at 1970 after a power cut or anywhere else; then
 * nothing that could be misled depends on it. Neither a trigger nor an unsigned answer moves it.
 */
import { isPlausible } from '../contract/index.js';

const isLateEnough = (time: number) => isPlausible(time, Number.POSITIVE_INFINITY);

/** The vehicle’s clock: attested time where there is one, else its own, with the latest known time in place of 1970. */
export class VehicleClock {
  readonly #clock: () => number;
  readonly #monotonic: () => number;
  /** Added to the clock's reading while that is implausible, ms. */
  #behind = 0;
  #attested: { readonly time: number; readonly at: number } | undefined;
  #floor = 0;

  /**
   * @param clock the vehicle's own clock, ms
   * @param monotonic ms that pass evenly, whatever the clock is set to
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

  /** It is certainly at least this late, ms; 0 if nothing is certain. */
  get earliest(): number {
    return this.#attested ? this.now() : this.#floor;
  }

  /** Notes the latest time in the vehicle's own records, for a clock at 1970. @param time ms */
  atLeast(time: number): void {
    if (!isLateEnough(time)) return;
    this.#behind = Math.max(this.#behind, time - this.#clock());
  }

  /** Notes a time that was attested in an earlier life. @param time ms */
  notBefore(time: number): void {
    this.#floor = Math.max(this.#floor, time);
    this.atLeast(time);
  }

  /** Takes an attested time. @param time ms */
  attest(time: number): void {
    this.#attested = { time, at: this.#monotonic() };
  }
}
