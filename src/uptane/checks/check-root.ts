/** Uptane, "How to check Root metadata". */
import { createHash } from 'node:crypto';
import { readRoot, type Root } from '../metadata/root.js';
import { Refusal, type Subject } from '../refusal.js';
import { type Rules } from '../rules.js';
import { checkExpiry } from './expiry.js';
import { STANDARD } from './sections.js';
import { checkThreshold } from './threshold.js';

/** Steps 2.3 and 2.4: the next root of the chain. @throws Refusal */
export function checkNextRoot(
  bytes: Uint8Array,
  trusted: Root,
  subject: Subject,
  rules: Rules,
): Root {
  const root = readRoot(bytes, subject, rules);
  checkThreshold(root, trusted.authorities.root, STANDARD.rootSignature, rules);
  checkThreshold(root, root.authorities.root, STANDARD.rootSignature, rules);
  if (root.version !== trusted.version + 1) {
    throw new Refusal(root.subject, {
      code: 'rollback',
      check: STANDARD.rootVersion,
      fault: 'is not the next version',
      expected: `version ${trusted.version + 1}`,
      found: `version ${root.version}`,
    });
  }
  return root;
}

/** Step 3: only the last root of the chain may not have expired. @throws Refusal */
export function checkLastRoot(root: Root, now: Date): void {
  checkExpiry(root, now, STANDARD.rootExpiry);
}

/**
 * Step 4: the timestamp and snapshot keys, as a text. When they change, the stored timestamp and snapshot must be
 * deleted, so that a repository can recover from a fast-forward attack.
 */
export const onlineKeys = ({ authorities: { timestamp, snapshot } }: Root): string =>
  createHash('sha256')
    .update(JSON.stringify([timestamp.identities, snapshot.identities]))
    .digest('hex');
