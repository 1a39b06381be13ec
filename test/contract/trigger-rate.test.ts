/** The rate of an operation's triggers, and how long sending takes at it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  currentRate,
  isGrowing,
  secondsToSend,
  type TriggerRate,
} from '../../src/contract/index.js';
import { seed } from '../support/depth.js';

test.each([
  [{ perSecond: 5 }, 1_000, 5],
  [{ perSecond: 5, factor: 2, after: 100 }, 99, 5],
  [{ perSecond: 5, factor: 2, after: 100 }, 100, 10],
  [{ perSecond: 5, factor: 2, after: 100 }, 350, 40],
  [{ perSecond: 5, factor: 2, after: 100, atMost: 30 }, 350, 30],
  [{ perSecond: 50, atMost: 30 }, 0, 30],
])('rate %j after %d notified vehicles is %d a second', (rate, notified, expected) => {
  expect(currentRate(rate, { notified, succeeded: 0 })).toBe(expected);
});

test('a rate can grow with success alone', () => {
  const rate = { perSecond: 1, factor: 3, after: 10, of: 'succeeded' as const };
  expect(currentRate(rate, { notified: 1_000, succeeded: 0 })).toBe(1);
  expect(currentRate(rate, { notified: 1_000, succeeded: 25 })).toBe(9);
  // Future successes are unknown, so the time is that of the current rate.
  expect(secondsToSend(90, rate, { notified: 1_000, succeeded: 25 })).toBe(10);
});

test('sending makes the rate grow and shortens the time', () => {
  const rate = { perSecond: 1, factor: 2, after: 100 };
  // 50 at 1/s, 100 at 2/s, 50 at 4/s.
  expect(secondsToSend(200, rate, { notified: 50, succeeded: 0 })).toBe(50 + 50 + 12.5);
  const capped = { ...rate, atMost: 2 };
  expect(secondsToSend(350, capped, { notified: 0, succeeded: 0 })).toBe(100 + 125);
  expect(isGrowing(capped, { notified: 99, succeeded: 0 })).toBe(true);
  expect(isGrowing(capped, { notified: 100, succeeded: 0 })).toBe(false);
  // A rate that grows with each of a million vehicles does not make the sum endless.
  const slowly = { perSecond: 1, factor: 1.000_001, after: 1 };
  expect(secondsToSend(1_000_000, slowly, { notified: 0, succeeded: 0 })).toBeLessThan(1_000_000);
});

test('the time is the sum of what each trigger takes', () => {
  const rate: fc.Arbitrary<TriggerRate> = fc.record(
    {
      perSecond: fc.integer({ min: 1, max: 50 }),
      factor: fc.integer({ min: 1, max: 3 }),
      after: fc.integer({ min: 1, max: 40 }),
      of: fc.constantFrom('notified' as const, 'succeeded' as const),
      atMost: fc.integer({ min: 1, max: 5_000 }),
    },
    { requiredKeys: ['perSecond'] },
  );
  const progress = fc.record({ notified: fc.nat(60), succeeded: fc.nat(60) });
  fc.assert(
    fc.property(rate, progress, fc.nat(150), (typed, { notified, succeeded }, triggers) => {
      let sum = 0;
      for (let n = 0; n < triggers; n++) {
        sum += 1 / currentRate(typed, { notified: notified + n, succeeded });
      }
      expect(secondsToSend(triggers, typed, { notified, succeeded })).toBeCloseTo(sum, 6);
    }),
    { seed },
  );
});
