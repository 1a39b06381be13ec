import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffPause } from '../../src/contract/index.js';

const BACKOFF = { firstPauseMs: 1_000, longestPauseMs: 60_000 };

test('the delay doubles up to the maximum', () => {
  const pauses = [1, 2, 3, 4, 5, 6, 7, 8, 1_000_000].map((n) => backoffPause(BACKOFF, n, 0));
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('jitter shortens a delay by up to a fifth and never exceeds the maximum', () => {
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const full = backoffPause(BACKOFF, failures + 1, 0);
      const pause = backoffPause(BACKOFF, failures + 1, random);
      expect(pause).toBeGreaterThanOrEqual(0.8 * full - 1);
      expect(pause).toBeLessThanOrEqual(full);
    }),
  );
});
