/** How fast triggers may go out: a token bucket, and a rate that grows. Pure. */
import { type TriggerRate } from '../../contract/index.js';

/** How far an operation has come, in vehicles. */
export interface RateProgress {
  readonly notified: number;
  readonly succeeded: number;
}

/** Triggers a second, now. */
export function currentRate(rate: TriggerRate, progress: RateProgress): number {
  const { perSecond, factor = 1, after, of = 'notified', atMost = Infinity } = rate;
  if (after === undefined) return Math.min(perSecond, atMost);
  return Math.min(perSecond * factor ** Math.floor(progress[of] / after), atMost);
}

export interface Bucket {
  /** Triggers that may go out. */
  readonly tokens: number;
  /** Until when what the rate has brought is in it, ms. */
  readonly refilledAt: number;
}

/** What gathers while nothing is sent: a second's worth, at least one trigger. */
const BURST_SECONDS = 1;

/**
 * @param perSecond triggers a second
 * @param now ms; before `refilledAt` (another process's clock is ahead) it brings nothing
 */
export function refill({ tokens, refilledAt }: Bucket, perSecond: number, now: number): Bucket {
  const seconds = Math.max(0, now - refilledAt) / 1000;
  const most = Math.max(1, perSecond * BURST_SECONDS);
  return {
    tokens: Math.min(most, tokens + seconds * perSecond),
    refilledAt: Math.max(now, refilledAt),
  };
}

/** When a bucket has the next whole token, ms. */
export function nextTokenAt({ tokens, refilledAt }: Bucket, perSecond: number): number {
  return refilledAt + Math.max(0, ((1 - tokens) / perSecond) * 1000);
}
