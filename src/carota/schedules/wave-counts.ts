/** What the vehicles of a wave have come to, counted: each vehicle counts by where it stands now. Pure. */
import { type ExposureResult } from '../../contract/carota-api/index.js';
import { FAILED, FINISHED, resultOf } from '../../contract/index.js';

/** Where a vehicle stands in its schedule. */
export interface Standing {
  readonly state: string;
  /** undefined: it has not been exposed. */
  readonly result: ExposureResult | undefined;
  /** Whether its failure is tried again. */
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

/** In which of the counters the vehicle counts. */
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

/** Changes the counters from one standing of a vehicle to the next. */
export function recount(counters: Counters, before: Standing, after: Standing): void {
  const [was, is] = [countersOf(before), countersOf(after)];
  for (const name of COUNTERS) counters[name] += Number(is[name]) - Number(was[name]);
}
