/** What an undecided vehicle will count as once its time is over. Pure. */
import { FAILED } from '../../contract/index.js';

/** @param state its newest report. A failure will be retried; what comes too late does not count. */
export function resultByTime(state: string): 'succeeded' | 'failed' | 'silent' {
  if (state === 'success') return 'succeeded';
  return FAILED.has(state) ? 'failed' : 'silent';
}
