/**
 * Wald's sequential probability ratio test (A. Wald, Sequential Tests of Statistical Hypotheses, 1945) of a failure rate, over
 * exposed vehicles in the order of their exposure (contract section 10). Results come in any order, and some come late; the
 * test decides as soon as no result that is still to come could change the decision. Pure. The proof is in decision 0059.
 */
import { type TestSettings } from '../../contract/carota-api/index.js';

/** What the test knows of a vehicle. `withdrawn` says nothing about the update; silence counts as `failed`. */
export type Outcome = 'succeeded' | 'failed' | 'withdrawn' | 'undecided';

export type Finding = 'stop' | 'go' | 'undecided';

/** In units of the log-likelihood ratio of the intolerable rate to the tolerated one. */
export interface Bounds {
  /** The test stops at this evidence or above. */
  readonly stopAt: number;
  /** The test lets the schedule go on at this evidence or below. */
  readonly goAt: number;
}

/**
 * The bounds hold for any rates: under the wrong hypothesis, the likelihood ratio exceeds 1/p with probability at most p
 * (Ville's inequality). Wald's own bounds, (1 - β)/α and β/(1 - α), are slightly tighter but only approximate.
 *
 * One test follows another for as long as vehicles are exposed. The n-th has the share 1 / (n (n + 1)) of the probability of
 * a false stop: the shares of all tests together are 1, however many there are.
 *
 * @param number of the test, from 1
 */
export function boundsOf({ falseStop, missedStop }: TestSettings, number: number): Bounds {
  return {
    stopAt: Math.log(number * (number + 1)) - Math.log(falseStop),
    goAt: Math.log(missedStop),
  };
}

/** The evidence of one vehicle. */
function weightsOf({ tolerated, intolerable }: TestSettings) {
  return {
    failed: Math.log(intolerable / tolerated),
    succeeded: Math.log((1 - intolerable) / (1 - tolerated)),
  };
}

/** Where one of the two paths has come to. */
export interface PathEnd {
  readonly succeeded: number;
  readonly failed: number;
  readonly evidence: number;
  /** The first bound that it has crossed. */
  readonly crossed: Exclude<Finding, 'undecided'> | undefined;
}

export const PATH_START: PathEnd = { succeeded: 0, failed: 0, evidence: 0, crossed: undefined };

/** The path after one more vehicle that counts. A path that has crossed a bound has ended. */
export function extendPath(
  path: PathEnd,
  hasFailed: boolean,
  weights: ReturnType<typeof weightsOf>,
  { stopAt, goAt }: Bounds,
): PathEnd {
  if (path.crossed) return path;
  const succeeded = path.succeeded + Number(!hasFailed);
  const failed = path.failed + Number(hasFailed);
  // Not added up: the same counts must give the same evidence in any order.
  const evidence = failed * weights.failed + succeeded * weights.succeeded;
  const crossed = evidence >= stopAt ? 'stop' : evidence <= goAt ? 'go' : undefined;
  return { succeeded, failed, evidence, crossed };
}

/**
 * The path of a later test, from whichever vehicle its evidence is highest: nobody knows yet where that test begins. As in Page's
 * cumulative sum (E. S. Page, Continuous Inspection Schemes, 1954), the best beginning is behind the last vehicle at which the
 * evidence was not above zero.
 *
 * @param stopAt bound of the first of the later tests; those of all others are higher, so none of them stops sooner
 */
export function extendLater(
  path: PathEnd,
  hasFailed: boolean,
  weights: ReturnType<typeof weightsOf>,
  { stopAt }: Pick<Bounds, 'stopAt'>,
): PathEnd {
  const next = extendPath(path, hasFailed, weights, { stopAt, goAt: 0 });
  return next.crossed === 'go' ? PATH_START : next;
}

/** The rules of one of a schedule's tests. */
export const rulesOf = (settings: TestSettings, number: number) => ({
  weights: weightsOf(settings),
  bounds: boundsOf(settings, number),
  later: boundsOf(settings, number + 1),
});

export type TestRules = ReturnType<typeof rulesOf>;

/** A test after so many vehicles; it does not change. */
export class SequentialTest {
  private constructor(
    private readonly rules: TestRules,
    /** That were taken, those that were withdrawn included. */
    readonly vehicles: number,
    /** Undecided vehicles count as successes. */
    readonly optimistic: PathEnd,
    /** Undecided vehicles count as failures. */
    readonly pessimistic: PathEnd,
    /** Of a test behind this one: behind the vehicle with which this one goes on at the earliest. */
    private readonly later: PathEnd,
    /**
     * The number of vehicles after which this test or a later one may stop at the earliest, whatever the undecided ones come to: where
     * the pessimistic path crosses that bound, or that of a test which begins behind the end of the optimistic one.
     * Undefined: with the vehicles taken so far none can.
     */
    readonly mayStopAfter: number | undefined,
  ) {}

  /** @param number of the test, from 1 */
  static begin(settings: TestSettings, number: number): SequentialTest {
    const rules = rulesOf(settings, number);
    return new SequentialTest(rules, 0, PATH_START, PATH_START, PATH_START, undefined);
  }

  get bounds(): Bounds {
    return this.rules.bounds;
  }

  /**
   * Stop where even the optimistic path comes to that bound first, go where even the pessimistic path comes to that one
   * first: every path that the missing results can make lies between these two.
   */
  get finding(): Finding {
    if (this.optimistic.crossed === 'stop') return 'stop';
    return this.pessimistic.crossed === 'go' ? 'go' : 'undecided';
  }

  /** Whether further vehicles change nothing: it has decided, or both paths have come to their end on different sides. */
  get isOver(): boolean {
    return (
      this.finding !== 'undecided' ||
      (this.optimistic.crossed !== undefined && this.pessimistic.crossed !== undefined)
    );
  }

  /** After one more vehicle, the next one in the order of exposure. */
  take(outcome: Outcome): SequentialTest {
    if (this.isOver) throw new Error('the test is over');
    const vehicles = this.vehicles + 1;
    const { rules, optimistic, pessimistic, later, mayStopAfter } = this;
    if (outcome === 'withdrawn') {
      return new SequentialTest(rules, vehicles, optimistic, pessimistic, later, mayStopAfter);
    }
    const { weights, bounds } = rules;
    const mayFail = outcome !== 'succeeded';
    const worst = extendPath(pessimistic, mayFail, weights, bounds);
    const worstLater =
      optimistic.crossed === 'go' ? extendLater(later, mayFail, weights, rules.later) : later;
    const mayStop = worst.crossed === 'stop' || worstLater.crossed === 'stop';
    return new SequentialTest(
      rules,
      vehicles,
      extendPath(optimistic, outcome === 'failed', weights, bounds),
      worst,
      worstLater,
      mayStopAfter ?? (mayStop ? vehicles : undefined),
    );
  }
}
