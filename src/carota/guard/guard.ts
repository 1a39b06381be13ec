/** Judges a schedule by what its vehicles have come to: pure. */
import { type Figures, type GuardSettings } from '../../contract/carota-api/index.js';
import { type Finding } from './sequential-test.js';

/** Vehicles of one or several waves. */
export interface WaveCounts {
  /** That the adapter knows. */
  readonly vehicles: number;
  /** From which nothing more is awaited. */
  readonly finished: number;
  /** Exposed, and without a result. */
  readonly undecided: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly silent: number;
  /** Failed before they were exposed. */
  readonly failedEarly: number;
  readonly rollbackFailed: number;
}

/** What a test of the guard has found, and why. */
export interface TestResult {
  readonly finding: Finding;
  readonly reason: string;
  readonly figures: Figures;
}

export interface Judgement {
  readonly decision: 'stop' | 'go' | 'hold' | 'wait';
  readonly reason: string;
  /** Of the test, where there is one. */
  readonly figures?: Figures | undefined;
}

export interface Evidence {
  /** Of all waves. */
  readonly total: WaveCounts;
  /** Of the current wave. */
  readonly wave: WaveCounts;
  /** Of the test in course; undefined: the schedule has none. */
  readonly test: TestResult | undefined;
  /** The test that has decided to go on since the current wave was posted. */
  readonly gone: Omit<Judgement, 'decision'> | undefined;
  /** Since the current wave was posted, seconds. */
  readonly age: number;
}

export function judge(settings: GuardSettings, evidence: Evidence): Judgement {
  const { test, gone } = evidence;
  const figures = test ? { figures: test.figures } : {};
  const limit = limitReached(settings, evidence.total);
  if (limit !== undefined) return { decision: 'stop', reason: limit, ...figures };
  if (test?.finding === 'stop') return { decision: 'stop', reason: test.reason, ...figures };
  if (gone) return { decision: 'go', ...gone };
  return { ...judgeWave(settings, evidence), ...figures };
}

function limitReached(settings: GuardSettings, total: WaveCounts): string | undefined {
  const { maxFailures = Infinity, maxRollbackFailures = Infinity } = settings;
  const { maxEarlyFailures = maxFailures } = settings;
  const { failed, silent, failedEarly, rollbackFailed } = total;
  if (rollbackFailed >= maxRollbackFailures)
    return `${vehicles(rollbackFailed)} failed to roll back`;
  if (failed + silent >= maxFailures) {
    const silence = silent > 0 ? `, ${silent} of them by silence` : '';
    return `${vehicles(failed + silent)} failed${silence}`;
  }
  if (failedEarly >= maxEarlyFailures)
    return `${vehicles(failedEarly)} failed before they could begin`;
  return undefined;
}

/** Neither a limit nor the test has decided: is the wave over? */
function judgeWave(
  { patience, undecided }: GuardSettings,
  { total, wave, test, age }: Evidence,
): Judgement {
  const isOver = wave.finished >= wave.vehicles;
  const isPatienceOver = patience !== undefined && age >= patience;
  if (!isOver && !isPatienceOver)
    return { decision: 'wait', reason: 'vehicles are still updating' };
  // Patience is for vehicles that have not begun. Those that have come to a result, if only by their deadline.
  if (total.undecided > 0) {
    const are = total.undecided === 1 ? 'is' : 'are';
    return {
      decision: 'wait',
      reason: `${vehicles(total.undecided)} ${are} exposed and undecided`,
    };
  }
  const what = isOver ? 'every vehicle of the wave has finished' : `${patience} s have passed`;
  if (!test || undecided === 'continue') return { decision: 'go', reason: what };
  return { decision: 'hold', reason: `${what}, and the test is undecided` };
}

const vehicles = (n: number) => (n === 1 ? '1 vehicle' : `${n} vehicles`);
