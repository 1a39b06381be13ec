/** How many vehicles may be exposed: without a result, and behind the one that may stop the schedule (contract section 10). Pure. */
import { GUARD_DEFAULTS, type GuardSettings } from '../../contract/carota-api/index.js';

/**
 * The cap grows with the evidence: by one for each vehicle of a test that has decided to go on. A campaign that goes well
 * thus about doubles its exposure from round to round.
 *
 * @param passed vehicles of the tests that have decided to go on
 */
export const exposureCapOf = (
  { exposureCap = GUARD_DEFAULTS.exposureCap }: Pick<GuardSettings, 'exposureCap'>,
  passed: number,
): number => exposureCap + passed;

/** Where a schedule stands when one more vehicle asks to be admitted. */
export interface Exposed {
  /** Vehicles that have a place in the order of exposure. */
  readonly exposed: number;
  /** Of these, without a result. */
  readonly undecided: number;
  /** Place of the vehicle with which a test may stop at the earliest; undefined: none can yet, or there is no test. */
  readonly stopPlace: number | undefined;
}

/**
 * Two limits, both the cap. No more vehicles are undecided. And no more are exposed behind the vehicle with which a test may yet
 * stop: while one waits for a slow vehicle, those behind it come to results and make room under the first limit, so
 * without the second one the whole fleet could pass a test that will stop (decision 0076).
 *
 * @returns why no vehicle may be exposed now; undefined: one may
 */
export function exposureRefusal(
  { exposed, undecided, stopPlace = Infinity }: Exposed,
  cap: number,
): string | undefined {
  if (undecided >= cap) return `${cap} vehicles are exposed and undecided`;
  return exposed - stopPlace >= cap
    ? `${exposed - stopPlace} vehicles are exposed behind the one with which a test may stop`
    : undefined;
}
