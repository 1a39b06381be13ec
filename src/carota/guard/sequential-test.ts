/**
 * Wald's sequential probability ratio test (A. Wald, Sequential Tests of Statistical Hypotheses, 1945) of a failure rate,
 * over exposed vehicles in the order of their exposure (contract section 10). Results arrive in any order, and some arrive
 * late; the test decides as soon as no outstanding result could change the decision. Pure. The proof is in decision 0059.
 */
import { type TestSettings } from '../../contract/carota-api/index.js';

/**
 * The outcome of one vehicle as the test counts it. `withdrawn` carries no information about the update; silence counts as
 * `failed`.
 */
export type Outcome = 'succeeded' | 'failed' | 'withdrawn' | 'undecided';

export type Finding = 'stop' | 'go' | 'undecided';

/** In units of the log-likelihood ratio of the intolerable rate to the tolerated one. */
export interface Bounds {
  /** The test stops when the evidence reaches this bound. */
  readonly stopAt: number;
  /** The test decides "go" when the evidence falls to this bound. */
  readonly goAt: number;
}

/**
 * The bounds hold for any rates: under the wrong hypothesis, the likelihood ratio exceeds 1/p with probability at most p
 * (Ville's inequality). Wald's own bounds, (1 - β)/α and β/(1 - α), are slightly tighter but only approximate.
 *
 * Tests follow one another for as long as vehicles are exposed. The n-th may spend the share 1 / (n (n + 1)) of the false
 * stop probability; the shares of any number of tests sum to at most 1.
 *
 * @param number of the test, from 1
 */
export function boundsOf({ falseStop, missedStop }: TestSettings, number: number): Bounds {
  return {
    stopAt: Math.log(number * (number + 1)) - Math.log(falseStop),
    goAt: Math.log(missedStop),
  };
}

/** The evidence that one vehicle contributes. */
function weightsOf({ tolerated, intolerable }: TestSettings) {
  return {
    failed: Math.log(intolerable / tolerated),
    succeeded: Math.log((1 - intolerable) / (1 - tolerated)),
  };
}

/** The end of one of the two paths. */
export interface PathEnd {
  readonly succeeded: number;
  readonly failed: number;
  readonly evidence: number;
  /** The first bound that the path crossed. */
  readonly crossed: Exclude<Finding, 'undecided'> | undefined;
}

export const PATH_START: PathEnd = { succeeded: 0, failed: 0, evidence: 0, crossed: undefined };

/** The path after one more counted vehicle. A path that has crossed a bound does not continue. */
export function extendPath(
  path: PathEnd,
  hasFailed: boolean,
  weights: ReturnType<typeof weightsOf>,
  { stopAt, goAt }: Bounds,
): PathEnd {
  if (path.crossed) return path;
  const succeeded = path.succeeded + Number(!hasFailed);
  const failed = path.failed + Number(hasFailed);
  // Computed from the counts, not accumulated: the same counts must give the same evidence in any order.
  const evidence = failed * weights.failed + succeeded * weights.succeeded;
  const crossed = evidence >= stopAt ? 'stop' : evidence <= goAt ? 'go' : undefined;
  return { succeeded, failed, evidence, crossed };
}

/**
 * The path of a later test, taken from the starting vehicle that maximizes its evidence, because the start of that test is
 * not known yet. As in Page's cumulative sum (E. S. Page, Continuous Inspection Schemes, 1954), the best start is after the
 * last vehicle at which the evidence was not above zero.
 *
 * @param stopAt bound of the first of the later tests; the bounds of the others are higher, so none of them stops sooner
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

/** A test after a number of vehicles. Immutable. */
export class SequentialTest {
  private constructor(
    private readonly rules: TestRules,
    /** Number of vehicles taken, withdrawn ones included. */
    readonly vehicles: number,
    /** Path with undecided vehicles counted as successes. */
    readonly optimistic: PathEnd,
    /** Path with undecided vehicles counted as failures. */
    readonly pessimistic: PathEnd,
    /** Pessimistic path of a later test, which starts after the vehicle at which this test decides "go" at the earliest. */
    private readonly later: PathEnd,
    /**
     * The smallest number of vehicles after which this test or a later one may stop, for any outcomes of the undecided ones:
     * where the pessimistic path crosses that bound, or where the path of a test that starts after the end of the optimistic
     * path crosses it. Undefined: no test can stop with the vehicles taken so far.
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
   * Stop if even the optimistic path crosses the stop bound first; go if even the pessimistic path crosses the go bound
   * first. Every path that the outstanding results can produce lies between the two.
   */
  get finding(): Finding {
    if (this.optimistic.crossed === 'stop') return 'stop';
    return this.pessimistic.crossed === 'go' ? 'go' : 'undecided';
  }

  /** Whether further vehicles change nothing: the test has decided, or the two paths have crossed different bounds. */
  get isOver(): boolean {
    return (
      this.finding !== 'undecided' ||
      (this.optimistic.crossed !== undefined && this.pessimistic.crossed !== undefined)
    );
  }

  /** The test after the next vehicle in the order of exposure. */
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
