/** The OTA Event Enum of the seed: what a vehicle can report, and what each value means to us. */

/** Value and name of all 18 states, exactly as the seed lists them. */
export const EVENT_STATUS = {
  received: 1,
  cancel: 2,
  downloading: 3,
  downloaded: 4,
  reboot: 5,
  success: 6,
  failure: 7,
  download_fail: 8,
  md5_check_success: 9,
  md5_check_fail: 10,
  pki_check_success: 11,
  pki_check_fail: 12,
  rollback_success: 13,
  rollback_fail: 14,
  pause: 15,
  resume: 16,
  consent_accepted: 100,
  consent_rejected: 101,
} as const;

/** A name of the OTA Event Enum, such as `download_fail`. */
export type EventStatusName = keyof typeof EVENT_STATUS;
/** A value of the OTA Event Enum, such as 8. */
export type EventStatusValue = (typeof EVENT_STATUS)[EventStatusName];

/** A status is an integer from 0 to this one (contract section 2). */
export const MAX_EVENT_STATUS = 65_535;

/** A state's name; a number outside the enum is kept as `unknown(<number>)` (contract section 2). */
export type StatusName = EventStatusName | `unknown(${number})`;

/** Names of the OTA Event Enum, in the order of their values. */
export const EVENT_STATUS_NAMES = Object.keys(EVENT_STATUS) as EventStatusName[];

const NAME_OF = new Map<number, EventStatusName>(
  EVENT_STATUS_NAMES.map((name) => [EVENT_STATUS[name], name]),
);

/** The name of a status value. */
export function statusName(value: number): StatusName {
  return NAME_OF.get(value) ?? `unknown(${value})`;
}

/**
 * Position in an update's life, lowest first: among events of one attempt with equal times the
 * higher one is the newer (contract section 5.2). Unknown values rank 0.
 */
const LIFECYCLE: readonly EventStatusName[] = [
  'received',
  'consent_accepted',
  'consent_rejected',
  'downloading',
  'pause',
  'resume',
  'download_fail',
  'downloaded',
  'md5_check_fail',
  'md5_check_success',
  'pki_check_fail',
  'pki_check_success',
  'reboot',
  'cancel',
  'failure',
  'rollback_fail',
  'rollback_success',
  'success',
];
const RANK_OF = new Map<string, number>(LIFECYCLE.map((name, position) => [name, position + 1]));

/** Lifecycle rank of a status value, 0 (unknown) to 18 (success). */
export function lifecycleRank(value: number): number {
  return RANK_OF.get(statusName(value)) ?? 0;
}

/** States in which the vehicle has come to an end (contract section 5.5). */
export const FINISHED: ReadonlySet<string> = new Set<EventStatusName>([
  'success',
  'cancel',
  'consent_rejected',
  'rollback_success',
  'rollback_fail',
  'failure',
  'download_fail',
  'md5_check_fail',
  'pki_check_fail',
]);

/** Finished states from which a later event moves the vehicle on (contract section 5.5). */
export const FAILED_SO_FAR: ReadonlySet<string> = new Set<EventStatusName>([
  'failure',
  'download_fail',
  'md5_check_fail',
  'pki_check_fail',
]);
