/** Delays between retries. Pure. */

export interface Backoff {
  /** Pause after the first failure, ms. */
  readonly firstPauseMs: number;
  /** Upper bound of a pause, ms; jitter never exceeds it. */
  readonly longestPauseMs: number;
  /**
   * Up to this share, from 0 to 1, is taken off each pause, so that many who failed together do not come back together.
   * Default: 0.2.
   */
  readonly jitter?: number;
}

const JITTER = 0.2;

/**
 * The pause after a failure, in ms: it doubles with each failure up to the longest pause, less the jitter.
 *
 * @param failures consecutive failures including this one; any number from 1
 * @param random from 0 to 1
 */
export function backoffPause(
  { firstPauseMs, longestPauseMs, jitter = JITTER }: Backoff,
  failures: number,
  random: number,
): number {
  const pause = Math.min(firstPauseMs * 2 ** (failures - 1), longestPauseMs);
  return Math.round(pause * (1 - jitter * random));
}
