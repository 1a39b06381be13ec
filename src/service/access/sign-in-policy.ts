/** How long further attempts have to wait after wrong credentials: pure. */
import { type Backoff, backoffPause } from '../../contract/index.js';

/** Failures are forgotten after this time without another one, ms. */
export const FORGOTTEN_MS = 60 * 60 * 1000;
/** Without jitter, so that every process on the database computes the same wait. */
const LOCK: Backoff = { firstPauseMs: 1_000, longestPauseMs: 15 * 60 * 1000, jitter: 0 };

/** @param free failures without consequences; 0: no failure has any @returns the pause after the last failure, ms */
export function lockMs(failures: number, free: number): number {
  if (free === 0 || failures <= free) return 0;
  return backoffPause(LOCK, failures - free, 0);
}
