/** How far a bad update comes before it is stopped: the guard's test, and beside it a fixed percentage. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { figuresOf, findingOf } from '../carota/guard/index.js';
import { type TestSettings } from '../contract/carota-api/index.js';
import { median } from './report.js';

export const GUARD_TEST: TestSettings = {
  tolerated: 0.01,
  intolerable: 0.05,
  falseStop: 0.05,
  missedStop: 0.05,
};
/** A rule as other systems have it: stopped when so many have failed, of at least so many that have finished. */
export const FIXED_SHARE = 0.03;

const RUNS = 4_000;
/** Nobody is left after so many vehicles. */
const FLEET = 10_000;

interface Run {
  readonly stopped: boolean;
  /** That finished before it was decided. */
  readonly vehicles: number;
}

type Rule = (succeeded: number, failed: number) => 'stop' | 'go' | 'undecided';

const sequential: Rule = (succeeded, failed) => findingOf(figuresOf(GUARD_TEST, succeeded, failed));

const fixed =
  (least: number): Rule =>
  (succeeded, failed) => {
    const finished = succeeded + failed;
    return finished >= least && failed / finished >= FIXED_SHARE ? 'stop' : 'undecided';
  };

/** Vehicle after vehicle fails at a rate. The same seed for every rule: they see the same vehicles. */
function simulate(rule: Rule, rate: number): Run[] {
  const generator = xoroshiro128plus(20_261_125);
  return Array.from({ length: RUNS }, () => {
    let [succeeded, failed] = [0, 0];
    while (succeeded + failed < FLEET) {
      if (uniformFloat64(generator) < rate) failed += 1;
      else succeeded += 1;
      const finding = rule(succeeded, failed);
      if (finding !== 'undecided')
        return { stopped: finding === 'stop', vehicles: succeeded + failed };
    }
    return { stopped: false, vehicles: FLEET };
  });
}

const stops = (runs: readonly Run[]) => runs.filter(({ stopped }) => stopped).length / runs.length;
const reached = (runs: readonly Run[]) => median(runs.map(({ vehicles }) => vehicles));

export interface GuardFigures {
  readonly falseStops: number;
  readonly missedStops: number;
  /** The smallest number of finished vehicles with which the fixed rule stops falsely as seldom. */
  readonly fixedLeast: number;
  readonly fixedFalseStops: number;
  /** Vehicles that an update with this failure rate reaches, by each rule; medians. */
  readonly reached: readonly {
    readonly rate: number;
    readonly test: number;
    readonly fixed: number;
  }[];
}

export function guardFigures(): GuardFigures {
  const { tolerated, intolerable, falseStop } = GUARD_TEST;
  let fixedLeast = 50;
  while (stops(simulate(fixed(fixedLeast), tolerated)) > falseStop) fixedLeast += 50;
  return {
    falseStops: stops(simulate(sequential, tolerated)),
    missedStops: 1 - stops(simulate(sequential, intolerable)),
    fixedLeast,
    fixedFalseStops: stops(simulate(fixed(fixedLeast), tolerated)),
    reached: [intolerable, 0.1, 0.2, 0.5].map((rate) => ({
      rate,
      test: reached(simulate(sequential, rate)),
      fixed: reached(simulate(fixed(fixedLeast), rate)),
    })),
  };
}
