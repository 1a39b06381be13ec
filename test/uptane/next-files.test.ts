/** When a Director re-signs a vehicle's files, and with which versions. */
import { describe, expect, test } from 'vitest';
import {
  LIFETIMES,
  nextFiles,
  nextVersion,
  type SignedFiles,
} from '../../src/uptane/director-repository/next-files.js';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const SECONDS = NOW / 1000;
const DAY = 24 * 60 * 60 * 1000;

const stored = (changes: Partial<SignedFiles> = {}): SignedFiles => ({
  content: 'a',
  epoch: 'e',
  targets: { version: SECONDS, expires: NOW + LIFETIMES.targets },
  snapshot: { version: SECONDS, expires: NOW + LIFETIMES.snapshot },
  timestamp: { version: SECONDS + 5, expires: NOW + LIFETIMES.timestamp },
  ...changes,
});
const asked = (changes = {}) => ({ wanted: 'a', epoch: 'e', now: NOW, ...changes });
const versions = (files: ReturnType<typeof nextFiles>) =>
  files && [files.targets?.version, files.snapshot?.version, files.timestamp.version];

describe('files to sign', () => {
  test('none without a change', () => {
    expect(nextFiles(stored(), asked())).toBeUndefined();
    expect(nextFiles(stored(), asked({ now: NOW + LIFETIMES.timestamp / 2 }))).toBeUndefined();
  });

  test('all for a new vehicle, a new list, new keys or a new database', () => {
    expect(versions(nextFiles(undefined, asked()))).toEqual([SECONDS, SECONDS, SECONDS]);
    const next = [SECONDS + 1, SECONDS + 1, SECONDS + 6];
    expect(versions(nextFiles(stored(), asked({ wanted: 'b' })))).toEqual(next);
    expect(versions(nextFiles(stored(), asked({ epoch: 'f' })))).toEqual(next);
  });

  test('only the timestamp in the second half of its lifetime', () => {
    const now = NOW + LIFETIMES.timestamp / 2 + 1;
    expect(nextFiles(stored(), asked({ now }))).toEqual({
      targets: undefined,
      snapshot: undefined,
      timestamp: {
        version: Math.floor(now / 1000),
        expires: Math.floor((now + LIFETIMES.timestamp) / 1000) * 1000,
      },
    });
  });

  test('a new snapshot needs a new timestamp, new targets need both', () => {
    const soon = { version: 7, expires: NOW + DAY };
    const snapshot = nextFiles(stored({ snapshot: soon }), asked());
    expect(versions(snapshot)).toEqual([undefined, SECONDS, SECONDS + 6]);
    const targets = nextFiles(stored({ targets: soon }), asked());
    expect(versions(targets)).toEqual([SECONDS, SECONDS + 1, SECONDS + 6]);
  });

  test('expired files, however old', () => {
    const now = NOW + 730 * DAY;
    expect(versions(nextFiles(stored(), asked({ now })))).toEqual(
      Array.from({ length: 3 }, () => now / 1000),
    );
  });
});

describe('versions', () => {
  test('never decrease, even if the clock is set back', () => {
    expect(nextVersion(SECONDS + 100, NOW)).toBe(SECONDS + 101);
    expect(nextVersion(SECONDS, 0)).toBe(SECONDS + 1);
  });

  test('exceed all earlier versions after a backup was restored', () => {
    // One change a second for an hour, then the database of an hour ago.
    let last: number | undefined;
    for (let second = 0; second < 3_600; second++) last = nextVersion(last, NOW + second * 1000);
    expect(nextVersion(SECONDS, NOW + 3_600_000)).toBeGreaterThan(last ?? 0);
  });
});
