/** Uptane, "How to check Timestamp metadata". */
import { type Root } from '../metadata/root.js';
import { readTimestamp, type Timestamp } from '../metadata/timestamp.js';
import { Refusal, type Subject } from '../refusal.js';
import { type Rules } from '../rules.js';
import { checkExpiry } from './expiry.js';
import { STANDARD } from './sections.js';
import { checkThreshold } from './threshold.js';
import { checkNotOlder } from './version.js';

export interface TimestampCheck {
  readonly root: Root;
  /** The stored timestamp. */
  readonly previous: Timestamp | undefined;
  /** Trusted time. */
  readonly now: Date;
  readonly subject: Subject;
  readonly rules: Rules;
}

/** @returns the timestamp valid from now on. @throws Refusal */
export function checkTimestamp(bytes: Uint8Array, check: TimestampCheck): Timestamp {
  const { root, previous, now, subject, rules } = check;
  const timestamp = readTimestamp(bytes, subject, rules);
  checkThreshold(timestamp, root.authorities.timestamp, STANDARD.timestampSignature, rules);
  checkNotOlder(timestamp, previous, STANDARD.timestampVersion);
  if (previous?.version === timestamp.version && keepsStored(previous, root, rules)) {
    checkExpiry(previous, now, STANDARD.timestampExpiry);
    return previous;
  }
  checkSnapshotNotOlder(timestamp, previous);
  checkExpiry(timestamp, now, STANDARD.timestampExpiry);
  return timestamp;
}

/** TUF, 5.4.3.1: content may only change with a new version. A stored file that root no longer trusts is replaced. */
function keepsStored(previous: Timestamp, root: Root, rules: Rules): boolean {
  if (rules.sameTimestampVersion === 'take-new') return false;
  try {
    checkThreshold(previous, root.authorities.timestamp, STANDARD.timestampSignature, rules);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/** TUF, 5.4.3.2: the listed snapshot version must not decrease either. */
function checkSnapshotNotOlder(timestamp: Timestamp, previous: Timestamp | undefined): void {
  if (!previous || previous.snapshot.version <= timestamp.snapshot.version) return;
  throw new Refusal(timestamp.subject, {
    code: 'rollback',
    check: STANDARD.timestampVersion,
    fault: 'lists an older snapshot than the trusted one',
    expected: `at least snapshot version ${previous.snapshot.version}`,
    found: `snapshot version ${timestamp.snapshot.version}`,
  });
}
