/** PostgreSQL reads back exactly the values written as a binary array. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { float8Array, integerArray, uuidArray } from '../../../src/service/database/index.js';
import { openTestDatabase } from '../../support/databases.js';

let opened: Awaited<ReturnType<typeof openTestDatabase>>;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened.close());

const readBack = async (type: string, parameter: Buffer) => {
  const rows = await opened.database.query<{ value: unknown }>(
    `select value from unnest($1::${type}[]) with ordinality as t (value, nr) order by nr`,
    [parameter],
  );
  return rows.map(({ value }) => value);
};

test.each([
  ['none', []],
  ['one', [7]],
  ['one NULL', [null]],
  ['extremes and NULLs', [null, 0, -1, null, 2 ** 31 - 1, -(2 ** 31), null]],
  ['a thousand', Array.from({ length: 1_000 }, (_, n) => n * 1_001)],
])('integers: %s', async (_name, values) => {
  expect(await readBack('integer', integerArray(values))).toEqual(values);
});

test.each([
  ['none', []],
  ['times and NULLs', [Date.UTC(2026, 5, 3), null, 0, -1, 8.64e15, null]],
  ['fractions', [0.1, -1e-300, Number.MAX_VALUE]],
])('float8: %s', async (_name, values) => {
  expect(await readBack('float8', float8Array(values))).toEqual(values);
});

const HYPHENS = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;
const DIGITS = ['0'.repeat(32), 'f'.repeat(32), '0123456789abcdef0123456789ABCDEF'];

test('UUIDs, with and without hyphens', async () => {
  const hyphened = DIGITS.map((digits) => digits.replace(HYPHENS, '$1-$2-$3-$4-$5'));
  const stored = hyphened.map((uuid) => uuid.toLowerCase());
  expect(await readBack('uuid', uuidArray(DIGITS))).toEqual(stored);
  expect(await readBack('uuid', uuidArray([null, ...hyphened, null]))).toEqual([
    null,
    ...stored,
    null,
  ]);
  expect(await readBack('uuid', uuidArray([]))).toEqual([]);
});

test('a value that does not fit is an error, not another value', () => {
  for (const bad of ['', 'g'.repeat(32), 'a'.repeat(31), 'a'.repeat(33), `${'a'.repeat(31)}x`]) {
    expect(() => uuidArray([bad]), bad).toThrow(RangeError);
  }
  for (const bad of [2 ** 31, -(2 ** 31) - 1, 1.5, NaN, Infinity])
    expect(() => integerArray([bad])).toThrow(RangeError);
  for (const bad of [NaN, Infinity]) expect(() => float8Array([bad])).toThrow(RangeError);
});
