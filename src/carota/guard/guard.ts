/** Judges a schedule by the results of its vehicles. Pure. */
import { type Figures, type GuardSettings } from '../../contract/carota-api/index.js';
import { type Finding } from './sequential-test.js';

/** Vehicles of one or several waves. */
export interface WaveCounts {
  /** Vehicles registered at the adapter. */
  readonly vehicles: number;
  /** Vehicles from which no more reports are expected. */
  readonly finished: number;
  /** Exposed vehicles without a result. */
  readonly undecided: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly silent: number;
  /** Vehicles that failed before exposure. */
  readonly failedEarly: number;
  readonly rollbackFailed: number;
}

/** The finding of one of the guard's tests, and its reason. */
export interface TestResult {
  readonly finding: Finding;
  readonly reason: string;
  readonly figures: Figures;
}

export interface Judgement {
  readonly decision: 'stop' | 'go' | 'hold' | 'wait';
  readonly reason: string;
  /** Figures of the test, if there is one. */
  readonly figures?: Figures | undefined;
}

export interface Evidence {
  /** Counts over all waves. */
  readonly total: WaveCounts;
  /** Counts of the current wave. */
  readonly wave: WaveCounts;
  /** Result of the current test; undefined: the schedule has none. */
  readonly test: TestResult | undefined;
  /** The test that has decided "go" since the current wave was posted. */
  readonly gone: Omit<Judgement, 'decision'> | undefined;
  /** Seconds since the current wave was posted. */
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
  if (failedEarly >= maxEarlyFailures) return `${vehicles(failedEarly)} failed before exposure`;
  return undefined;
}

/** Judges the wave when neither a limit nor the test has decided. */
function judgeWave(
  { patience, undecided }: GuardSettings,
  { total, wave, test, age }: Evidence,
): Judgement {
  const isOver = wave.finished >= wave.vehicles;
  const isPatienceOver = patience !== undefined && age >= patience;
  if (!isOver && !isPatienceOver)
    return { decision: 'wait', reason: 'vehicles are still updating' };
  // Patience applies only to vehicles that have not started. Started vehicles get a result by their deadline at the latest.
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
