/**
 * Where a vehicle stands in an operation, as a pure function of the set of messages received from
 * it (contract section 5). The adapter's database merges message by message to the same result;
 * this is the definition that it is tested against, and that others may use on an exported history.
 */
import { EVENT_STATUS_NAMES, lifecycleRank, statusName, type StatusName } from './event-status.js';
import { Pattern } from '../values/pattern.js';

/** States of a vehicle before its first event (contract section 5.1). */
export const DELIVERY_STATES = [
  'pending',
  'sent',
  'acknowledged',
  'device_not_found',
  'expired',
  'cancelled',
  'undelivered',
] as const;
/** How far the trigger itself has come (contract section 5.1). */
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** Of pause and resume, the vehicle has the state before them (contract section 5.4). */
const INTERRUPTIONS: readonly string[] = ['pause', 'resume'];
const isNoInterruption = (name: string) => !INTERRUPTIONS.includes(name);

/** Every state of a vehicle in an operation; `unknown` stands for each `unknown(<number>)`. */
export const VEHICLE_STATES: readonly string[] = [
  ...DELIVERY_STATES,
  ...EVENT_STATUS_NAMES.filter(isNoInterruption),
  'unknown',
];
const statePattern = (states: readonly string[]) => `^(${states.join('|')}|unknown\\(\\d{1,5}\\))$`;
const STATE = new RegExp(statePattern(VEHICLE_STATES));

/** Whether a vehicle in an operation can have this state. */
export const isVehicleState = (text: string): boolean => STATE.test(text);

/** One of the states, by which vehicles are chosen; each `unknown(<number>)` is one too. */
export const StateName = (states: readonly string[], description: string) =>
  Pattern(statePattern(states), `must be one of ${states.join(', ')}`, {
    maxLength: 100,
    description,
  });

/** A message as it was settled when it first arrived. */
export interface SettledMessage {
  readonly kind: 'ack' | 'event';
  readonly messageId: string;
  /** Of which trigger of the vehicle in the operation: 1 for the first, one more each retrigger. */
  readonly attempt: number;
  /** Event time in ms (contract section 5.3). */
  readonly eventTime: number;
  /** Status value of an event; undefined for an acknowledgement. */
  readonly status?: number;
}

/** The state of a vehicle in an operation. */
export interface VehicleState {
  readonly delivery: DeliveryState;
  /** What is shown: of the newest event, or the delivery state where there is none. */
  readonly state: DeliveryState | StatusName;
  readonly paused: boolean;
}

/**
 * The state of a vehicle in an operation (contract section 5). It depends on the set of messages alone.
 *
 * @param delivery what sending alone has come to in the newest attempt
 * @param attempt the newest attempt
 * @param messages all that were received, in any order; repeats of a message_id change nothing
 */
export function vehicleState(
  delivery: DeliveryState,
  attempt: number,
  messages: Iterable<SettledMessage>,
): VehicleState {
  const current = [...messages].filter((message) => message.attempt === attempt);
  if (current.length === 0) return { delivery, state: delivery, paused: false };

  const events = current.filter((message) => message.kind === 'event').sort(newestFirst);
  const newest = events.map(nameOf)[0];
  if (newest === undefined) {
    return { delivery: 'acknowledged', state: 'acknowledged', paused: false };
  }
  const paused = newest === 'pause';
  const shown = paused ? (events.map(nameOf).find(isNoInterruption) ?? 'received') : newest;
  return { delivery: 'acknowledged', state: shown, paused };
}

const nameOf = (event: SettledMessage) => statusName(event.status ?? 0);

/** Newest first by (event time, lifecycle rank, message_id): contract section 5.2. */
function newestFirst(a: SettledMessage, b: SettledMessage): number {
  return (
    b.eventTime - a.eventTime ||
    lifecycleRank(b.status ?? 0) - lifecycleRank(a.status ?? 0) ||
    Buffer.compare(Buffer.from(b.messageId), Buffer.from(a.messageId))
  );
}
