/** How many vehicles may be exposed without a result (contract section 10). Pure. */
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
