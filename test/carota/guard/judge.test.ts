/** The guard's judgement of a schedule: limits, the test, and whether a wave is over. */
import { expect, test } from 'vitest';
import { judge, type TestResult, type WaveCounts } from '../../../src/carota/guard/index.js';
import { type GuardSettings } from '../../../src/contract/carota-api/index.js';

const TEST = { tolerated: 0.01, intolerable: 0.05, falseStop: 0.05, missedStop: 0.05 };
const NONE: WaveCounts = {
  vehicles: 100,
  finished: 0,
  undecided: 0,
  succeeded: 0,
  failed: 0,
  silent: 0,
  failedEarly: 0,
  rollbackFailed: 0,
};
const FIGURES = {
  ...{ test: 1, from: 1, vehicles: 9, succeeded: 6, failed: 3 },
  ...{ evidence: 4, stopAt: 3, goAt: -3 },
};
const found = (finding: TestResult['finding']): TestResult => ({
  finding,
  reason: `the test: ${finding}`,
  figures: FIGURES,
});

function judged(
  settings: GuardSettings,
  counts: Partial<WaveCounts>,
  {
    finding = 'undecided',
    gone = false,
    age = 0,
  }: {
    finding?: TestResult['finding'];
    gone?: boolean;
    age?: number;
  } = {},
) {
  const total = { ...NONE, ...counts };
  return judge(settings, {
    total,
    wave: total,
    test: settings.test && found(finding),
    gone: gone ? { reason: 'a test has gone' } : undefined,
    age,
  });
}

const all = { finished: 100, succeeded: 100 };

test.each<[what: string, decision: string, judgement: ReturnType<typeof judged>]>([
  ['waits while vehicles update', 'wait', judged({ test: TEST }, { finished: 3 })],
  ['stops where the test does', 'stop', judged({ test: TEST }, {}, { finding: 'stop' })],
  ['goes where a test has', 'go', judged({ test: TEST }, {}, { gone: true })],
  ['a stop comes before a go', 'stop', judged({ test: TEST }, {}, { finding: 'stop', gone: true })],
  ['holds when all have finished, undecided', 'hold', judged({ test: TEST }, all)],
  ['goes then if that is set', 'go', judged({ test: TEST, undecided: 'continue' }, all)],
  ['without a test goes when all have finished', 'go', judged({ maxFailures: 2 }, all)],
  ['stops at the limit of failures', 'stop', judged({ maxFailures: 2 }, { failed: 2 })],
  ['silence is failure', 'stop', judged({ maxFailures: 2 }, { failed: 1, silent: 1 })],
  ['early failures count apart', 'wait', judged({ maxFailures: 2 }, { failed: 1, failedEarly: 1 })],
  ['with the same limit', 'stop', judged({ maxFailures: 2 }, { failedEarly: 2 })],
  [
    'or one of their own',
    'stop',
    judged({ maxFailures: 99, maxEarlyFailures: 9 }, { failedEarly: 9 }),
  ],
  [
    'stops at the limit of failed rollbacks',
    'stop',
    judged({ test: TEST, maxRollbackFailures: 1 }, { rollbackFailed: 1 }),
  ],
  [
    'when its patience is over, does not wait for vehicles that have not begun',
    'hold',
    judged({ test: TEST, patience: 60 }, { finished: 9 }, { age: 60 }),
  ],
  [
    'but for those that have',
    'wait',
    judged({ test: TEST, patience: 60 }, { finished: 9, undecided: 1 }, { age: 60 }),
  ],
  [
    'also with a limit alone',
    'wait',
    judged({ maxFailures: 1, patience: 60 }, { undecided: 1 }, { age: 6_000 }),
  ],
])('%s', (_what, decision, judgement) => {
  expect(judgement.decision).toBe(decision);
});

test('states the reason, with the figures of the test', () => {
  expect(judged({ test: TEST }, {}, { finding: 'stop' })).toEqual({
    decision: 'stop',
    reason: 'the test: stop',
    figures: FIGURES,
  });
  expect(judged({ maxFailures: 3 }, { failed: 1, silent: 2 }).reason).toBe(
    '3 vehicles failed, 2 of them by silence',
  );
});
