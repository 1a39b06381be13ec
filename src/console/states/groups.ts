/** The contract's states (section 5), put together in the groups that a person tells apart at a glance. */
import { FINISHED } from '../../contract/states/event-status.js';
import { type States } from '../api/adapter.js';

export interface Group {
  readonly id: string;
  readonly label: string;
  readonly states: readonly string[];
}

/**
 * In the order of an update's life; a state of the vehicle that the contract does not know is under way. `waiting` and
 * `triggered` are the CarOTA Server's, of vehicles that have told nothing yet.
 */
export const GROUPS = [
  { id: 'waiting', label: 'Waiting', states: ['waiting', 'pending'] },
  { id: 'sent', label: 'Sent', states: ['triggered', 'sent'] },
  { id: 'reached', label: 'Reached', states: ['acknowledged', 'received', 'pause', 'resume'] },
  { id: 'consent', label: 'Consented', states: ['consent_accepted'] },
  { id: 'download', label: 'Downloading', states: ['downloading'] },
  {
    id: 'install',
    label: 'Checking and installing',
    states: ['downloaded', 'md5_check_success', 'pki_check_success', 'reboot', 'unknown'],
  },
  { id: 'success', label: 'Succeeded', states: ['success'] },
  {
    id: 'failed',
    label: 'Failed',
    states: ['failure', 'download_fail', 'md5_check_fail', 'pki_check_fail', 'rollback_fail'],
  },
  { id: 'rolled-back', label: 'Rolled back', states: ['rollback_success'] },
  { id: 'declined', label: 'Declined', states: ['consent_rejected', 'cancel'] },
  {
    id: 'unsent',
    label: 'Not delivered',
    states: ['cancelled', 'expired', 'undelivered', 'device_not_found'],
  },
] as const satisfies readonly Group[];

export type GroupId = (typeof GROUPS)[number]['id'];

const GROUP_OF = new Map<string, GroupId>(
  GROUPS.flatMap(({ id, states }) => states.map((state) => [state, id] as const)),
);
const ORDER = new Map<string, number>(
  GROUPS.flatMap(({ states }) => states as readonly string[]).map((state, place) => [state, place]),
);

export const groupOf = (state: string): GroupId => GROUP_OF.get(state) ?? 'install';

/** Of the CarOTA Server; at the adapter, a paused or resumed vehicle has the state before that. */
const NOT_OF_ADAPTER = new Set(['waiting', 'triggered', 'pause', 'resume']);

/** Every state that a vehicle of an operation can be in, in the order of an update's life. */
export const ALL_STATES: readonly string[] = [...ORDER.keys()].filter(
  (state) => !NOT_OF_ADAPTER.has(state),
);

/** `[state, vehicles]` of those that have vehicles, in the order of an update's life. */
export function inOrder(states: States): [state: string, vehicles: number][] {
  const place = (state: string) => ORDER.get(state) ?? ORDER.size;
  return Object.entries(states)
    .filter(([, vehicles]) => vehicles > 0)
    .sort(([a], [b]) => place(a) - place(b) || a.localeCompare(b));
}

/** Vehicles of each group, in the groups' order. */
export function byGroup(states: States): readonly number[] {
  const sums = new Map<GroupId, number>();
  for (const [state, vehicles] of Object.entries(states)) {
    const group = groupOf(state);
    sums.set(group, (sums.get(group) ?? 0) + vehicles);
  }
  return GROUPS.map(({ id }) => sums.get(id) ?? 0);
}

export const isFinished = (state: string): boolean => FINISHED.has(state);

/** Of the states, those in which the trigger was never sent and will not be by itself. */
const UNSENT = new Set([
  'waiting',
  'pending',
  'cancelled',
  'expired',
  'undelivered',
  'device_not_found',
]);

/** Vehicles that were sent their trigger, finished or not. */
export const notified = (states: States): number =>
  Object.entries(states).reduce((sum, [state, n]) => (UNSENT.has(state) ? sum : sum + n), 0);
