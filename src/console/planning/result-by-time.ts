/** What an undecided vehicle will count as once its time is over. Pure. */
import { FAILED } from '../../contract/states/results.js';

/** @param state its newest report. A failed vehicle has a retry due, and a retry that comes too late does not count. */
export function resultByTime(state: string): 'succeeded' | 'failed' | 'silent' {
  if (state === 'success') return 'succeeded';
  return FAILED.has(state) ? 'failed' : 'silent';
}
