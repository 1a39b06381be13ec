/** The status that a schedule's operation should have at the adapter. Pure. */
import { windowOpening } from './next-step.js';
import { type Intent, type ScheduleRecord } from './schedule-record.js';

/** @returns undefined: the adapter has confirmed that status, or does not have the operation @param now ms */
export function intendedOperation(
  { operation, status, plan }: Pick<ScheduleRecord, 'operation' | 'status' | 'plan'>,
  now: number,
): Intent['operation'] | undefined {
  if (operation === 'none' || operation === 'cancelled') return undefined;
  const intended = statusWanted();
  return intended === operation ? undefined : intended;

  function statusWanted(): Intent['operation'] {
    if (status === 'stopped') return 'cancelled';
    const isClosed = windowOpening(plan, now) > now;
    return status === 'paused' || (status !== 'completed' && isClosed) ? 'paused' : 'active';
  }
}
