/** How many vehicles may be exposed without a result (contract section 10). Pure. */
import { type GuardSettings } from '../../contract/carota-api/index.js';

export const DEFAULT_EXPOSURE_CAP = 100;

/**
 * The cap grows with the evidence: by one for each vehicle of a test that has decided to go on. A campaign that goes well
 * thus about doubles its exposure from round to round.
 *
 * @param passed vehicles of the tests that have decided to go on
 */
export const exposureCapOf = (
  { exposureCap = DEFAULT_EXPOSURE_CAP }: Pick<GuardSettings, 'exposureCap'>,
  passed: number,
): number => exposureCap + passed;
