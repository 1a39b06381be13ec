/** The effects of actions on an operation, in numbers. Pure. */
import { type Operation, type TriggerRate } from '../../contract/adapter-api/index.js';
import { duration, vehicles } from '../format/numbers.js';
import { notified } from '../states/groups.js';

export interface Standing {
  /** Trigger not sent yet. */
  readonly waiting: number;
  /** Trigger sent and not acknowledged. */
  readonly unacknowledged: number;
  /** Trigger acknowledged, not finished. */
  readonly inProgress: number;
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
  // Without a required acknowledgement, a sent trigger does not keep a vehicle open (see the interface).
  const openSent = ackRequired === '0' || status === 'cancelled' ? 0 : sent;
  return {
    waiting,
    unacknowledged: sent,
    inProgress: Math.max(0, open - waiting - openSent),
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

/** How long sending takes with these additional triggers, behind the queued ones. */
export function sendingTimeWith(more: number, operation: Operation): string {
  const { states, rate, succeeded } = operation;
  const reached = { notified: notified(states), succeeded };
  const perSecond = rate ? rateNow(rate, reached) : null;
  return sendingTime((states.pending ?? 0) + more, perSecond);
}

/** How long sending the queued triggers takes at a constant rate. */
export function sendingTime(waiting: number, perSecond: number | null): string {
  if (waiting === 0) return 'No triggers are queued.';
  if (perSecond === null) {
    return `${vehicles(waiting)} queued; their triggers go out as fast as the adapters can send.`;
  }
  const time = duration(waiting / perSecond);
  return `${vehicles(waiting)} queued; at this rate their triggers are sent within about ${time}.`;
}
