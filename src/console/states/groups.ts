/** Groups of the contract's states, few enough to be distinguished at a glance. */
import { groupOf, STATES_OF_GROUPS } from '../../contract/states/groups.js';
import { FINISHED, NOT_NOTIFIED } from '../../contract/states/results.js';
import { type StateGroup } from '../../contract/states/table.js';
import { VEHICLE_STATES } from '../../contract/states/vehicle-state.js';
import { type States } from '../../contract/adapter-api/index.js';

export { groupOf };

const LABELS: Readonly<Record<StateGroup, string>> = {
  waiting: 'Waiting',
  sent: 'Sent',
  reached: 'Reached',
  consent: 'Consented',
  download: 'Downloading',
  install: 'Checking and installing',
  success: 'Succeeded',
  failed: 'Failed',
  'rolled-back': 'Rolled back',
  declined: 'Declined',
  unsent: 'Not delivered',
};

/** In the order of an update. */
export const GROUPS = STATES_OF_GROUPS.map(({ id, states }) => ({ id, states, label: LABELS[id] }));

const IN_ORDER = GROUPS.flatMap(({ states }) => states);
const PLACE = new Map(IN_ORDER.map((state, place) => [state, place]));

/** Every state of a vehicle in an operation, in the order of an update. */
export const ALL_STATES = IN_ORDER.filter((state) => VEHICLE_STATES.some((name) => name === state));

/** `[state, vehicles]` of the states that have vehicles, in the order of an update. */
export function inOrder(states: States): [state: string, vehicles: number][] {
  const place = (state: string) => PLACE.get(state) ?? IN_ORDER.length;
  return Object.entries(states)
    .filter(([, vehicles]) => vehicles > 0)
    .sort(([a], [b]) => place(a) - place(b) || a.localeCompare(b));
}

/** The number of vehicles in each group, in the groups' order. */
export function byGroup(states: States): readonly number[] {
  const sums = new Map<StateGroup, number>();
  for (const [state, vehicles] of Object.entries(states)) {
    const group = groupOf(state);
    sums.set(group, (sums.get(group) ?? 0) + vehicles);
  }
  return GROUPS.map(({ id }) => sums.get(id) ?? 0);
}

export const isFinished = (state: string): boolean => FINISHED.has(state);

const vehiclesIn = (states: States, matches: (state: string) => boolean): number =>
  Object.entries(states).reduce((sum, [state, n]) => (matches(state) ? sum + n : sum), 0);

/** Vehicles that have finished, with or without success. */
export const finished = (states: States): number => vehiclesIn(states, isFinished);

/** Vehicles to which a trigger was sent, finished or not. */
export const notified = (states: States): number =>
  vehiclesIn(states, (state) => !NOT_NOTIFIED.has(state));
