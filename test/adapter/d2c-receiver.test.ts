/** How the D2C receiver forms batches, and what it does while the database refuses them. */
import { expect, test } from 'vitest';
import { D2cReceiver } from '../../src/adapter/d2c-receiver/index.js';
import { type Database, DatabaseError } from '../../src/service/database/index.js';
import { topicTemplate } from '../../src/contract/index.js';
import { eventually } from '../support/adapter.js';

/** A database in which the test decides when and how each statement is answered. */
function scriptedDatabase() {
  const batches: { size: number; commit: () => void; fail: (code?: string) => void }[] = [];
  const database: Database = {
    connections: 2,
    query: <Row extends object>(_text: string, parameters: readonly unknown[] = []) =>
      new Promise<Row[]>((resolve, reject) => {
        const size = Number(parameters[1]);
        const totals = { received: size, applied: 0, dead_letters: size, nowhere: null };
        batches.push({
          size,
          commit: () => resolve([totals as unknown as Row]),
          fail: (code) => reject(new DatabaseError(Object.assign(new Error('not now'), { code }))),
        });
      }),
    script: () => Promise.resolve(),
    transaction: () => Promise.reject(new Error('not used')),
    close: () => Promise.resolve(),
  };
  return { database, batches };
}

function receiverOn(database: Database) {
  const failures: Error[] = [];
  const receiver = new D2cReceiver({
    database,
    d2cTopic: topicTemplate('d2c/{system_id}'),
    shards: [0, 1],
    onFailure: (error) => failures.push(error),
  });
  const acknowledged: number[] = [];
  let sent = 0;
  /** Sends messages of the vehicles in turn. */
  const send = (count: number, bytes = 10, vehicles = 1) => {
    for (let n = 0; n < count; n++) {
      const number = sent++;
      const payload = Buffer.alloc(bytes, `no JSON ${number} `);
      const topic = `d2c/${number % vehicles}`;
      receiver.receive({
        topic,
        payload,
        payloadBytes: bytes,
        receivedAt: 0,
        publisher: null,
        acknowledge: () => acknowledged.push(number),
      });
    }
  };
  return { receiver, failures, acknowledged, send };
}

const until = (isSo: () => boolean) => eventually(() => Promise.resolve(isSo()), Boolean);

test('the first message does not wait; messages arriving meanwhile form one batch', async () => {
  const { database, batches } = scriptedDatabase();
  const { receiver, acknowledged, send } = receiverOn(database);
  send(1);
  expect(batches.map(({ size }) => size)).toEqual([1]);
  send(300);
  expect(batches).toHaveLength(1);
  expect(acknowledged).toEqual([]);
  batches[0]?.commit();
  await until(() => batches.length === 2);
  expect(batches[1]?.size).toBe(300);
  expect(acknowledged).toEqual([0]);
  batches[1]?.commit();
  await receiver.drain();
  expect(acknowledged).toEqual(Array.from({ length: 301 }, (_, n) => n));
});

test('a second batch is stored concurrently only if it is large, and none exceeds 1,000', async () => {
  const { database, batches } = scriptedDatabase();
  const { receiver, send } = receiverOn(database);
  send(1);
  send(4_000, 10, 100);
  expect(batches.map(({ size }) => size)).toEqual([1, 500]);
  expect(receiver.waiting).toBe(3_500);
  batches[0]?.commit();
  await until(() => batches.length === 3);
  expect(batches[2]?.size).toBe(1_000);
  receiver.stop();
});

test('a batch waits for the previous one of the same vehicle, which keeps the order', async () => {
  const { database, batches } = scriptedDatabase();
  const { receiver, acknowledged, send } = receiverOn(database);
  send(1);
  send(2_500);
  expect(batches).toHaveLength(1);
  batches[0]?.fail();
  await until(() => batches.length === 2);
  expect(batches[1]?.size).toBe(1);
  batches[1]?.commit();
  for (let number = 2; number < 5; number++) {
    await until(() => batches.length > number);
    batches[number]?.commit();
  }
  await receiver.drain();
  expect(acknowledged).toEqual(Array.from({ length: 2_501 }, (_, n) => n));
});

test('a failed batch is retried, and acknowledged once', async () => {
  const { database, batches } = scriptedDatabase();
  const { receiver, failures, acknowledged, send } = receiverOn(database);
  send(1);
  batches[0]?.fail();
  await until(() => batches.length === 2);
  expect(acknowledged).toEqual([]);
  batches[1]?.commit();
  await receiver.drain();
  expect(acknowledged).toEqual([0]);
  expect(failures).toHaveLength(1);
});

test('a message that the database refuses does not hold up the others', async () => {
  const { database, batches } = scriptedDatabase();
  const { receiver, acknowledged, send } = receiverOn(database);
  send(1);
  send(4);
  batches[0]?.commit();
  await until(() => batches.length === 2);
  // Data exception: the same statement would fail again. Halved until the bad message is alone.
  const refuse = async (number: number) => {
    batches[number]?.fail('22021');
    await until(() => batches.length === number + 2);
  };
  await refuse(1);
  expect(batches[2]?.size).toBe(2);
  await refuse(2);
  expect(batches[3]?.size).toBe(1);
  await refuse(3);
  // Alone and refused, it is stored as a dead letter; then the rest continues.
  for (let number = 4; acknowledged.length < 5; number++) {
    await until(() => batches.length > number || acknowledged.length === 5);
    batches[number]?.commit();
  }
  await receiver.drain();
  expect(acknowledged).toEqual([0, 1, 2, 3, 4]);
});

test('with too many messages or bytes waiting, the sender has to wait', async () => {
  for (const [count, bytes] of [
    [34_000, 10],
    [300, 256 * 1024],
  ] as const) {
    const { database, batches } = scriptedDatabase();
    const { receiver, send } = receiverOn(database);
    expect(receiver.backpressure()).toBeUndefined();
    send(1);
    send(count, bytes);
    const released = { yet: false };
    const room = receiver.backpressure();
    expect(room).toBeDefined();
    void room?.then(() => (released.yet = true));
    for (let number = 0; !released.yet; number++) {
      await until(() => batches.length > number);
      batches[number]?.commit();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(receiver.backpressure()).toBeUndefined();
    receiver.stop();
  }
});
