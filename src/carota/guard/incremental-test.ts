/**
 * The sequential test, updated result by result: its decisions equal those of `SequentialTest` over the same vehicles, but
 * only the part of a path that a result changes is computed again. For campaigns that are followed in memory from their
 * first vehicle.
 */
import { type TestSettings } from '../../contract/carota-api/index.js';
import {
  extendLater,
  extendPath,
  type Finding,
  type Outcome,
  PATH_START,
  type PathEnd,
  rulesOf,
  type TestRules,
} from './sequential-test.js';

/** Outcome of the vehicle at a place in the order of exposure; undefined: undecided. */
export type Outcomes = readonly (Outcome | undefined)[];

type FinalOutcome = Exclude<Outcome, 'undecided'>;

export class IncrementalTest {
  /** Path with undecided vehicles counted as successes. */
  readonly #optimistic: PathWalk;
  /** Path with undecided vehicles counted as failures. */
  readonly #pessimistic: PathWalk;
  readonly #later: LaterWalk;

  /**
   * @param number of the test, from 1
   * @param outcomes of all vehicles; the caller changes them, then calls `update`
   * @param from place of the test's first vehicle
   */
  constructor(
    settings: TestSettings,
    number: number,
    outcomes: Outcomes,
    readonly from: number,
  ) {
    const rules = rulesOf(settings, number);
    this.#optimistic = new PathWalk(rules, outcomes, from, 'succeeded');
    this.#pessimistic = new PathWalk(rules, outcomes, from, 'failed');
    this.#later = new LaterWalk(rules, outcomes);
  }

  /** Call after the outcome of the vehicle at this place has become final. */
  update(place: number, outcome: FinalOutcome): void {
    if (place < this.from) return;
    this.#optimistic.update(place, outcome);
    this.#pessimistic.update(place, outcome);
    this.#later.update(place, outcome);
  }

  /** Call after one more vehicle was exposed and appended to the outcomes. */
  expose(): void {
    this.#optimistic.extend();
    this.#pessimistic.extend();
  }

  /**
   * The smallest number of vehicles, counted from the first of the campaign, after which this test or a later one may stop;
   * undefined: none can yet.
   */
  get mayStopAfter(): number | undefined {
    const { crossed, end } = this.#pessimistic;
    const own = crossed === 'stop' ? end : undefined;
    if (this.#optimistic.crossed !== 'go') return own;
    return this.#later.stopAfter(this.#optimistic.end, end) ?? own;
  }

  get finding(): Finding {
    if (this.#optimistic.crossed === 'stop') return 'stop';
    return this.#pessimistic.crossed === 'go' ? 'go' : 'undecided';
  }

  /** Number of vehicles that the decision covers, withdrawn ones included; without a decision, the number examined. */
  get vehicles(): number {
    const path = this.finding === 'stop' ? this.#optimistic : this.#pessimistic;
    return path.end - this.from;
  }
}

/** One of the two paths, optimistic or pessimistic. */
class PathWalk {
  /** The path up to `#prefixEnd`: these vehicles have final outcomes, so this part no longer changes. */
  #prefix: PathEnd = PATH_START;
  /** Place of the first undecided vehicle, or the end of the path if that comes first. */
  #prefixEnd: number;
  #path: PathEnd = PATH_START;
  /** Place after the last vehicle on the path. */
  end: number;

  constructor(
    private readonly rules: TestRules,
    private readonly outcomes: Outcomes,
    from: number,
    private readonly assumed: FinalOutcome,
  ) {
    this.#prefixEnd = from;
    this.end = from;
    this.#walk();
  }

  get crossed(): PathEnd['crossed'] {
    return this.#path.crossed;
  }

  update(place: number, outcome: FinalOutcome): void {
    const isTaken = place < this.end;
    // The outcome equals the path's assumption, or lies after the end of the path.
    if (isTaken ? outcome === this.assumed : this.#path.crossed !== undefined) return;
    this.#walk();
  }

  /** Extends the path by the vehicles exposed since the last step. */
  extend(): void {
    for (; this.end < this.outcomes.length && !this.crossed; this.end += 1) {
      this.#path = this.#after(this.#path, this.outcomes[this.end] ?? 'undecided');
    }
  }

  #walk(): void {
    const { outcomes } = this;
    let place = this.#prefixEnd;
    let path = this.#prefix;
    for (; place < outcomes.length && !path.crossed; place += 1) {
      const outcome = outcomes[place];
      if (outcome === undefined || outcome === 'undecided') break;
      path = this.#after(path, outcome);
    }
    this.#prefix = path;
    this.#prefixEnd = place;
    for (; place < outcomes.length && !path.crossed; place += 1) {
      path = this.#after(path, outcomes[place] ?? 'undecided');
    }
    this.#path = path;
    this.end = place;
  }

  #after(path: PathEnd, outcome: Outcome): PathEnd {
    if (outcome === 'withdrawn') return path;
    const counted = outcome === 'undecided' ? this.assumed : outcome;
    return extendPath(path, counted === 'failed', this.rules.weights, this.rules.bounds);
  }
}

/**
 * The path of a later test, see `extendLater`. It is extended only as far as requested, and only the part after the vehicles
 * with final outcomes is computed again.
 */
class LaterWalk {
  /** Place of the path's first vehicle. */
  #from = 0;
  /** The path up to `#prefixEnd`: these vehicles have final outcomes. */
  #prefix: PathEnd = PATH_START;
  #prefixEnd = 0;
  #path: PathEnd = PATH_START;
  /** Place after the last vehicle on the path. */
  #end = 0;

  constructor(
    private readonly rules: TestRules,
    private readonly outcomes: Outcomes,
  ) {}

  update(place: number, outcome: FinalOutcome): void {
    // While undecided, it was counted as a failure.
    if (outcome === 'failed' || place < this.#from || place >= this.#end) return;
    this.#path = this.#prefix;
    this.#end = this.#prefixEnd;
  }

  /**
   * @param from place of the first vehicle that a later test may include
   * @param end place after the last vehicle to examine
   * @returns the smallest number of vehicles, counted from the first of the campaign, after which a later test may stop
   */
  stopAfter(from: number, end: number): number | undefined {
    if (from !== this.#from) {
      this.#prefix = this.#path = PATH_START;
      this.#from = this.#prefixEnd = this.#end = from;
    }
    for (; this.#end < end && !this.#path.crossed; this.#end += 1) {
      const outcome = this.outcomes[this.#end] ?? 'undecided';
      if (outcome !== 'withdrawn') this.#path = this.#after(outcome);
      if (outcome === 'undecided' || this.#prefixEnd < this.#end || this.#path.crossed) continue;
      this.#prefix = this.#path;
      this.#prefixEnd = this.#end + 1;
    }
    return this.#path.crossed && this.#end <= end ? this.#end : undefined;
  }

  #after(outcome: Outcome): PathEnd {
    const { weights, later } = this.rules;
    return extendLater(this.#path, outcome !== 'succeeded', weights, later);
  }
}
