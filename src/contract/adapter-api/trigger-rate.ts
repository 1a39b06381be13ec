/** What a {@link TriggerRate} comes to: how fast an operation's triggers go out now, and how long sending takes. Pure. */
import { type TriggerRate } from './dispatch-options.js';

/** Progress of an operation, in vehicles. */
export interface RateProgress {
  /** Were sent their trigger. */
  readonly notified: number;
  /** Are in `success`. */
  readonly succeeded: number;
}

/** The current rate, triggers per second. */
export function currentRate(rate: TriggerRate, progress: RateProgress): number {
  const { perSecond, factor = 1, after, of = 'notified', atMost = Infinity } = rate;
  if (after === undefined) return Math.min(perSecond, atMost);
  return Math.min(perSecond * factor ** Math.floor(progress[of] / after), atMost);
}

/** Whether the rate can still rise above the current one. */
export const isGrowing = (rate: TriggerRate, progress: RateProgress): boolean =>
  rate.after !== undefined &&
  (rate.factor ?? 1) > 1 &&
  currentRate(rate, progress) < (rate.atMost ?? Infinity);

/** Steps that are looked at one by one; after these the rate counts as constant, which can only make the time longer. */
const MAX_STEPS = 1_000;

/**
 * How long it takes at most to send triggers of vehicles that were not notified, in seconds: growth that comes of sending
 * them counts, growth that depends on their success does not.
 *
 * @param triggers their number
 * @param progress where the operation stands before the first of them
 */
export function secondsToSend(
  triggers: number,
  rate: TriggerRate,
  { notified, succeeded }: RateProgress,
): number {
  const { after, of = 'notified' } = rate;
  let seconds = 0;
  let sent = 0;
  for (let step = 0; step < MAX_STEPS && sent < triggers; step++) {
    const progress = { notified: notified + sent, succeeded };
    if (after === undefined || of !== 'notified' || !isGrowing(rate, progress)) break;
    const inStep = Math.min(after - (progress.notified % after), triggers - sent);
    seconds += inStep / currentRate(rate, progress);
    sent += inStep;
  }
  const progress = { notified: notified + sent, succeeded };
  return seconds + (triggers - sent) / currentRate(rate, progress);
}
