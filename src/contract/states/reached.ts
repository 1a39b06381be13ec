/** Which statuses a vehicle has reported in its newest attempt, as a bit mask: the column `deliveries.reached`. */
import { EVENT_STATUS_NAMES, type EventStatusName } from './event-status.js';
import { EVENT_STATUSES } from './table.js';

/** The mask with the bit of one status. */
export const reachedMask = (status: EventStatusName): number => 1 << EVENT_STATUSES[status].bit;

/**
 * SQL for the mask of one message: 0 for a status outside the enum, and for an acknowledgement.
 *
 * @param rank SQL for the lifecycle rank of its status
 */
export const reachedMaskSql = (rank: string): string => {
  const cases = EVENT_STATUS_NAMES.map(
    (name) => `when ${EVENT_STATUSES[name].rank} then ${reachedMask(name)}`,
  );
  return `case ${rank} ${cases.join(' ')} else 0 end`;
};
