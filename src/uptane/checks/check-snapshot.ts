/** Uptane, "How to check Snapshot metadata". */
import { type Root } from '../metadata/root.js';
import { readSnapshot, type Snapshot } from '../metadata/snapshot.js';
import { type Timestamp } from '../metadata/timestamp.js';
import { Refusal, type Subject } from '../refusal.js';
import { type Rules } from '../rules.js';
import { checkExpiry } from './expiry.js';
import { checkListedBytes, checkListedVersion } from './listed.js';
import { STANDARD } from './sections.js';
import { checkThreshold } from './threshold.js';
import { checkNotOlder } from './version.js';

export interface SnapshotCheck {
  readonly root: Root;
  readonly timestamp: Timestamp;
  /** The stored snapshot. */
  readonly previous: Snapshot | undefined;
  /** Trusted time. */
  readonly now: Date;
  readonly subject: Subject;
  readonly rules: Rules;
}

/** @throws Refusal */
export function checkSnapshot(bytes: Uint8Array, check: SnapshotCheck): Snapshot {
  const { root, timestamp, previous, now, subject, rules } = check;
  checkListedBytes(bytes, timestamp.snapshot, subject, STANDARD.snapshotPinned);
  const snapshot = readSnapshot(bytes, subject, rules);
  checkListedVersion(snapshot, timestamp.snapshot, STANDARD.snapshotPinned);
  checkThreshold(snapshot, root.authorities.snapshot, STANDARD.snapshotSignature, rules);
  checkNotOlder(snapshot, previous, STANDARD.snapshotVersion);
  if (previous) checkListedFiles(snapshot, previous);
  checkExpiry(snapshot, now, STANDARD.snapshotExpiry);
  return snapshot;
}

/** Steps 5 and 6. */
function checkListedFiles(snapshot: Snapshot, previous: Snapshot): void {
  const refuse = (check: string, fault: string, expected: string, found: string): never => {
    throw new Refusal(snapshot.subject, { code: 'rollback', check, fault, expected, found });
  };
  for (const [name, { version }] of previous.files) {
    const now = snapshot.files.get(name);
    if (now === undefined) {
      return refuse(
        STANDARD.snapshotListedFiles,
        'no longer lists a file',
        `${name} version ${version}`,
        'nothing',
      );
    }
    if (now.version < version) {
      refuse(
        STANDARD.snapshotListedVersions,
        'lists an older file than the trusted one',
        `${name} version ${version}`,
        `version ${now.version}`,
      );
    }
  }
}
