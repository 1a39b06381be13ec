/** The guard's test in the order of exposure: a decision on partial results equals the one on all results. */
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
/** Decides after few vehicles, so that all completions can be tried. */
const COARSE: TestSettings = {
  tolerated: 0.2,
  intolerable: 0.7,
  falseStop: 0.2,
  missedStop: 0.2,
};

/** The plain test with all results known: vehicle by vehicle, until a bound is crossed. */
function byAllResults(settings: TestSettings, outcomes: readonly Outcome[]): Finding {
  const { tolerated, intolerable, falseStop, missedStop } = settings;
  let ratio = 1;
  for (const outcome of outcomes) {
    if (outcome === 'failed') ratio *= intolerable / tolerated;
    if (outcome === 'succeeded') ratio *= (1 - intolerable) / (1 - tolerated);
    // The first test has half of the false-stop probability.
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

/** All results that the undecided vehicles can still have. */
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
  test('is what every completion gives; if completions differ, there is none', () => {
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

  test('stands, whatever results follow, in any order', () => {
    const settings = fc.constantFrom(TEST, COARSE);
    fc.assert(
      fc.property(
        settings,
        fc.array(known, { maxLength: 120, size: 'max' }),
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
  // The same three failures at the first places decide without waiting for the others.
  const early = first.map((_, place): Outcome => (place < 3 ? 'failed' : 'undecided'));
  expect(run(TEST, early).finding).toBe('stop');
});

test('silent vehicles never let a schedule continue', () => {
  const silent = Array.from({ length: 1_000 }, (): Outcome => 'undecided');
  const test = run(TEST, silent);
  expect(test.finding).toBe('undecided');
  // Both paths have ended, so later vehicles are not considered.
  expect(test.isOver).toBe(true);
  expect(test.vehicles).toBeLessThan(100);
});

test('the bounds are Wald’s, and the tests share the false-stop probability', () => {
  expect(boundsOf(TEST, 1).goAt).toBeCloseTo(Math.log(0.05));
  const shares = Array.from({ length: 10_000 }, (_, n) => Math.exp(-boundsOf(TEST, n + 1).stopAt));
  const all = shares.reduce((sum, share) => sum + share, 0);
  expect(all).toBeLessThanOrEqual(0.05);
  expect(all).toBeGreaterThan(0.0499);
});

describe('the earliest vehicle at which the campaign may stop', () => {
  /** Place, from 1, at which a test stops; each test starts after the vehicle at which the previous one continued. */
  function stopOf(settings: TestSettings, outcomes: readonly Outcome[]): number | undefined {
    let from = 0;
    for (let number = 1; ; number += 1) {
      let test = SequentialTest.begin(settings, number);
      for (const outcome of outcomes.slice(from)) if (!test.isOver) test = test.take(outcome);
      if (test.finding === 'undecided') return undefined;
      from += test.vehicles;
      if (test.finding === 'stop') return from;
    }
  }

  test('is also known for the next test while the first one waits for a slow vehicle', () => {
    const settings = { tolerated: 0.05, intolerable: 0.15, falseStop: 0.05, missedStop: 0.05 };
    const slow = (outcome: Outcome): Outcome[] =>
      Array.from({ length: 88 }, (_, n) =>
        n === 0 ? outcome : n >= 28 && n < 33 ? 'failed' : 'succeeded',
      );
    const waiting = run(settings, slow('undecided'));
    expect(waiting.finding).toBe('undecided');
    // The pessimistic path of the first test does not reach that bound.
    expect(waiting.pessimistic.crossed).toBeUndefined();
    expect(stopOf(settings, slow('succeeded'))).toBe(33);
    expect(waiting.mayStopAfter).toBe(33);
  });

  test('is never after one at which it stops, whatever the undecided vehicles report', () => {
    const settings = [
      COARSE,
      { tolerated: 0.3, intolerable: 0.6, falseStop: 0.5, missedStop: 0.5 },
      { tolerated: 0.2, intolerable: 0.4, falseStop: 0.6, missedStop: 0.8 },
    ];
    let later = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...settings),
        fc.array(outcome, { maxLength: 16, size: 'max' }),
        (chosen, outcomes) => {
          const before = run(chosen, outcomes);
          if (before.finding !== 'undecided') return;
          const options: readonly Outcome[] = ['succeeded', 'failed'];
          // The first six undecided ones get each result; the others are withdrawn.
          let left = 6;
          const some = outcomes.map((one) =>
            one === 'undecided' && --left < 0 ? 'withdrawn' : one,
          );
          const may = before.mayStopAfter ?? Infinity;
          for (const all of completionsOf(some, options)) {
            const stop = stopOf(chosen, all);
            if (stop === undefined) continue;
            expect(stop).toBeGreaterThanOrEqual(may);
            if (run(chosen, all).finding === 'go') later += 1;
          }
        },
      ),
      cases({ quick: 300, full: 3_000 }),
    );
    expect(later).toBeGreaterThan(0);
  });
});
