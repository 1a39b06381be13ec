/** The OTA Event Enum of the seed: values, names and order of the statuses that a vehicle can report. */
import { EVENT_STATUSES, UNKNOWN_STATUS } from './table.js';

/**
 * The statuses of the table, by name.
 *
 * @inline
 */
type Statuses = typeof EVENT_STATUSES;
/** Name of a status in the OTA Event Enum, e.g. `download_fail` (contract section 5). */
export type EventStatusName = keyof Statuses;
/** Value of a status on the wire, e.g. 8 for `download_fail` (contract section 5). */
export type EventStatusValue = Statuses[EventStatusName]['value'];

/** The names, in the order of the seed. */
export const EVENT_STATUS_NAMES = Object.keys(EVENT_STATUSES) as EventStatusName[];

/** The value of each name. */
export const EVENT_STATUS = Object.fromEntries(
  EVENT_STATUS_NAMES.map((name) => [name, EVENT_STATUSES[name].value]),
) as { readonly [Name in EventStatusName]: Statuses[Name]['value'] };

/** A status is an integer from 0 to this one (contract section 2). */
export const MAX_EVENT_STATUS = 65_535;

/** A state's name; a number outside the enum is kept as `unknown(<number>)` (contract section 2). */
export type StatusName = EventStatusName | `unknown(${number})`;

const NAME_OF = new Map<number, EventStatusName>(
  EVENT_STATUS_NAMES.map((name) => [EVENT_STATUS[name], name]),
);

/** The name of a status value. */
export function statusName(value: number): StatusName {
  return NAME_OF.get(value) ?? `unknown(${value})`;
}

const RANK_OF = new Map<number, number>(
  EVENT_STATUS_NAMES.map((name) => [EVENT_STATUS[name], EVENT_STATUSES[name].rank]),
);

/** Lifecycle rank of a status value; 0 for one outside the enum (contract section 5.2). */
export function lifecycleRank(value: number): number {
  return RANK_OF.get(value) ?? UNKNOWN_STATUS.rank;
}

/** The names in the order of an update's life. */
export const LIFECYCLE: readonly EventStatusName[] = [...EVENT_STATUS_NAMES].sort(
  (a, b) => EVENT_STATUSES[a].rank - EVENT_STATUSES[b].rank,
);

/** Of pause and resume, the vehicle has the state before them (contract section 5.4). */
export const INTERRUPTIONS: ReadonlySet<string> = new Set(
  EVENT_STATUS_NAMES.filter((name) => 'interrupts' in EVENT_STATUSES[name]),
);
