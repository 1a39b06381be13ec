/** Sharing triggers among operations: limits hold, urgent operations overtake, none starves. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { refill } from '../../../src/adapter/c2d-sender/rate.js';
import {
  type Contender,
  type SendBudget,
  shareOut,
} from '../../../src/adapter/c2d-sender/share-out.js';
import { cases, seed } from '../../support/depth.js';

const START = Date.UTC(2026, 10, 24);
const EMPTY: SendBudget = { tokens: 0, refilledAt: START, pass: 0 };

interface Sending {
  readonly operationId: number;
  readonly priority: number;
  readonly rate: number | null;
  /** Triggers due. */
  due: number;
  sent: number;
}

const sending = (operationId: number, facts: Partial<Sending>): Sending => ({
  operationId,
  priority: 0,
  rate: null,
  due: 0,
  sent: 0,
  ...facts,
});

/** Claims at the given times, as several processes do one after another. */
function run(
  operations: Sending[],
  times: readonly number[],
  { limit = 1_000, groupRate = null }: { limit?: number; groupRate?: number | null } = {},
): void {
  let group = EMPTY;
  const budgets = new Map<number, SendBudget>();
  for (const now of times) {
    const contenders = operations
      .filter(({ due }) => due > 0)
      .map(({ operationId, priority, rate, due }): Contender => ({
        operationId,
        priority,
        rate,
        due: Math.min(due, limit),
        budget: budgets.get(operationId) ?? null,
      }));
    const portions = shareOut(limit, { rate: groupRate, budget: group }, contenders, now);
    group = portions.group;
    for (const { operationId, ...budget } of portions.budgets) budgets.set(operationId, budget);
    for (const { operationId, triggers } of portions.shares) {
      const operation = operations.find((candidate) => candidate.operationId === operationId);
      if (!operation) throw new Error('a share for nobody');
      operation.due -= triggers;
      operation.sent += triggers;
      if (operation.due < 0) expect.fail(`${-operation.due} more than were due`);
    }
  }
}

const every = (ms: number, times: number, from = START) =>
  Array.from({ length: times }, (_, n) => from + n * ms);

test('without limits everything due is sent', () => {
  const only = sending(1, { due: 700 });
  run([only], [START]);
  expect(only.sent).toBe(700);
});

test('an urgent operation overtakes a large one at once, and the large one continues', () => {
  const large = sending(1, { due: 1_000_000 });
  const urgent = sending(2, { due: 500, priority: 10 });
  run([large], every(1, 50));
  run([large, urgent], [START + 50]);
  expect(urgent.sent).toBe(500);
  expect(large.sent).toBeGreaterThan(50_000);
});

test('each step of priority doubles the share, even at one trigger per second', () => {
  const operations = [0, 1, 2].map((priority) => sending(priority, { due: 1e6, priority }));
  run(operations, every(1_000, 7_000), { groupRate: 1 });
  const [low = 0, middle = 0, high = 0] = operations.map(({ sent }) => sent);
  // The first second starts with an empty bucket.
  expect(low + middle + high).toBe(6_999);
  expect(middle / low).toBeCloseTo(2, 1);
  expect(high / low).toBeCloseTo(4, 1);
});

test('equal operations share equally, whatever their size', () => {
  const small = sending(1, { due: 5_000 });
  const large = sending(2, { due: 5_000_000 });
  run([small, large], every(1, 9));
  expect(Math.abs(small.sent - large.sent)).toBeLessThanOrEqual(10);
});

test('a new operation gets no credit for the time before it started', () => {
  const old = sending(1, { due: 1e6 });
  run([old], every(1, 100));
  const newcomer = sending(2, { due: 1e6 });
  const before = old.sent;
  run([old, newcomer], every(1, 10, START + 100));
  expect(old.sent - before).toBeGreaterThan(4_000);
});

test('no operation starves, whatever the priorities (property)', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -10, max: 10 }), { minLength: 2, maxLength: 6 }),
      (priorities) => {
        const operations = priorities.map((priority, n) => sending(n, { due: 1e9, priority }));
        const highest = Math.max(...priorities);
        const lowest = Math.min(...priorities);
        // The lowest priority gets a turn after at most as many turns as the weights of the others add up to.
        const turns = 2 ** (highest - lowest) * priorities.length + 1;
        const limit = 10_000;
        run(operations, every(1, Math.ceil((turns * 10) / limit) + 2), { limit });
        for (const { sent } of operations) expect(sent).toBeGreaterThan(0);
      },
    ),
    cases({ quick: 5, full: 50 }),
  );
});

test('over any time span no limit is exceeded by more than a burst (property)', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.05, max: 500, noNaN: true }),
      fc.double({ min: 0.05, max: 500, noNaN: true }),
      fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 60 }),
      (groupRate, rate, pauses) => {
        const operations = [sending(1, { due: 1e9, rate }), sending(2, { due: 1e9 })];
        let now = START;
        run(operations, [START, ...pauses.map((pause) => (now += pause))], { groupRate });
        const seconds = (now - START) / 1000;
        const [limited, other] = operations as [Sending, Sending];
        expect(limited.sent).toBeLessThanOrEqual(seconds * rate + Math.max(1, rate) + 1);
        expect(limited.sent + other.sent).toBeLessThanOrEqual(
          seconds * groupRate + Math.max(1, groupRate),
        );
      },
    ),
    { seed },
  );
});

test('a limited operation gets its rate, and the time of its next trigger', () => {
  const slow = sending(1, { due: 1_000, rate: 0.5 });
  run([slow], every(100, 600));
  expect(slow.sent).toBe(30);
  const { nextAt, shares } = shareOut(
    10,
    { rate: null, budget: EMPTY },
    [{ operationId: 1, priority: 0, due: 5, rate: 0.5, budget: { ...EMPTY, tokens: 0.25 } }],
    START,
  );
  expect(shares).toEqual([]);
  expect(nextAt).toBe(START + 1_500);
});

test('a clock that is behind never adds tokens twice', () => {
  const bucket = refill({ tokens: 0, refilledAt: START }, 10, START + 500);
  expect(bucket).toEqual({ tokens: 5, refilledAt: START + 500 });
  expect(refill(bucket, 10, START)).toEqual(bucket);
});
