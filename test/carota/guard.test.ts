/** The guard: its error rates by simulation, and how far a bad update comes beside a fixed percentage. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, test } from 'vitest';
import { type TestSettings } from '../../src/contract/carota-api/index.js';
import {
  figuresOf,
  findingOf,
  forOneOf,
  judge,
  verdictOf,
  type WaveCounts,
} from '../../src/carota/guard/index.js';

const TEST: TestSettings = {
  tolerated: 0.01,
  intolerable: 0.05,
  falseStop: 0.05,
  missedStop: 0.05,
};
const RUNS = 4_000;

/** Vehicle after vehicle fails at a rate, until it is decided. */
function run(settings: TestSettings, rate: number, random: () => number) {
  let [succeeded, failed] = [0, 0];
  for (;;) {
    if (random() < rate) failed += 1;
    else succeeded += 1;
    const finding = findingOf(figuresOf(settings, succeeded, failed));
    if (finding !== 'undecided') return { finding, vehicles: succeeded + failed };
  }
}

function runs(settings: TestSettings, rate: number) {
  const generator = xoroshiro128plus(20_261_125);
  const random = () => uniformFloat64(generator);
  return Array.from({ length: RUNS }, () => run(settings, rate, random));
}

const shareOf = (all: readonly { finding: string }[], finding: string) =>
  all.filter((one) => one.finding === finding).length / all.length;

/** Three standard deviations of a share that is at its bound. */
const tolerance = (bound: number) => 3 * Math.sqrt((bound * (1 - bound)) / RUNS);

describe.each([
  TEST,
  { tolerated: 0.02, intolerable: 0.1, falseStop: 0.01, missedStop: 0.1 },
  { tolerated: 0.05, intolerable: 0.2, falseStop: 0.1, missedStop: 0.01 },
])('a test of %o', (settings) => {
  test('false stops at the tolerated rate are no more frequent than set', () => {
    const share = shareOf(runs(settings, settings.tolerated), 'stop');
    expect(share).toBeLessThan(settings.falseStop + tolerance(settings.falseStop));
  });

  test('missed stops at the intolerable rate are no more frequent than set', () => {
    const share = shareOf(runs(settings, settings.intolerable), 'go');
    expect(share).toBeLessThan(settings.missedStop + tolerance(settings.missedStop));
  });

  test('false stops of several waves together are no more frequent than set', () => {
    const WAVES = 4;
    const each = forOneOf(settings, WAVES);
    const generator = xoroshiro128plus(7);
    const random = () => uniformFloat64(generator);
    let stops = 0;
    for (let n = 0; n < RUNS; n++) {
      const waves = Array.from({ length: WAVES }, () => run(each, settings.tolerated, random));
      if (waves.some(({ finding }) => finding === 'stop')) stops += 1;
    }
    expect(stops / RUNS).toBeLessThan(settings.falseStop + tolerance(settings.falseStop));
  });
});

test('a bad update is stopped after fewer vehicles than by a fixed percentage with the same error rate', () => {
  // The rule that other systems have: stop when p % have failed, of at least n that have finished.
  const fixedRule = (percent: number, least: number, rate: number) => {
    const generator = xoroshiro128plus(99);
    const random = () => uniformFloat64(generator);
    return Array.from({ length: RUNS }, () => {
      let failed = 0;
      for (let vehicles = 1; vehicles <= 5_000; vehicles++) {
        if (random() < rate) failed += 1;
        if (vehicles >= least && failed / vehicles >= percent) return { finding: 'stop', vehicles };
      }
      return { finding: 'go', vehicles: 5_000 };
    });
  };
  // The least number that keeps its false stops at the tolerated rate within the same bound.
  const percent = 0.03;
  const least = [50, 100, 150, 200, 300, 400].find(
    (n) => shareOf(fixedRule(percent, n, TEST.tolerated), 'stop') <= TEST.falseStop,
  );
  expect(least).toBeDefined();
  const mean = (all: readonly { vehicles: number }[]) =>
    all.reduce((sum, { vehicles }) => sum + vehicles, 0) / all.length;
  const bad = 0.2;
  expect(mean(runs(TEST, bad))).toBeLessThan(mean(fixedRule(percent, least ?? 0, bad)) / 3);
});

describe('a judgement', () => {
  const counts = (fields: Partial<WaveCounts> = {}): WaveCounts => ({
    vehicles: 100,
    finished: 0,
    succeeded: 0,
    failed: 0,
    rollbackFailed: 0,
    ...fields,
  });
  const judged = (settings: Parameters<typeof judge>[0], fields: Partial<WaveCounts>, age = 0) =>
    judge(settings, {
      waves: 1,
      total: counts(fields),
      tested: counts(fields),
      wave: counts(fields),
      age,
    });

  test('includes its figures', () => {
    const { decision, figures } = judged({ test: TEST }, { finished: 3, failed: 3 });
    expect(decision).toBe('stop');
    expect(figures).toMatchObject({ failed: 3, succeeded: 0 });
    expect(figures?.evidence).toBeCloseTo(3 * Math.log(5));
    expect(figures?.stopAt).toBeCloseTo(Math.log(20));
    expect(figures?.goAt).toBeCloseTo(-Math.log(20));
  });

  test.each([
    ['waits while nothing is decided', { test: TEST }, { finished: 3, succeeded: 3 }, 0, 'wait'],
    ['goes when enough have succeeded', { test: TEST }, { finished: 73, succeeded: 73 }, 0, 'go'],
    [
      'holds when all are through and it is not decided',
      { test: TEST },
      { finished: 100, succeeded: 60 },
      0,
      'hold',
    ],
    [
      'goes then if that is set',
      { test: TEST, undecided: 'continue' as const },
      { finished: 100, succeeded: 60 },
      0,
      'go',
    ],
    [
      'holds when its patience is over',
      { test: TEST, patience: 60 },
      { finished: 9, succeeded: 9 },
      60,
      'hold',
    ],
    ['stops at the limit of failures', { maxFailures: 2 }, { finished: 2, failed: 2 }, 0, 'stop'],
    [
      'stops at the limit of rollback_fail',
      { maxRollbackFailures: 1 },
      { finished: 1, failed: 1, rollbackFailed: 1 },
      0,
      'stop',
    ],
    [
      'without a test goes when all are through',
      { maxFailures: 2 },
      { finished: 100, succeeded: 100 },
      0,
      'go',
    ],
    ['does not count what users refuse', { test: TEST }, { finished: 50 }, 0, 'wait'],
  ])('%s', (_what, settings, fields, age, decision) => {
    expect(judged(settings, fields, age).decision).toBe(decision);
  });

  test.each([
    ['success', 'succeeded'],
    ['rollback_success', 'failed'],
    ['pki_check_fail', 'failed'],
    ['consent_rejected', 'neither'],
    ['cancel', 'neither'],
    ['downloading', 'neither'],
  ])('%s counts as %s', (state, verdict) => {
    expect(verdictOf(state)).toBe(verdict);
  });
});
