/** A vehicle's checks of a signed time. If they succeed, the time is at least this one. */
import { checkThreshold } from '../checks/threshold.js';
import { POUF } from '../checks/sections.js';
import { type Authority } from '../keys/authority.js';
import { Refusal } from '../refusal.js';
import { IMAGE_REPOSITORY } from '../rules.js';
import { readSignedTime } from './signed-time.js';

/**
 * @param authority the time keys from provisioning
 * @param nonce sent by the requesting ECU
 * @throws Refusal `malformed`, `length`, `signature`; `freeze` if the nonce is missing from the answer (a replay)
 */
export function checkSignedTime(bytes: Uint8Array, authority: Authority, nonce: string): Date {
  const file = readSignedTime(bytes);
  checkThreshold(file, authority, POUF.time, IMAGE_REPOSITORY);
  if (!file.nonces.includes(nonce)) {
    throw new Refusal(file.subject, {
      code: 'freeze',
      check: POUF.time,
      fault: 'does not answer this request',
      expected: `the nonce ${nonce}`,
      found: file.nonces.slice(0, 3).join(', '),
    });
  }
  return file.time;
}
