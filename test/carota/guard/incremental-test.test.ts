/** The incremental test makes the same decisions as the plain test over the same vehicles. */
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
/** To continue takes so much evidence that a later test may stop sooner. */
const EAGER_TO_STOP = { tolerated: 0.1, intolerable: 0.3, falseStop: 0.2, missedStop: 0.001 };

function plainWalk(settings: TestSettings, number: number, outcomes: readonly Outcome[]) {
  let test = SequentialTest.begin(settings, number);
  for (const outcome of outcomes) {
    if (test.isOver) break;
    test = test.take(outcome);
  }
  return test;
}

/** The situation of the test, to check that the cases cover all of them. */
function situationOf({ finding, mayStopAfter, pessimistic }: SequentialTest): string {
  if (finding !== 'undecided' || mayStopAfter === undefined) return finding;
  return pessimistic.crossed === 'stop' ? 'it may stop' : 'a later one may stop';
}

type Known = Exclude<Outcome, 'undecided'>;
const courseOf = (failures: number) =>
  fc.array(
    fc.oneof(
      { weight: 80 - failures, arbitrary: fc.constant<Known>('succeeded') },
      { weight: failures, arbitrary: fc.constant<Known>('failed') },
      { weight: 8, arbitrary: fc.constant<Known>('withdrawn') },
    ),
    { minLength: 1, maxLength: 120, size: 'max' },
  );
const course = fc.oneof(courseOf(50), courseOf(16), courseOf(2), courseOf(0));

test('both agree after every result, while vehicles are exposed, and from any first vehicle on', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      fc.oneof(fc.constantFrom(...SETTINGS), fc.constant(EAGER_TO_STOP)),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 0, max: 5 }),
      course,
      // How many at the head of the order are slow, and how many more are undecided at most.
      fc.integer({ min: 0, max: 3 }),
      fc.constantFrom(1, 6, 200),
      fc.infiniteStream(fc.nat()),
      (settings, number, from, course, slow, most, picks) => {
        const outcomes: (Outcome | undefined)[] = course.slice(0, from);
        const test = new IncrementalTest(settings, number, outcomes, from);
        const waiting: number[] = [];
        const compare = () => {
          const all = outcomes.slice(from).map((one) => one ?? 'undecided');
          const plain = plainWalk(settings, number, all);
          expect(test.finding).toBe(plain.finding);
          if (plain.finding !== 'undecided') expect(test.vehicles).toBe(plain.vehicles);
          else {
            const { mayStopAfter } = plain;
            expect(test.mayStopAfter).toBe(mayStopAfter && from + mayStopAfter);
          }
          seen.add(situationOf(plain));
        };
        for (let steps = 0; steps < 2 * course.length; steps += 1) {
          const pick = Number(picks.next().value);
          // One more vehicle is exposed, or an exposed vehicle gets its result.
          const mayExpose = outcomes.length < course.length && waiting.length < slow + most;
          if (mayExpose && (waiting.length <= slow || pick % 3 !== 0)) {
            waiting.push(outcomes.push(undefined) - 1);
            test.expose();
            // It continues from its last query, so it is not queried each time.
            if (pick % 2 === 0) compare();
            continue;
          }
          // Mostly in the order of exposure.
          const first = Math.min(slow, Math.max(0, waiting.length - 1));
          const late = pick % 4 === 0 ? pick % Math.max(1, waiting.length - first) : 0;
          const [place] = waiting.splice(first + late, 1);
          const outcome = place === undefined ? undefined : course[place];
          if (place === undefined || !outcome) break;
          outcomes[place] = outcome;
          test.update(place, outcome);
          compare();
        }
      },
    ),
    cases({ quick: 150, full: 2_000 }),
  );
  expect([...seen].sort()).toEqual([
    'a later one may stop',
    'go',
    'it may stop',
    'stop',
    'undecided',
  ]);
});
