/**
 * Where a vehicle stands in an operation, as a pure function of the set of messages received from
 * it (contract section 5). The adapter's database merges message by message to the same result;
 * this is the definition that it is tested against, and that others may use on an exported history.
 */
import {
  EVENT_STATUS_NAMES,
  type EventStatusName,
  INTERRUPTIONS,
  lifecycleRank,
  statusName,
  type StatusName,
} from './event-status.js';
import { DELIVERIES, PLANNED_STATES } from './table.js';

/** How far the trigger itself has come (contract section 5.1). */
export type DeliveryState = keyof typeof DELIVERIES;
/** Every delivery state, `pending` first (contract section 5.1). */
export const DELIVERY_STATES = Object.keys(DELIVERIES) as DeliveryState[];

/** Every state of a vehicle in an operation; `unknown` stands for each `unknown(<number>)`. Nobody is in `pause` (5.4). */
export const VEHICLE_STATES: readonly (
  DeliveryState | Exclude<EventStatusName, 'pause'> | 'unknown'
)[] = [...DELIVERY_STATES, ...EVENT_STATUS_NAMES.filter((name) => name !== 'pause'), 'unknown'];

/** Every state of a vehicle in a schedule: until the adapter calls back an event of it, and then that of its newest event. */
export const SCHEDULE_VEHICLE_STATES: readonly (
  keyof typeof PLANNED_STATES | 'device_not_found' | EventStatusName
)[] = [
  ...(Object.keys(PLANNED_STATES) as (keyof typeof PLANNED_STATES)[]),
  'device_not_found' satisfies DeliveryState,
  ...EVENT_STATUS_NAMES,
];

/** What `unknown(<number>)` matches. */
export const UNKNOWN_STATE = '^unknown\\([0-9]{1,5}\\)$';

/** Whether a vehicle in an operation can have this state. */
export const isVehicleState = (text: string): boolean =>
  VEHICLE_STATES.some((name) => name === text) || new RegExp(UNKNOWN_STATE).test(text);

/** An applied message, with its attempt and time as determined when it first arrived. */
export interface AppliedMessage {
  readonly kind: 'ack' | 'event';
  readonly messageId: string;
  /** Number of the vehicle's attempt: 1 for the first trigger, one more after each retrigger. */
  readonly attempt: number;
  /** Event time in ms (contract section 5.3). */
  readonly eventTime: number;
  /** Status value of an event; undefined for an acknowledgement. */
  readonly status?: number;
}

/** The state of a vehicle in an operation. */
export interface VehicleState {
  readonly delivery: DeliveryState;
  /** The state shown: that of the newest event, or the delivery state if there is no event. */
  readonly state: DeliveryState | StatusName;
  readonly paused: boolean;
}

/**
 * The state of a vehicle in an operation (contract section 5). It depends on the set of messages alone.
 *
 * @param delivery the newest attempt's delivery state, without regard to messages
 * @param attempt the newest attempt
 * @param messages all messages received, in any order; a repeated message_id changes nothing
 */
export function vehicleState(
  delivery: DeliveryState,
  attempt: number,
  messages: Iterable<AppliedMessage>,
): VehicleState {
  const current = [...messages].filter((message) => message.attempt === attempt);
  if (current.length === 0) return { delivery, state: delivery, paused: false };

  const events = current.filter((message) => message.kind === 'event').sort(newestFirst);
  const newest = events.map(nameOf)[0];
  if (newest === undefined) {
    return { delivery: 'acknowledged', state: 'acknowledged', paused: false };
  }
  const paused = newest === 'pause';
  const shown = paused
    ? (events.map(nameOf).find((name) => !INTERRUPTIONS.has(name)) ?? 'received')
    : newest;
  return { delivery: 'acknowledged', state: shown, paused };
}

const nameOf = (event: AppliedMessage) => statusName(event.status ?? 0);

/** Newest first by (event time, lifecycle rank, message_id): contract section 5.2. */
function newestFirst(a: AppliedMessage, b: AppliedMessage): number {
  return (
    b.eventTime - a.eventTime ||
    lifecycleRank(b.status ?? 0) - lifecycleRank(a.status ?? 0) ||
    byBytes(b.messageId, a.messageId)
  );
}

/** In the order of their UTF-8 bytes, which is that of their code points; the database compares texts in this order. */
function byBytes(a: string, b: string): number {
  const others = Array.from(b, codePoint);
  for (const [place, point] of Array.from(a, codePoint).entries()) {
    const difference = point - (others[place] ?? -1);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const codePoint = (char: string): number => char.codePointAt(0) ?? 0;
