/** Which statuses a vehicle has reported in its newest attempt, as a bit mask: the column `deliveries.reached`. */
import { statusName } from './event-status.js';
import { EVENT_STATUSES } from './table.js';

/** The mask with the bit of one status, by its value; 0 for a status outside the enum. */
export function reachedMask(value: number): number {
  const name = statusName(value);
  return name in EVENT_STATUSES ? 1 << EVENT_STATUSES[name as keyof typeof EVENT_STATUSES].bit : 0;
}
