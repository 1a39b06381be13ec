/** The effects of actions on an operation, in numbers. Pure. */
import {
  isGrowing,
  type Operation,
  type RateProgress,
  secondsToSend,
  type TriggerRate,
} from '../../contract/adapter-api/index.js';
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

/** How long sending the queued triggers takes. */
export const sendingTime = (operation: Operation): string =>
  sendingTimeAt(operation.rate, operation);

/** The same if the operation had another rate; null: no limit. */
export const sendingTimeAt = (rate: TriggerRate | null, { states, succeeded }: Operation): string =>
  textOf(states.pending ?? 0, rate, { notified: notified(states), succeeded });

/** The same once all vehicles in this state are retriggered: they are queued again, and count as not notified. */
export function sendingTimeAfterRetrigger(state: string, operation: Operation): string {
  const { [state]: n = 0, pending = 0, ...others } = operation.states;
  const states = state === 'pending' ? operation.states : { ...others, pending: pending + n };
  return sendingTimeAt(operation.rate, {
    ...operation,
    states,
    succeeded: states.success ?? 0,
  });
}

function textOf(waiting: number, rate: TriggerRate | null, reached: RateProgress): string {
  if (waiting === 0) return 'No triggers are queued.';
  const queued = `${vehicles(waiting)} queued`;
  if (rate === null) return `${queued}; their triggers go out as fast as the adapters can send.`;
  const time = duration(secondsToSend(waiting, rate, reached));
  const sent = `their triggers are sent within about ${time}`;
  return isGrowing(rate, reached)
    ? `${queued}; the rate grows, and ${sent}.`
    : `${queued}; at this rate ${sent}.`;
}
