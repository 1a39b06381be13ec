/** Judges a schedule by its vehicles' results: pure. */
import { type Figures, type GuardSettings } from '../../contract/carota-api/index.js';
import { FAILED, resultOf } from '../../contract/index.js';
import { figuresOf, findingOf, forOneOf } from './sequential-test.js';

/** What a vehicle's state says about the update; a user's decision says nothing. */
export type Verdict = 'succeeded' | 'failed' | 'neither';

export function verdictOf(state: string): Verdict {
  if (resultOf(state) === 'succeeded') return 'succeeded';
  return FAILED.has(state) ? 'failed' : 'neither';
}

/** Vehicles of one or several waves, by result. */
export interface WaveCounts {
  readonly vehicles: number;
  readonly finished: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly rollbackFailed: number;
}

export interface Judgement {
  readonly decision: 'stop' | 'go' | 'hold' | 'wait';
  readonly reason: string;
  /** Of the test, if there is one. */
  readonly figures?: Figures;
}

export interface Evidence {
  /** Maximum number of waves of the schedule. */
  readonly waves: number;
  /** Of all waves. */
  readonly total: WaveCounts;
  /** Of the waves in the current test. */
  readonly tested: WaveCounts;
  /** Of the current wave. */
  readonly wave: WaveCounts;
  /** Since the current wave was posted, seconds. */
  readonly age: number;
}

export function judge(settings: GuardSettings, evidence: Evidence): Judgement {
  const { total, tested, wave, age, waves } = evidence;
  const { maxFailures, maxRollbackFailures, patience, test } = settings;
  const figures = test && figuresOf(forOneOf(test, waves), tested.succeeded, tested.failed);
  const with_ = figures ? { figures } : {};
  if (maxRollbackFailures !== undefined && total.rollbackFailed >= maxRollbackFailures) {
    const reason = `${total.rollbackFailed} vehicles failed to roll back`;
    return { decision: 'stop', reason, ...with_ };
  }
  if (maxFailures !== undefined && total.failed >= maxFailures) {
    return { decision: 'stop', reason: `${total.failed} vehicles failed`, ...with_ };
  }
  const finding = figures ? findingOf(figures) : 'undecided';
  if (finding === 'stop') {
    const reason = `${tested.failed} of ${tested.failed + tested.succeeded} vehicles failed`;
    return { decision: 'stop', reason, ...with_ };
  }
  if (finding === 'go') {
    const reason = `${tested.succeeded} of ${tested.failed + tested.succeeded} vehicles succeeded`;
    return { decision: 'go', reason, ...with_ };
  }
  const isOver = wave.finished >= wave.vehicles;
  if (!isOver && !(patience !== undefined && age >= patience)) {
    return { decision: 'wait', reason: 'vehicles are still updating', ...with_ };
  }
  const what = isOver ? 'every vehicle of the wave has finished' : `${patience} s have passed`;
  if (!test || (settings.undecided ?? 'hold') === 'continue') {
    return { decision: 'go', reason: what, ...with_ };
  }
  return { decision: 'hold', reason: `${what}, and the test is undecided`, ...with_ };
}
