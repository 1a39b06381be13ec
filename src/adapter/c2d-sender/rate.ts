/** How fast triggers may be sent: a token bucket. Pure. */

export interface Bucket {
  /** Triggers that may be sent. */
  readonly tokens: number;
  /** When tokens were last added, ms. */
  readonly refilledAt: number;
}

/** The bucket holds the tokens of one second, and at least one. */
const BURST_SECONDS = 1;

/**
 * @param perSecond triggers per second
 * @param now ms; if before `refilledAt` (another process's clock is ahead), no tokens are added
 */
export function refill({ tokens, refilledAt }: Bucket, perSecond: number, now: number): Bucket {
  const seconds = Math.max(0, now - refilledAt) / 1000;
  const capacity = Math.max(1, perSecond * BURST_SECONDS);
  return {
    tokens: Math.min(capacity, tokens + seconds * perSecond),
    refilledAt: Math.max(now, refilledAt),
  };
}

/** When the bucket will hold a whole token, ms. */
export function nextTokenAt({ tokens, refilledAt }: Bucket, perSecond: number): number {
  return refilledAt + Math.max(0, ((1 - tokens) / perSecond) * 1000);
}
