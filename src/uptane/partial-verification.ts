/**
 * Uptane, "Partial verification": the minimum for a Secondary, using only the Director's root and targets. The party that
 * delivers the files need not be trusted.
 */
import { checkLastRoot, checkNextRoot } from './checks/check-root.js';
import { checkLength } from './checks/length.js';
import { checkTargets } from './checks/check-targets.js';
import { STANDARD } from './checks/sections.js';
import { checkThreshold } from './checks/threshold.js';
import {
  type Assignment,
  checkDirectorTargetsForEcu,
  type Ecu,
} from './director/check-director-targets.js';
import { checkFit, checkHashAlgorithms } from './director/compare.js';
import { type InstalledImage } from './director/installed-image.js';
import { type Authority } from './keys/authority.js';
import { LIMITS } from './limits.js';
import { readRoot } from './metadata/root.js';
import { readTargets, type Targets } from './metadata/targets.js';
import { Refusal } from './refusal.js';
import { DIRECTOR } from './rules.js';

export interface PartialVerification {
  readonly ecu: Ecu;
  /** The ECU's trusted Director root. */
  readonly root: Uint8Array;
  /** Subsequent roots in order, through which a rotated targets key arrives. */
  readonly newRoots: readonly Uint8Array[];
  /** The previously trusted Director targets. */
  readonly previousTargets: Uint8Array | undefined;
  /** The new Director targets. */
  readonly targets: Uint8Array;
  readonly installed: InstalledImage | undefined;
  /** Trusted time, not from the Primary. */
  readonly now: Date;
}

export interface PartiallyVerified {
  /** The root to trust from now on. */
  readonly root: Uint8Array;
  /** `undefined`: nothing to do for this ECU. */
  readonly assignment: Assignment | undefined;
}

const subject = (role: string) => ({ repository: 'director', role });

/** @throws Refusal */
export function verifyPartially(verification: PartialVerification): PartiallyVerified {
  const { ecu, newRoots, previousTargets, targets, installed, now } = verification;
  for (const bytes of newRoots) checkLength(bytes, LIMITS.root, subject('root'));
  checkLength(targets, LIMITS.targets, subject('targets'));
  let root = readRoot(verification.root, subject('root'), DIRECTOR);
  for (const bytes of newRoots) root = checkNextRoot(bytes, root, subject('root'), DIRECTOR);
  checkLastRoot(root, now);
  const checked = checkTargets(targets, {
    authority: root.authorities.targets,
    // Without a snapshot, only the previous version protects against rollback.
    listed: undefined,
    previous: previousTargets && signedBy(root.authorities.targets, previousTargets),
    now,
    subject: subject('targets'),
    rules: DIRECTOR,
  });
  const [assignment] = checkDirectorTargetsForEcu(checked, ecu);
  if (assignment) {
    const image = { repository: 'director', role: assignment.target.path };
    checkHashAlgorithms(assignment.target, image);
    checkFit(assignment, installed, image);
  }
  return { root: root.bytes, assignment };
}

/**
 * Stored targets not signed by the keys of the new root do not count: this is how the ECU recovers after a thief has
 * signed a version far ahead and the key was replaced ("How to check Root metadata", step 4, does the same for the
 * roles that a Secondary does not have). The same holds for a file corrupted on disk.
 */
function signedBy(authority: Authority, bytes: Uint8Array): Targets | undefined {
  try {
    const targets = readTargets(bytes, subject('targets'), DIRECTOR);
    checkThreshold(targets, authority, STANDARD.targetsSignature, DIRECTOR);
    return targets;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
