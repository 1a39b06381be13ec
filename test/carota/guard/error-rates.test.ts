/** Error rates of the guard's tests, by simulation with results in any order. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, test } from 'vitest';
import { type Finding, type Outcome, SequentialTest } from '../../../src/carota/guard/index.js';
import { type TestSettings } from '../../../src/contract/carota-api/index.js';
import { byDepth, sampleOf, seed } from '../../support/depth.js';
import { must } from '../../uptane/support/must.js';

// With fewer runs, the test would sometimes fail at random.
const RUNS = byDepth({ quick: 800, full: 2_000 });
/** Vehicles that are exposed at the same time. */
const CAP = 100;
const FLEET = 800;

interface Delays {
  /** Mean delay, in any unit. */
  readonly success: number;
  readonly failure: number;
}

interface Result {
  readonly at: number;
  readonly place: number;
  readonly failed: boolean;
}

/** Index of the first result before this time, in a list whose last item is the next result. */
function earlierThan(at: number, results: readonly Result[]): number {
  let [from, to] = [0, results.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (must(results[middle]).at < at) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** One schedule in virtual time: vehicles are exposed as others get results, until the first test has decided. */
function schedule(settings: TestSettings, rate: number, delays: Delays, random: () => number) {
  const outcomes: Outcome[] = [];
  /** The next result is the last item. */
  const results: Result[] = [];
  const finder = new Finder(settings, outcomes);
  let now = 0;
  const expose = () => {
    const failed = random() < rate;
    const mean = failed ? delays.failure : delays.success;
    const at = now - mean * Math.log(1 - random());
    results.splice(earlierThan(at, results), 0, { at, place: outcomes.length, failed });
    outcomes.push('undecided');
  };
  while (outcomes.length < CAP) expose();
  for (;;) {
    const next = results.pop();
    if (!next) return 'undecided';
    now = next.at;
    outcomes[next.place] = next.failed ? 'failed' : 'succeeded';
    const finding = finder.findingFrom(next.place);
    if (finding !== 'undecided') return finding;
    if (outcomes.length < FLEET) expose();
  }
}

/** The finding on all outcomes, without repeating the unchanged part. */
class Finder {
  readonly #outcomes: readonly Outcome[];
  /** The test before each outcome. */
  readonly #tests: SequentialTest[];
  /** Up to this place, the tests match the current outcomes. */
  #valid = 0;

  constructor(settings: TestSettings, outcomes: readonly Outcome[]) {
    this.#outcomes = outcomes;
    this.#tests = [SequentialTest.begin(settings, 1)];
  }

  /** @param place where an outcome has changed; new ones may have been added at the end */
  findingFrom(place: number): Finding {
    let at = Math.min(place, this.#valid);
    let test = must(this.#tests[at]);
    for (; at < this.#outcomes.length && !test.isOver; at += 1) {
      test = test.take(must(this.#outcomes[at]));
      this.#tests[at + 1] = test;
    }
    this.#valid = at;
    return test.finding;
  }
}

function sharesOf(settings: TestSettings, rate: number, delays: Delays): Record<Finding, number> {
  const generator = xoroshiro128plus(seed);
  const random = () => uniformFloat64(generator);
  const shares = { stop: 0, go: 0, undecided: 0 };
  for (let run = 0; run < RUNS; run += 1) {
    shares[schedule(settings, rate, delays, random)] += 1 / RUNS;
  }
  return shares;
}

/** Four standard deviations of a share at its bound. */
const tolerance = (bound: number) => 4 * Math.sqrt((bound * (1 - bound)) / RUNS);

const SETTINGS: readonly TestSettings[] = [
  { tolerated: 0.02, intolerable: 0.1, falseStop: 0.1, missedStop: 0.05 },
  { tolerated: 0.05, intolerable: 0.2, falseStop: 0.1, missedStop: 0.01 },
];

const DELAYS: readonly (readonly [what: string, delays: Delays])[] = [
  ['failures come a hundred times sooner', { success: 100, failure: 1 }],
  ['failures come a hundred times later', { success: 1, failure: 100 }],
  ['both take as long', { success: 1, failure: 1 }],
];

describe.each(sampleOf(SETTINGS, 2))('a test of %o', (settings) => {
  test.each(sampleOf(DELAYS, 3))('%s', (_what, delays) => {
    const { stop: falseStops } = sharesOf(settings, settings.tolerated, delays);
    // The first test has half of the false-stop probability, all later tests the other half.
    const bound = settings.falseStop / 2;
    expect(falseStops).toBeLessThan(bound + tolerance(bound));
    const { stop, go: missed } = sharesOf(settings, settings.intolerable, delays);
    expect(missed).toBeLessThan(settings.missedStop + tolerance(settings.missedStop));
    // The test does decide.
    expect(stop).toBeGreaterThan(0.9);
  });
});
