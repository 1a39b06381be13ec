/** Whether and when a failed vehicle is retried (decision 0065). Pure. */
import { type RetryRule } from '../../contract/carota-api/index.js';

/** A vehicle and its latest report. */
export interface FailedVehicle {
  readonly state: string;
  /** As the vehicle states it. */
  readonly reason: string | null;
  /** Number of retries so far. */
  readonly tries: number;
}

/** The first rule of the plan that matches this failure. */
const ruleFor = (rules: readonly RetryRule[], { state, reason }: FailedVehicle) =>
  rules.find(
    (rule) =>
      rule.state === state &&
      (rule.reason === undefined || matchesPattern(rule.reason, reason ?? '')),
  );

/**
 * @param before when the vehicle was due to be retried before this report, ms
 * @param receivedAt ms
 * @returns when it is retried, ms; undefined: not at all
 */
export function retryAt(
  rules: readonly RetryRule[],
  vehicle: FailedVehicle,
  before: number | undefined,
  receivedAt: number,
): number | undefined {
  const rule = ruleFor(rules, vehicle);
  if (rule) return vehicle.tries < rule.times ? receivedAt + rule.after * 1000 : undefined;
  // The rollback that follows a failure is part of it, not another failure: the retry stands.
  return vehicle.state === 'rollback_success' ? before : undefined;
}

/** States of a new attempt in which nothing is installed yet that could be rolled back. */
const NOTHING_INSTALLED: ReadonlySet<string> = new Set(['waiting', 'received', 'consent_accepted']);

/**
 * Whether a report belongs to the failure that was retried rather than to the new attempt: the rollback took longer than the
 * pause before the retry.
 *
 * @param vehicle before the report
 */
export const isOfEarlierAttempt = (
  report: string,
  { state, tries }: Pick<FailedVehicle, 'state' | 'tries'>,
): boolean => report === 'rollback_success' && tries > 0 && NOTHING_INSTALLED.has(state);

/**
 * Whether a text matches a pattern in which `*` stands for any number of characters and `?` for one, ignoring case. The time
 * is bounded by the product of both lengths for any pattern.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  const wanted = Array.from(pattern.toLowerCase());
  const given = Array.from(text.toLowerCase());
  let [place, at] = [0, 0];
  // The last `*`, and how many characters of the text it matches.
  let [star, taken] = [-1, 0];
  while (at < given.length) {
    if (wanted[place] === '*') {
      [star, taken] = [place, at];
      place += 1;
    } else if (wanted[place] === '?' || wanted[place] === given[at]) {
      place += 1;
      at += 1;
    } else if (star >= 0) {
      taken += 1;
      [place, at] = [star + 1, taken];
    } else return false;
  }
  return wanted.slice(place).every((character) => character === '*');
}
