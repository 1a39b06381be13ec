import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffPause } from '../../src/contract/index.js';
import { cases } from '../support/depth.js';

const BACKOFF = { firstPauseMs: 1_000, longestPauseMs: 60_000 };

test('the delay doubles up to the maximum', () => {
  const pauses = [1, 2, 3, 4, 5, 6, 7, 8, 1_000_000].map((n) => backoffPause(BACKOFF, n, 0));
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('jitter can be any share of the delay, from none to all', () => {
  const half = (jitter: number) => backoffPause({ ...BACKOFF, jitter }, 2, 0.5);
  expect([half(0), half(0.2), half(1)]).toEqual([2_000, 1_800, 1_000]);
  expect(backoffPause({ ...BACKOFF, jitter: 1 }, 9, 1)).toBe(0);
});

test('jitter shortens a delay by up to a fifth and never exceeds the maximum', () => {
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const full = backoffPause(BACKOFF, failures + 1, 0);
      const pause = backoffPause(BACKOFF, failures + 1, random);
      expect(pause).toBeGreaterThanOrEqual(0.8 * full - 1);
      expect(pause).toBeLessThanOrEqual(full);
    }),
    cases({ quick: 100, full: 5_000 }),
  );
});

test('no other code computes delays that grow', () => {
  const src = fileURLToPath(new URL('../../src', import.meta.url));
  // `pause * 2`, `FIRST_LOCK_MS * 2 ** n`, `delayMs *= 1.5`: a time multiplied by anything but a unit.
  const growing =
    /\b\w*(?:pause|delay|retry|backoff|lock)\w*\s*\*=?\s*(?:[1-9]\d?(?:\.\d+)?\b(?!_)|factor|2 \*\*)/i;
  const own = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path) && path !== join('contract', 'backoff.ts'))
    .filter((path) => growing.test(readFileSync(join(src, path), 'utf8')));
  expect(own).toEqual([]);
  expect('pause = Math.min(pause * 2, LAST)').toMatch(growing);
  expect('FIRST_LOCK_MS * 2 ** (failures - 1)').toMatch(growing);
  expect('retryAfter * 1000').not.toMatch(growing);
});
