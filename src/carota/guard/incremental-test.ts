/**
 * The sequential test, kept up to date result by result: it decides as `SequentialTest` does over the same vehicles, but walks
 * again only the part of a path that a result has changed. For campaigns that are followed in memory from their first vehicle.
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

/** Outcome of the vehicle at a place of the order of exposure; undefined: undecided. */
export type Outcomes = readonly (Outcome | undefined)[];

type Known = Exclude<Outcome, 'undecided'>;

export class IncrementalTest {
  /** Undecided vehicles count as successes. */
  readonly #optimistic: PathWalk;
  /** Undecided vehicles count as failures. */
  readonly #pessimistic: PathWalk;
  readonly #later: LaterWalk;

  /**
   * @param number of the test, from 1
   * @param outcomes of all vehicles; the caller changes them, and then calls `hear`
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

  /** The vehicle at this place has come to its outcome. */
  hear(place: number, outcome: Known): void {
    if (place < this.from) return;
    this.#optimistic.hear(place, outcome);
    this.#pessimistic.hear(place, outcome);
    this.#later.hear(place, outcome);
  }

  /** One more vehicle was exposed: the outcomes end with it. */
  expose(): void {
    this.#optimistic.extend();
    this.#pessimistic.extend();
  }

  /**
   * The number of vehicles, from the first of the campaign, after which it or a later test may stop at the earliest; undefined: none
   * can yet.
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

  /** That the decision has taken, those that were withdrawn included; without a decision, that were looked at. */
  get vehicles(): number {
    const path = this.finding === 'stop' ? this.#optimistic : this.#pessimistic;
    return path.end - this.from;
  }
}

/** One of the two paths. */
class PathWalk {
  /** Up to `#settled`: these vehicles have outcomes, so this part does not change any more. */
  #prefix: PathEnd = PATH_START;
  /** Place of the first undecided vehicle, or where the path has ended before it. */
  #settled: number;
  #path: PathEnd = PATH_START;
  /** Place behind the last vehicle that the path has taken. */
  end: number;

  constructor(
    private readonly rules: TestRules,
    private readonly outcomes: Outcomes,
    from: number,
    private readonly assumed: Known,
  ) {
    this.#settled = from;
    this.end = from;
    this.#walk();
  }

  get crossed(): PathEnd['crossed'] {
    return this.#path.crossed;
  }

  hear(place: number, outcome: Known): void {
    const isTaken = place < this.end;
    // It has come to what the path assumed, or lies behind the end of the path.
    if (isTaken ? outcome === this.assumed : this.#path.crossed !== undefined) return;
    this.#walk();
  }

  /** Takes the vehicles that were exposed since the last step. */
  extend(): void {
    for (; this.end < this.outcomes.length && !this.crossed; this.end += 1) {
      this.#path = this.#after(this.#path, this.outcomes[this.end] ?? 'undecided');
    }
  }

  #walk(): void {
    const { outcomes } = this;
    let place = this.#settled;
    let path = this.#prefix;
    for (; place < outcomes.length && !path.crossed; place += 1) {
      const outcome = outcomes[place];
      if (outcome === undefined || outcome === 'undecided') break;
      path = this.#after(path, outcome);
    }
    this.#prefix = path;
    this.#settled = place;
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
 * The path of a later test, see `extendLater`. It is walked on as far as somebody asks, and walked again only behind the vehicles
 * whose outcomes are final.
 */
class LaterWalk {
  /** Place of its first vehicle. */
  #from = 0;
  /** Up to `#settled`: these vehicles have outcomes. */
  #prefix: PathEnd = PATH_START;
  #settled = 0;
  #path: PathEnd = PATH_START;
  /** Place behind the last vehicle that the path has taken. */
  #end = 0;

  constructor(
    private readonly rules: TestRules,
    private readonly outcomes: Outcomes,
  ) {}

  hear(place: number, outcome: Known): void {
    // Undecided, it counted as a failure.
    if (outcome === 'failed' || place < this.#from || place >= this.#end) return;
    this.#path = this.#prefix;
    this.#end = this.#settled;
  }

  /**
   * @param from place of the first vehicle that a later test may have
   * @param end place behind the last vehicle to look at
   * @returns the number of vehicles, from the first of the campaign, after which a later test may stop at the earliest
   */
  stopAfter(from: number, end: number): number | undefined {
    if (from !== this.#from) {
      this.#prefix = this.#path = PATH_START;
      this.#from = this.#settled = this.#end = from;
    }
    for (; this.#end < end && !this.#path.crossed; this.#end += 1) {
      const outcome = this.outcomes[this.#end] ?? 'undecided';
      if (outcome !== 'withdrawn') this.#path = this.#after(outcome);
      if (outcome === 'undecided' || this.#settled < this.#end || this.#path.crossed) continue;
      this.#prefix = this.#path;
      this.#settled = this.#end + 1;
    }
    return this.#path.crossed && this.#end <= end ? this.#end : undefined;
  }

  #after(outcome: Outcome): PathEnd {
    const { weights, later } = this.rules;
    return extendLater(this.#path, outcome !== 'succeeded', weights, later);
  }
}
