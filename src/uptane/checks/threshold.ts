/** Whether enough distinct keys of a role have signed (POUF, section 2). */
import { type Authority } from '../keys/authority.js';
import { type MetadataFile } from '../metadata/metadata-file.js';
import { Refusal } from '../refusal.js';
import { type Rules } from '../rules.js';

/**
 * Maximum number of signatures verified on one file. Each one hashes the whole file, so without a limit a file full of
 * wrong signatures would keep a vehicle busy for minutes.
 */
const MOST_VERIFICATIONS = 1_024;

/**
 * Wrong signatures and those by other keys are ignored; a key counts once, however many signatures it has
 * and under however many ids it is listed.
 *
 * @param check the section that requires it
 * @throws Refusal `signature`
 */
export function checkThreshold(
  { envelope, subject }: Pick<MetadataFile, 'envelope' | 'subject'>,
  { keys, threshold }: Authority,
  check: string,
  rules: Rules,
): void {
  const refuse = (fault: string, expected?: string, found?: string): never => {
    throw new Refusal(subject, { code: 'signature', check, fault, expected, found });
  };
  const ids = new Set(envelope.signatures.map(({ keyId }) => keyId));
  if (rules.repeatedSignatures === 'refuse' && ids.size < envelope.signatures.length) {
    refuse('has several signatures under one key id');
  }
  const signers = new Set<string>();
  let tries = 0;
  for (const { keyId, hex } of envelope.signatures) {
    const key = keys.get(keyId);
    if (key === undefined || signers.has(key.identity)) continue;
    tries += 1;
    if (tries > MOST_VERIFICATIONS) break;
    if (key.verifies(envelope.signedBytes, hex)) signers.add(key.identity);
    if (signers.size >= threshold) return;
  }
  refuse(
    'is not signed by enough keys',
    `valid signatures by ${threshold} of ${keys.size} keys`,
    `valid signatures by ${signers.size}`,
  );
}
