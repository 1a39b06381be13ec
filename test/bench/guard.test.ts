/** The simulation of the bench: it ends, runs the same code as schedules, and counts small cases correctly. */
import { describe, expect, test } from 'vitest';
import { MANNERS, randomFrom, RIVIAN, updateOf } from '../../src/bench/guard/fleet.js';
import { guardedCampaign } from '../../src/bench/guard/guarded-campaign.js';
import { GUARD_TEST } from '../../src/bench/guard/index.js';
import { ruledCampaign } from '../../src/bench/guard/ruled-campaign.js';
import { TimeLine } from '../../src/bench/guard/time-line.js';

const CAP = 100;

describe('under the guard', () => {
  test.each(MANNERS)('an update that damages every vehicle %s stops near the cap', (manner) => {
    const end = guardedCampaign(GUARD_TEST, updateOf(1, manner), 100_000, randomFrom(7));
    expect(end).toMatchObject({ stopped: true, beyondCap: 0, damaged: end.exposed });
    // The cap, plus the vehicles admitted in place of the first failures.
    expect(end.exposed).toBeGreaterThanOrEqual(CAP);
    expect(end.exposed).toBeLessThan(CAP + 10);
  });

  test('an update that damages nobody reaches the whole fleet', () => {
    const end = guardedCampaign(GUARD_TEST, updateOf(0, 'loudly'), 2_500, randomFrom(7));
    expect(end).toEqual({ stopped: false, exposed: 2_500, damaged: 0, beyondCap: 0 });
  });

  test('Rivian 2023.42 stops at less than a third of the vehicles that it reached', () => {
    const end = guardedCampaign(GUARD_TEST, RIVIAN.update, 100_000, randomFrom(7));
    expect(end.stopped).toBe(true);
    expect(end.exposed).toBeLessThan(RIVIAN.reached / 3);
  });
});

describe('under a fixed share', () => {
  const rule = { share: 0.005, least: 500, timeout: undefined, seesLateFailures: true };

  test('loud failures stop it at the least number of finished vehicles', () => {
    const end = ruledCampaign(rule, updateOf(1, 'loudly'), 100_000, randomFrom(7));
    expect(end.stopped).toBe(true);
    expect(end.exposed).toBeGreaterThanOrEqual(rule.least);
  });

  test('silent failures do not', () => {
    const end = ruledCampaign(rule, updateOf(1, 'silently'), 5_000, randomFrom(7));
    expect(end).toMatchObject({ stopped: false, exposed: 5_000, damaged: 5_000 });
  });
});

test('the time line gives events in order of time', () => {
  const line = new TimeLine();
  const random = randomFrom(11);
  const times = Array.from({ length: 3_000 }, () => random());
  for (const [event, at] of times.entries()) line.add(at, ~event);
  const taken: number[] = [];
  while (line.next !== Infinity) {
    const at = line.next;
    expect(times[~line.take()]).toBe(at);
    taken.push(at);
  }
  expect(taken).toEqual(times.toSorted((a, b) => a - b));
});
