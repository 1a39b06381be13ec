/** The guard's test in the order of exposure: what part of the results decides is what all of them decide. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  boundsOf,
  type Finding,
  type Outcome,
  SequentialTest,
} from '../../../src/carota/guard/index.js';
import { type TestSettings } from '../../../src/contract/carota-api/index.js';
import { cases } from '../../support/depth.js';

const TEST: TestSettings = {
  tolerated: 0.01,
  intolerable: 0.05,
  falseStop: 0.05,
  missedStop: 0.05,
};
/** Decides after few vehicles, so that everything that is to come can be tried. */
const COARSE: TestSettings = {
  tolerated: 0.2,
  intolerable: 0.7,
  falseStop: 0.2,
  missedStop: 0.2,
};

/** As a test would be written that knows everything: vehicle by vehicle, until a bound is crossed. */
function byAllResults(settings: TestSettings, outcomes: readonly Outcome[]): Finding {
  const { tolerated, intolerable, falseStop, missedStop } = settings;
  let ratio = 1;
  for (const outcome of outcomes) {
    if (outcome === 'failed') ratio *= intolerable / tolerated;
    if (outcome === 'succeeded') ratio *= (1 - intolerable) / (1 - tolerated);
    // The first test has half the probability of a false stop.
    if (ratio >= 2 / falseStop) return 'stop';
    if (ratio <= missedStop) return 'go';
  }
  return 'undecided';
}

function run(settings: TestSettings, outcomes: readonly Outcome[]): SequentialTest {
  let test = SequentialTest.begin(settings, 1);
  for (const outcome of outcomes) {
    if (test.isOver) break;
    test = test.take(outcome);
  }
  return test;
}

/** Everything that the undecided vehicles can still come to. */
function completionsOf(outcomes: readonly Outcome[], options: readonly Outcome[]): Outcome[][] {
  return outcomes.reduce<Outcome[][]>(
    (all, outcome) =>
      all.flatMap((before) =>
        (outcome === 'undecided' ? options : [outcome]).map((next) => [...before, next]),
      ),
    [[]],
  );
}

const outcome = fc.constantFrom<Outcome>('succeeded', 'failed', 'withdrawn', 'undecided');
const known = fc.constantFrom<Outcome>('succeeded', 'failed', 'withdrawn');

describe('a decision on part of the results', () => {
  test('is the one that every completion gives; where they differ, there is none', () => {
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 9 }), (outcomes) => {
        const { finding } = run(COARSE, outcomes);
        const findingsOf = (options: readonly Outcome[]) =>
          new Set(completionsOf(outcomes, options).map((all) => byAllResults(COARSE, all)));
        if (finding === 'undecided') {
          const findings = findingsOf(['succeeded', 'failed']);
          expect(findings.size > 1 || findings.has('undecided')).toBe(true);
        } else {
          expect([...findingsOf(['succeeded', 'failed', 'withdrawn'])]).toEqual([finding]);
        }
      }),
      cases({ quick: 200, full: 3_000 }),
    );
  });

  test('stands, whatever comes after it and in whatever order', () => {
    const settings = fc.constantFrom(TEST, COARSE);
    fc.assert(
      fc.property(
        settings,
        fc.array(known, { maxLength: 120 }),
        fc.infiniteStream(fc.nat()),
        (chosen, outcomes, picks) => {
          const final = byAllResults(chosen, outcomes);
          const heard: Outcome[] = outcomes.map(() => 'undecided');
          const order = outcomes.map((_outcome, place) => place);
          let before: Finding = 'undecided';
          while (order.length > 0) {
            const pick = Number(picks.next().value) % order.length;
            const [place = 0] = order.splice(pick, 1);
            heard[place] = outcomes[place] ?? 'undecided';
            const { finding } = run(chosen, heard);
            if (before !== 'undecided') expect(finding).toBe(before);
            before = finding;
          }
          expect(before).toBe(final);
        },
      ),
      cases({ quick: 60, full: 1_000 }),
    );
  });
});

test('failures that report sooner than successes do not decide', () => {
  const first = Array.from({ length: 60 }, (): Outcome => 'undecided');
  // Vehicles 58 to 60 failed within minutes; the others are still downloading.
  for (const place of [57, 58, 59]) first[place] = 'failed';
  expect(run(TEST, first).finding).toBe('undecided');
  // The same three among the first ten decide without waiting for anyone.
  const early = first.map((_, place): Outcome => (place < 3 ? 'failed' : 'undecided'));
  expect(run(TEST, early).finding).toBe('stop');
});

test('vehicles from which nothing is heard never let a schedule go on', () => {
  const silent = Array.from({ length: 1_000 }, (): Outcome => 'undecided');
  const test = run(TEST, silent);
  expect(test.finding).toBe('undecided');
  // Both paths have ended, so no vehicle behind these is looked at.
  expect(test.isOver).toBe(true);
  expect(test.vehicles).toBeLessThan(100);
});

test('the bounds are those of Wald, and the tests share the probability of a false stop', () => {
  expect(boundsOf(TEST, 1).goAt).toBeCloseTo(Math.log(0.05));
  const shares = Array.from({ length: 10_000 }, (_, n) => Math.exp(-boundsOf(TEST, n + 1).stopAt));
  const all = shares.reduce((sum, share) => sum + share, 0);
  expect(all).toBeLessThanOrEqual(0.05);
  expect(all).toBeGreaterThan(0.0499);
});
