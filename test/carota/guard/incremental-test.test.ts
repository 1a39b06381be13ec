/** The test that is kept up to date result by result decides as the plain walk over the same vehicles does. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IncrementalTest, type Outcome, SequentialTest } from '../../../src/carota/guard/index.js';
import { type TestSettings } from '../../../src/contract/carota-api/index.js';
import { cases } from '../../support/depth.js';

const SETTINGS: readonly TestSettings[] = [
  { tolerated: 0.2, intolerable: 0.7, falseStop: 0.2, missedStop: 0.2 },
  { tolerated: 0.01, intolerable: 0.05, falseStop: 0.05, missedStop: 0.05 },
  { tolerated: 0.001, intolerable: 0.01, falseStop: 0.05, missedStop: 0.3 },
];

function plainWalk(settings: TestSettings, number: number, outcomes: readonly Outcome[]) {
  let test = SequentialTest.begin(settings, number);
  for (const outcome of outcomes) {
    if (test.isOver) break;
    test = test.take(outcome);
  }
  return test;
}

type Known = Exclude<Outcome, 'undecided'>;
const known = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Known>('succeeded') },
  { weight: 2, arbitrary: fc.constant<Known>('failed') },
  { weight: 1, arbitrary: fc.constant<Known>('withdrawn') },
);

test('after every result, for vehicles that are exposed meanwhile, and behind a first vehicle', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      fc.constantFrom(...SETTINGS),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 0, max: 5 }),
      fc.array(known, { minLength: 1, maxLength: 200 }),
      fc.infiniteStream(fc.nat()),
      (settings, number, from, course, picks) => {
        const outcomes: (Outcome | undefined)[] = course.slice(0, from);
        const test = new IncrementalTest(settings, number, outcomes, from);
        const waiting: number[] = [];
        for (let steps = 0; steps < 2 * course.length; steps += 1) {
          const pick = Number(picks.next().value);
          // One more vehicle is exposed, or one of the exposed vehicles comes to its result.
          if (outcomes.length < course.length && (waiting.length === 0 || pick % 3 !== 0)) {
            waiting.push(outcomes.push(undefined) - 1);
            test.expose();
            continue;
          }
          const [place] = waiting.splice(pick % Math.max(1, waiting.length), 1);
          const outcome = place === undefined ? undefined : course[place];
          if (place === undefined || !outcome) break;
          outcomes[place] = outcome;
          test.hear(place, outcome);
          const all = outcomes.slice(from).map((one) => one ?? 'undecided');
          const plain = plainWalk(settings, number, all);
          expect(test.finding).toBe(plain.finding);
          if (plain.finding === 'undecided' && plain.mayStopAfter !== undefined) {
            expect(test.mayStopAfter).toBe(from + plain.mayStopAfter);
          } else if (plain.finding === 'undecided') expect(test.mayStopAfter).toBeUndefined();
          if (plain.finding !== 'undecided') expect(test.vehicles).toBe(plain.vehicles);
          seen.add(plain.finding);
        }
      },
    ),
    cases({ quick: 150, full: 3_000 }),
  );
  expect([...seen].sort()).toEqual(['go', 'stop', 'undecided']);
});
