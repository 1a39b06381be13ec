/**
 * Vehicles seen recently, so that a vehicle that reports every second is looked up only once or twice per minute. Two
 * generations of bounded size limit the memory, also for a fleet of millions.
 */

const GENERATION_MS = 30_000;
const GENERATION_SIZE = 20_000;

export class RecentlySeen {
  #young = new Set<string>();
  #old = new Set<string>();
  #since = 0;

  /** @returns whether the vehicle was not seen recently. @param now ms */
  isNews(systemId: string, now: number): boolean {
    if (now - this.#since >= GENERATION_MS || this.#young.size >= GENERATION_SIZE) {
      this.#old = now - this.#since >= 2 * GENERATION_MS ? new Set() : this.#young;
      this.#young = new Set();
      this.#since = now;
    }
    if (this.#young.has(systemId) || this.#old.has(systemId)) return false;
    this.#young.add(systemId);
    return true;
  }
}
