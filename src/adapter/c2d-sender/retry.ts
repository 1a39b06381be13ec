/** When a trigger that was not acknowledged is sent again: pure. */

export interface RetryPolicy {
  /** Pause after the first send, ms. */
  readonly firstPauseMs: number;
  /** No pause is longer, ms. */
  readonly longestPauseMs: number;
  /** After so many sends without an acknowledgement the vehicle is `undelivered`. */
  readonly maxSends: number;
}

/** 30 s doubling to 6 h; 20 sends take about two and a half days. */
export const DEFAULT_RETRY: RetryPolicy = {
  firstPauseMs: 30_000,
  longestPauseMs: 6 * 60 * 60 * 1000,
  maxSends: 20,
};

/**
 * The pause after a send, in ms: doubling, with up to 20 % on top, so that vehicles that were sent
 * together are not all sent together again.
 *
 * @param sends how often it was sent, this one included; from 1
 * @param random from 0 to 1
 */
export function retryPause(policy: RetryPolicy, sends: number, random: number): number {
  const pause = Math.min(policy.firstPauseMs * 2 ** (sends - 1), policy.longestPauseMs);
  return Math.round(pause * (1 + 0.2 * random));
}
