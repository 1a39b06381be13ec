/** What an action on an operation will do, in numbers. Pure. */
import { type Operation, type TriggerRate } from '../../contract/adapter-api/index.js';
import { duration, vehicles } from '../format/numbers.js';
import { notified } from '../states/groups.js';

export interface Standing {
  /** Their trigger has not been sent. */
  readonly waiting: number;
  /** Were sent it, and have not acknowledged it. */
  readonly unacknowledged: number;
  /** Have it, and have not come to an end. */
  readonly underWay: number;
  readonly finished: number;
}

export function standingOf({
  states,
  open,
  finished,
  ack_required: ackRequired,
  status,
}: Operation): Standing {
  const waiting = states.pending ?? 0;
  const sent = states.sent ?? 0;
  // One that is not awaited is not open (see the interface).
  const openSent = ackRequired === '0' || status === 'cancelled' ? 0 : sent;
  return {
    waiting,
    unacknowledged: sent,
    underWay: Math.max(0, open - waiting - openSent),
    finished,
  };
}

/** Current rate of an operation, triggers per second. */
export function rateNow(
  { perSecond, factor = 1, after, of = 'notified', atMost = Infinity }: TriggerRate,
  reached: { readonly notified: number; readonly succeeded: number },
): number {
  const steps = after === undefined ? 0 : Math.floor(reached[of] / after);
  return Math.min(atMost, perSecond * factor ** steps);
}

/** How long the triggers take with so many more, behind those that already wait. */
export function sendingTimeWith(more: number, operation: Operation): string {
  const { states, rate, succeeded } = operation;
  const reached = { notified: notified(states), succeeded };
  const perSecond = rate ? rateNow(rate, reached) : null;
  return sendingTime((states.pending ?? 0) + more, perSecond);
}

/** How long the queued ones take at a constant rate. */
export function sendingTime(waiting: number, perSecond: number | null): string {
  if (waiting === 0) return 'No triggers are queued.';
  if (perSecond === null) {
    return `${vehicles(waiting)} queued; their triggers go out as fast as the adapters can send.`;
  }
  const time = duration(waiting / perSecond);
  return `${vehicles(waiting)} queued; at this rate their triggers are sent within about ${time}.`;
}
