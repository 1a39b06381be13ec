/** When a trigger that was not acknowledged is sent again. */
import { type Backoff } from '../../contract/index.js';

export interface RetryPolicy extends Backoff {
  /** After so many sends without an acknowledgement the vehicle is `undelivered`. */
  readonly maxSends: number;
}

/** 30 s doubling to 6 h; 20 sends take about two and a half days. */
export const DEFAULT_RETRY: RetryPolicy = {
  firstPauseMs: 30_000,
  longestPauseMs: 6 * 60 * 60 * 1000,
  maxSends: 20,
};
