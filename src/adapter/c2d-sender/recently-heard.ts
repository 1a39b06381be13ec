/**
 * Vehicles that something was heard of lately: a vehicle that reports every second is asked about
 * once or twice a minute. Two generations of bounded size, so that a fleet of millions takes no more memory.
 */

const GENERATION_MS = 30_000;
const GENERATION_SIZE = 20_000;

export class RecentlyHeard {
  #young = new Set<string>();
  #old = new Set<string>();
  #since = 0;

  /** @returns whether nothing was heard of it lately. @param now ms */
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
