/** Counts of a wave's vehicles by their current state and result. Pure. */
import { type ExposureResult } from '../../contract/carota-api/index.js';
import { FAILED, FINISHED, resultOf } from '../../contract/index.js';

/** State and result of a vehicle in its schedule. */
export interface Standing {
  readonly state: string;
  /** undefined: not exposed. */
  readonly result: ExposureResult | undefined;
  /** Whether its failure will be retried. */
  readonly isRetried?: boolean;
}

/** Names of the counters of a wave. */
export const COUNTERS = [
  'finished',
  'exposed',
  'undecided',
  'succeeded',
  'failed',
  'silent',
  'withdrawn',
  'failed_early',
  'rollback_failed',
] as const;
type Counter = (typeof COUNTERS)[number];
export type Counters = Record<Counter, number>;

/** The counters that include the vehicle. */
function countersOf({ state, result, isRetried = false }: Standing): Record<Counter, boolean> {
  const isWithdrawn = resultOf(state) === 'withdrawn';
  return {
    finished: result === undefined ? FINISHED.has(state) && !isRetried : result !== 'undecided',
    exposed: result !== undefined,
    undecided: result === 'undecided',
    succeeded: result === 'succeeded',
    failed: result === 'failed',
    silent: result === 'silent',
    withdrawn: result === undefined ? isWithdrawn : result === 'withdrawn',
    failed_early: result === undefined && FAILED.has(state) && !isRetried,
    rollback_failed: state === 'rollback_fail',
  };
}

/** Moves a vehicle from the counters of its old standing to those of its new one. */
export function recount(counters: Counters, before: Standing, after: Standing): void {
  const [was, is] = [countersOf(before), countersOf(after)];
  for (const name of COUNTERS) counters[name] += Number(is[name]) - Number(was[name]);
}
