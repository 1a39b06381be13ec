/** `/readyz` says within seconds whether the database answers, even if it never does. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Database, problemOf } from '../../../src/service/database/index.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A database of which only the query is used. */
function databaseThat(query: () => Promise<object[]>): { database: Database; asked: () => number } {
  const ask = vi.fn(query);
  return { database: { query: ask } as unknown as Database, asked: () => ask.mock.calls.length };
}

test('a database that answers has no problem, and one that fails has one', async () => {
  expect(await problemOf(databaseThat(() => Promise.resolve([])).database)).toBeUndefined();
  const failing = databaseThat(() => Promise.reject(new Error('refused')));
  expect(await problemOf(failing.database)).toBe('the database does not answer');
  expect(vi.getTimerCount()).toBe(0);
});

test('a frozen database is not waited for, and takes one connection, however often it is queried', async () => {
  let answer: (rows: object[]) => void = () => undefined;
  const frozen = databaseThat(() => new Promise((resolve) => (answer = resolve)));
  const problems = [problemOf(frozen.database), problemOf(frozen.database)];
  await vi.advanceTimersByTimeAsync(10_000);
  const never = 'the database does not answer';
  expect(await Promise.all(problems)).toEqual([never, never]);
  const next = problemOf(frozen.database);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await next).toBe(never);
  expect(frozen.asked()).toBe(1);

  answer([]);
  await vi.advanceTimersByTimeAsync(0);
  const later = problemOf(frozen.database);
  await vi.advanceTimersByTimeAsync(0);
  answer([]);
  expect(await later).toBeUndefined();
  expect(frozen.asked()).toBe(2);
});
