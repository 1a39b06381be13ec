/** States in the groups that the console shows, each group and each state in the order of an update's life. */
import { LIFECYCLE } from './event-status.js';
import {
  DELIVERIES,
  EVENT_STATUSES,
  PLANNED_STATES,
  STATE_GROUPS,
  type StateGroup,
  UNKNOWN_STATUS,
} from './table.js';

const GROUP_OF = new Map<string, StateGroup>([
  ...Object.entries({ ...PLANNED_STATES, ...DELIVERIES }).map(facts),
  ...LIFECYCLE.map((name) => facts([name, EVENT_STATUSES[name]])),
  // Counts put all unknown(<number>) together.
  facts(['unknown', UNKNOWN_STATUS]),
]);

function facts([state, { group }]: [string, { readonly group: StateGroup }]): [string, StateGroup] {
  return [state, group];
}

/**
 * The group of a state.
 *
 * @param state any, including `unknown(<number>)`; states missing from the table belong to the same group as these
 */
export const groupOf = (state: string): StateGroup => GROUP_OF.get(state) ?? UNKNOWN_STATUS.group;

/** The states of each group, in the groups' order. */
export const STATES_OF_GROUPS: readonly {
  readonly id: StateGroup;
  readonly states: readonly string[];
}[] = STATE_GROUPS.map((id) => ({
  id,
  states: [...GROUP_OF.keys()].filter((state) => GROUP_OF.get(state) === id),
}));
