/** Whether a failed vehicle is tried again, and when (decision 0065). Pure. */
import { type RetryRule } from '../../contract/carota-api/index.js';

/** A vehicle that has just reported. */
export interface FailedVehicle {
  readonly state: string;
  /** In the vehicle's words. */
  readonly reason: string | null;
  /** How often it has been tried again already. */
  readonly tries: number;
}

/** The first rule for this failure, in the order of the plan. */
const ruleFor = (rules: readonly RetryRule[], { state, reason }: FailedVehicle) =>
  rules.find(
    (rule) =>
      rule.state === state &&
      (rule.reason === undefined || matchesPattern(rule.reason, reason ?? '')),
  );

/**
 * @param before when it was to be tried again before this report, ms
 * @param receivedAt ms
 * @returns when it is tried again, ms; undefined: it is not
 */
export function retryAt(
  rules: readonly RetryRule[],
  vehicle: FailedVehicle,
  before: number | undefined,
  receivedAt: number,
): number | undefined {
  const rule = ruleFor(rules, vehicle);
  if (rule) return vehicle.tries < rule.times ? receivedAt + rule.after * 1000 : undefined;
  // The end of the failure that is to be tried again, not another one.
  return vehicle.state === 'rollback_success' ? before : undefined;
}

/** States of a new attempt in which there is nothing yet that could be rolled back. */
const NOTHING_INSTALLED: ReadonlySet<string> = new Set(['waiting', 'received', 'consent_accepted']);

/**
 * Whether a report is the end of the failure that was retried, and no result of the new attempt: the rollback took longer than
 * the pause before the retry.
 *
 * @param vehicle before the report
 */
export const isOfEarlierAttempt = (
  report: string,
  { state, tries }: Pick<FailedVehicle, 'state' | 'tries'>,
): boolean => report === 'rollback_success' && tries > 0 && NOTHING_INSTALLED.has(state);

/**
 * Whether a text matches a pattern in which `*` is any number of characters and `?` is one; case does not matter. Its time is
 * bounded by the product of both lengths, whatever the pattern.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  const wanted = Array.from(pattern.toLowerCase());
  const given = Array.from(text.toLowerCase());
  let [place, at] = [0, 0];
  // The last `*`, and how much of the text it has taken.
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
