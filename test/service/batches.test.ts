/** Batching: many small requests become a few large ones, and no answer is older than its request. */
import { expect, test } from 'vitest';
import { Batches } from '../../src/service/batches.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Work that the test releases batch by batch. */
function heldWork() {
  const begun: { items: readonly number[]; end: (error?: Error) => void }[] = [];
  const work = (items: readonly number[]) =>
    new Promise<readonly string[]>((resolve, reject) => {
      begun.push({
        items,
        end: (error) => (error ? reject(error) : resolve(items.map((item) => `done ${item}`))),
      });
    });
  return { begun, work };
}

test('requests of one event-loop turn form one batch; later ones form the next', async () => {
  const { begun, work } = heldWork();
  const batches = new Batches(work, { most: 100 });
  const first = [1, 2, 3].map((item) => batches.do(item));
  await turn();
  const second = [4, 5].map((item) => batches.do(item));
  await turn();
  expect(begun.map(({ items }) => items)).toEqual([[1, 2, 3]]);
  begun[0]?.end();
  expect(await Promise.all(first)).toEqual(['done 1', 'done 2', 'done 3']);
  await turn();
  expect(begun[1]?.items).toEqual([4, 5]);
  begun[1]?.end();
  expect(await Promise.all(second)).toEqual(['done 4', 'done 5']);
});

test('a request is never answered by work that started before it', async () => {
  let value = 'old';
  let release: () => void = () => undefined;
  const read = (items: readonly number[]) => {
    const seen = value;
    return new Promise<readonly string[]>((resolve) => {
      release = () => resolve(items.map(() => seen));
    });
  };
  const batches = new Batches(read, { most: 100 });
  const before = batches.do(1);
  await turn();
  value = 'new';
  const after = batches.do(1);
  release();
  expect(await before).toBe('old');
  await turn();
  release();
  expect(await after).toBe('new');
});

test('a batch stays within its limit, and a failed batch does not affect the next', async () => {
  const { begun, work } = heldWork();
  const batches = new Batches(work, { most: 2 });
  const all = [1, 2, 3].map((item) => batches.do(item));
  const outcomes = Promise.allSettled(all);
  await turn();
  expect(begun[0]?.items).toEqual([1, 2]);
  begun[0]?.end(new Error('away'));
  await turn();
  begun[1]?.end();
  expect(await outcomes).toMatchObject([
    { status: 'rejected', reason: { message: 'away' } },
    { status: 'rejected' },
    { status: 'fulfilled', value: 'done 3' },
  ]);
  const later = batches.do(4);
  await turn();
  begun[2]?.end();
  expect(await later).toBe('done 4');
});

test('with a pause between batches, the first request does not wait, and later ones wait for the end of the pause', async () => {
  const { begun, work } = heldWork();
  const ends: (() => void)[] = [];
  const pause = () => new Promise<void>((resolve) => ends.push(resolve));
  const batches = new Batches(work, { most: 100, pause });
  const first = batches.do(1);
  await turn();
  begun[0]?.end();
  expect(await first).toBe('done 1');
  const second = [2, 3].map((item) => batches.do(item));
  await turn();
  second.push(batches.do(4));
  await turn();
  expect(begun).toHaveLength(1);
  ends[0]?.();
  await turn();
  expect(begun[1]?.items).toEqual([2, 3, 4]);
  begun[1]?.end();
  expect(await Promise.all(second)).toEqual(['done 2', 'done 3', 'done 4']);
});
