/** How a transaction ends that has failed. */
import pg from 'pg';
import { afterAll, afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest';
import { CAROTA_SCHEMA } from '../../../src/carota/schema.js';
import {
  DatabaseError,
  type LanedDatabase,
  openPostgres,
} from '../../../src/service/database/index.js';
import { newDatabase } from '../../support/databases.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

const { url, drop } = await newDatabase(CAROTA_SCHEMA);
/** Instead of 20 s, so that the test need not wait. */
const QUERY_TIMEOUT_MS = 500;

let proxy: TcpProxy;
let database: LanedDatabase;
let statements: MockInstance;

beforeEach(async () => {
  const address = new URL(url);
  proxy = await TcpProxy.to(Number(address.port));
  address.host = `127.0.0.1:${proxy.port}`;
  address.searchParams.set('query_timeout', String(QUERY_TIMEOUT_MS));
  database = openPostgres({ url: address.href, connections: 1 });
  statements = vi.spyOn(pg.Client.prototype, 'query');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await database.close();
  await proxy.close();
});
afterAll(drop);

/** The newest statement that was sent, or attempted. */
const newest = (): string => {
  const [statement] = statements.mock.lastCall as [string | { readonly text: string }];
  return typeof statement === 'string' ? statement : statement.text;
};

const backend = async (): Promise<number> => {
  const [row] = await database.query<{ pid: number }>('select pg_backend_pid() as pid');
  return row?.pid ?? NaN;
};

test('after an answer of the server it is rolled back, and its connection is used again', async () => {
  const before = await backend();
  const failing = database.transaction(async (tx) => {
    await tx.query('create table kept (n int)');
    await tx.query('select 1 / 0');
  });
  await expect(failing).rejects.toThrow('division by zero');
  expect(newest()).toBe('rollback');
  expect(await backend()).toBe(before);
  await expect(database.query('select * from kept')).rejects.toThrow('does not exist');
});

test('after an error of our own it is rolled back, and its connection is used again', async () => {
  const before = await backend();
  const failing = database.transaction(async (tx) => {
    await tx.query('create table kept (n int)');
    throw new Error('no longer wanted');
  });
  await expect(failing).rejects.toThrow('no longer wanted');
  expect(newest()).toBe('rollback');
  expect(await backend()).toBe(before);
});

test('on a half-open connection nothing more is sent, so the next attempt waits for one statement instead of two', async () => {
  const before = await backend();
  const failing = database.transaction(async (tx) => {
    await tx.query('create table kept (n int)');
    proxy.cutHalfOpen();
    await tx.query('select 1 as unanswered');
  });
  await expect(failing).rejects.toThrow(/timeout/i);
  expect(newest()).toBe('select 1 as unanswered');
  expect(await backend()).not.toBe(before);
});

test('a connection that the server ends is not used again', async () => {
  const before = await backend();
  const failing = database.transaction(async (tx) => {
    await tx.query('select pg_terminate_backend(pg_backend_pid())');
  });
  await expect(failing).rejects.toThrow(/terminat/);
  expect(newest()).toContain('pg_terminate_backend');
  expect(await backend()).not.toBe(before);
});

test.each([
  ['22012', true],
  ['57P01', true],
  ['F0000', true],
  ['ECONNRESET', false],
  ['EPIPE', false],
  [undefined, false],
])('an error with code %s comes from the server: %s', (code, isAnswer) => {
  expect(new DatabaseError(Object.assign(new Error('failed'), { code })).isAnswer).toBe(isAnswer);
});
