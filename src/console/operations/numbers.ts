/** What an action on an operation will do, in numbers. Pure. */
import { type Operation, type TriggerRate } from '../api/adapter.js';
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

export function standingOf({ states, open, finished, ackRequired, status }: Operation): Standing {
  const waiting = states.pending ?? 0;
  const sent = states.sent ?? 0;
  // One that is not awaited is not open (see the interface).
  const openSent = !ackRequired || status === 'cancelled' ? 0 : sent;
  return {
    waiting,
    unacknowledged: sent,
    underWay: Math.max(0, open - waiting - openSent),
    finished,
  };
}

/** Triggers a second with which an operation goes out, so far as it has come. */
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

/** How long the waiting ones take at a rate that does not change. */
export function sendingTime(waiting: number, perSecond: number | null): string {
  if (waiting === 0) return 'No trigger waits.';
  if (perSecond === null) {
    return `${vehicles(waiting)} wait; their triggers go out as fast as the adapters can.`;
  }
  const time = duration(waiting / perSecond);
  return `${vehicles(waiting)} wait; at this rate their triggers are out after about ${time}.`;
}
