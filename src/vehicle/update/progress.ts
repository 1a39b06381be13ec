/** When a download reports its progress. Pure. */

export interface ProgressPace {
  readonly progressSeconds: number;
  readonly progressPercent: number;
}

export class Progress {
  readonly #total: number;
  readonly #pace: ProgressPace;
  #reportedPercent = -Infinity;
  #reportedAt = -Infinity;

  /** @param total bytes */
  constructor(total: number, pace: ProgressPace) {
    this.#total = total;
    this.#pace = pace;
  }

  /**
   * @param bytes received so far
   * @param now ms
   * @returns the percentage to report, rounded down, or undefined if it is too soon
   */
  at(bytes: number, now: number): number | undefined {
    const percent = Math.floor((bytes / this.#total) * 100);
    const isSoon = now - this.#reportedAt < this.#pace.progressSeconds * 1000;
    if (isSoon || percent - this.#reportedPercent < this.#pace.progressPercent) return undefined;
    this.#reportedPercent = percent;
    this.#reportedAt = now;
    return percent;
  }
}
