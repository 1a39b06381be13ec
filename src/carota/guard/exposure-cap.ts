/**
 * Limits on the number of exposed vehicles: those without a result, and those after the vehicle that may stop the schedule
 * (contract section 10). Pure.
 */
import { GUARD_DEFAULTS, type GuardSettings } from '../../contract/carota-api/index.js';

/**
 * The cap grows with the evidence: by one for each vehicle of a test that decided "go". In a campaign without problems,
 * exposure therefore about doubles from round to round.
 *
 * @param passed number of vehicles in the tests that decided "go"
 */
export const exposureCapOf = (
  { exposureCap = GUARD_DEFAULTS.exposureCap }: Pick<GuardSettings, 'exposureCap'>,
  passed: number,
): number => exposureCap + passed;

/** Exposure counts of a schedule when another vehicle requests admission. */
export interface Exposed {
  /** Vehicles with a place in the order of exposure. */
  readonly exposed: number;
  /** Those of them without a result. */
  readonly undecided: number;
  /** Place of the earliest vehicle at which a test may stop; undefined: no test can stop yet, or there is no test. */
  readonly stopPlace: number | undefined;
}

/**
 * The cap limits two numbers: the undecided vehicles, and the vehicles exposed after the one at which a test may still stop.
 * While a test waits for one slow vehicle, later vehicles get their results and make room under the first limit; without the
 * second limit, the whole fleet could overtake a test that is going to stop (decision 0076).
 *
 * @returns why no vehicle may be exposed now; undefined: one may
 */
export function exposureRefusal(
  { exposed, undecided, stopPlace = Infinity }: Exposed,
  cap: number,
): string | undefined {
  if (undecided >= cap) return `${cap} vehicles are exposed and undecided`;
  return exposed - stopPlace >= cap
    ? `${exposed - stopPlace} vehicles are exposed after the one at which a test may stop`
    : undefined;
}
