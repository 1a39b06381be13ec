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
  readonly #rules: TestRules;
  readonly #outcomes: Outcomes;
  /** Undecided vehicles count as successes. */
  readonly #optimistic: PathWalk;
  /** Undecided vehicles count as failures. */
  readonly #pessimistic: PathWalk;

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
    this.#rules = rules;
    this.#outcomes = outcomes;
    this.#optimistic = new PathWalk(rules, outcomes, from, 'succeeded');
    this.#pessimistic = new PathWalk(rules, outcomes, from, 'failed');
  }

  /** The vehicle at this place has come to its outcome. */
  hear(place: number, outcome: Known): void {
    if (place < this.from) return;
    this.#optimistic.hear(place, outcome);
    this.#pessimistic.hear(place, outcome);
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
    return this.#optimistic.crossed === 'go' ? (this.#laterMayStopAfter(end) ?? own) : own;
  }

  /** @param end place behind the last vehicle to look at */
  #laterMayStopAfter(end: number): number | undefined {
    const { weights, later } = this.#rules;
    let path = PATH_START;
    for (let place = this.#optimistic.end; place < end; place += 1) {
      const outcome = this.#outcomes[place];
      if (outcome === 'withdrawn') continue;
      path = extendLater(path, outcome !== 'succeeded', weights, later);
      if (path.crossed) return place + 1;
    }
    return undefined;
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
