/** When an unacknowledged trigger is sent again. */
import { type Backoff } from '../../contract/index.js';

export interface RetryPolicy extends Backoff {
  /** After this many sends without an acknowledgement, the vehicle is `undelivered`. */
  readonly maxSends: number;
}

/** From 30 s, doubling up to 6 h; 20 sends take about two and a half days. */
export const DEFAULT_RETRY: RetryPolicy = {
  firstPauseMs: 30_000,
  longestPauseMs: 6 * 60 * 60 * 1000,
  maxSends: 20,
};
