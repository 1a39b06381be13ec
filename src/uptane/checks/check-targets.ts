/** Uptane, "How to check Targets metadata", steps 1 to 5, for all targets roles of both repositories. */
import { type Authority } from '../keys/authority.js';
import { type ListedFile } from '../metadata/listed-file.js';
import { readTargets, type Targets } from '../metadata/targets.js';
import { type Subject } from '../refusal.js';
import { type Rules } from '../rules.js';
import { checkExpiry } from './expiry.js';
import { checkListedBytes, checkListedVersion } from './listed.js';
import { STANDARD } from './sections.js';
import { checkThreshold } from './threshold.js';
import { checkNotOlder } from './version.js';

export interface TargetsCheck {
  /** From root for the top-level role, otherwise from the delegation through which the role was reached. */
  readonly authority: Authority;
  /** Its entry in the snapshot; `undefined` in partial verification. */
  readonly listed: ListedFile | undefined;
  /** The stored file, if no snapshot protects its version. */
  readonly previous?: Targets | undefined;
  /** Trusted time. */
  readonly now: Date;
  readonly subject: Subject;
  readonly rules: Rules;
}

/** @throws Refusal */
export function checkTargets(bytes: Uint8Array, check: TargetsCheck): Targets {
  const { authority, listed, previous, now, subject, rules } = check;
  if (listed) checkListedBytes(bytes, listed, subject, STANDARD.targetsPinned);
  const targets = readTargets(bytes, subject, rules);
  if (listed) checkListedVersion(targets, listed, STANDARD.targetsPinned);
  checkThreshold(targets, authority, STANDARD.targetsSignature, rules);
  checkNotOlder(targets, previous, STANDARD.targetsVersion);
  checkExpiry(targets, now, STANDARD.targetsExpiry);
  return targets;
}
