/** Uptane, "Full verification", step 10: whether both repositories agree on an image, and it suits the ECU. */
import { STANDARD } from '../checks/sections.js';
import { type FoundImage } from '../delegations/find-image.js';
import { isKnownAlgorithm } from '../metadata/hashes.js';
import { isSameFile, matchText, type Target } from '../metadata/target.js';
import { Refusal, type RefusalReason, type Subject } from '../refusal.js';
import { type Assignment } from './check-director-targets.js';
import { type InstalledImage } from './installed-image.js';

/** @throws Refusal */
export function checkImage(
  assignment: Assignment,
  found: FoundImage | undefined,
  installed: InstalledImage | undefined,
  repositories: { readonly director: string; readonly image: string },
): void {
  const { target, hardwareId } = assignment;
  const ordered: Subject = { repository: repositories.director, role: target.path };
  const refuse = (subject: Subject, reason: RefusalReason): never => {
    throw new Refusal(subject, reason);
  };
  if (found === undefined) {
    return refuse(
      { repository: repositories.image, role: target.path },
      {
        code: 'no-image',
        check: STANDARD.imageFound,
        fault: `no role lists this image for hardware ${hardwareId}`,
      },
    );
  }
  const listed: Subject = {
    repository: repositories.image,
    role: `${target.path} of ${found.role}`,
  };
  checkHashAlgorithms(target, ordered);
  checkHashAlgorithms(found.target, listed);
  if (!isSameFile(target, found.target)) {
    refuse(listed, {
      code: 'mismatch',
      check: STANDARD.sameNonCustom,
      fault: 'the repositories differ in length or hashes',
      expected: fileText(target),
      found: fileText(found.target),
    });
  }
  if (matchText(target) !== matchText(found.target)) {
    refuse(listed, {
      code: 'mismatch',
      check: STANDARD.sameCustom,
      fault: 'the repositories differ in custom.match',
      expected: matchText(target),
      found: matchText(found.target),
    });
  }
  checkFit(assignment, installed, ordered);
}

/** Hardware and release counter, which an ECU also checks itself. @throws Refusal */
export function checkFit(
  { ecuId, hardwareId, match }: Assignment,
  installed: InstalledImage | undefined,
  subject: Subject,
): void {
  if (!match.hardwareIds.includes(hardwareId)) {
    throw new Refusal(subject, {
      code: 'hardware-id',
      check: STANDARD.imageHardware,
      fault: `is not for the hardware of the ECU ${ecuId}`,
      expected: hardwareId,
      found: match.hardwareIds.join(', '),
    });
  }
  if (installed && match.releaseCounter < installed.releaseCounter) {
    throw new Refusal(subject, {
      code: 'release-counter',
      check: STANDARD.releaseCounter,
      fault: `is older than the image of the ECU ${ecuId}`,
      expected: `a release counter of at least ${installed.releaseCounter}`,
      found: String(match.releaseCounter),
    });
  }
}

/** Every listed hash must match, so images with a hash that cannot be computed are rejected. */
export function checkHashAlgorithms({ hashes }: Target, subject: Subject): void {
  const unknown = [...hashes.keys()].find((algorithm) => !isKnownAlgorithm(algorithm));
  if (unknown === undefined) return;
  throw new Refusal(subject, {
    code: 'hash',
    check: STANDARD.imageHashes,
    fault: 'lists a hash of an unknown algorithm',
    expected: 'sha256 or sha512',
    found: unknown,
  });
}

const fileText = ({ length, hashes }: Target) =>
  `${length} bytes, ${[...hashes].map((hash) => hash.join(' ')).join(', ')}`;
