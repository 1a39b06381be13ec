/** How the D2C receiver forms batches, and what it does while the database refuses them. */
import { expect, test } from 'vitest';
import { type BatchRow, D2cReceiver, MessageBudget } from '../../src/adapter/d2c-receiver/index.js';
import { type Database, DatabaseError } from '../../src/service/database/index.js';
import { topicTemplate } from '../../src/contract/index.js';
import { eventually } from '../support/adapter.js';
import { eventBytes, type TestVehicle, vehicleOf } from '../support/messages.js';

/** A database in which the test decides when and how each statement is answered. */
function scriptedDatabase() {
  const batches: {
    size: number;
    parameters: readonly unknown[];
    /** @param unmatched messages without a delivery */
    commit: (unmatched?: object[]) => void;
    fail: (code?: string) => void;
  }[] = [];
  const database: Database = {
    connections: 2,
    query: <Row extends object>(_text: string, parameters: readonly unknown[] = []) =>
      new Promise<Row[]>((resolve, reject) => {
        const size = Number(parameters[1]);
        const totals = { received: size, applied: 0, dead_letters: size, overflow: 0 };
        batches.push({
          size,
          parameters,
          commit: (unmatched) =>
            resolve([{ ...totals, unmatched: unmatched ?? null } as unknown as Row]),
          fail: (code) => reject(new DatabaseError(Object.assign(new Error('not now'), { code }))),
        });
      }),
    script: () => Promise.resolve(),
    transaction: () => Promise.reject(new Error('not used')),
    close: () => Promise.resolve(),
  };
  return { database, batches };
}

function receiverOn(database: Database, shards = [0, 1]) {
  const failures: Error[] = [];
  const followed: BatchRow[] = [];
  const receiver = new D2cReceiver({
    database,
    d2cTopic: topicTemplate('d2c/{system_id}'),
    shards,
    follow: (row) => () => followed.push(row),
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
        isRepeated: false,
        acknowledge: () => acknowledged.push(number),
      });
    }
  };
  return { receiver, failures, followed, acknowledged, send };
}

function eventPayload(vehicle: TestVehicle, messageId: string) {
  const status = 'downloading' as const;
  const facts = { messageId, correlationId: '', refId: 'r', status, timestamp: 1_700_000_000_000 };
  const payload = eventBytes(vehicle, facts);
  return { payload, payloadBytes: payload.byteLength };
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

test('a second batch is stored concurrently only if it is large, and none exceeds 2,000', async () => {
  const { database, batches } = scriptedDatabase();
  const { receiver, send } = receiverOn(database);
  send(1);
  send(6_000, 10, 100);
  expect(batches.map(({ size }) => size)).toEqual([1, 500]);
  expect(receiver.waiting).toBe(5_500);
  batches[0]?.commit();
  await until(() => batches.length === 3);
  expect(batches[2]?.size).toBe(2_000);
  receiver.stop();
});

test('a batch waits for the previous one of the same vehicle, which keeps the order', async () => {
  const { database, batches } = scriptedDatabase();
  const { receiver, acknowledged, send } = receiverOn(database);
  send(1);
  send(4_500);
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
  expect(acknowledged).toEqual(Array.from({ length: 4_501 }, (_, n) => n));
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

test('a batch is retried unchanged, and the consequences of a message follow its commit, once', async () => {
  const { database, batches } = scriptedDatabase();
  const { receiver, followed, send } = receiverOn(database);
  send(1);
  send(20);
  batches[0]?.commit();
  await until(() => batches.length === 2);
  expect(followed).toHaveLength(1);
  batches[1]?.fail();
  await until(() => batches.length === 3);
  expect(batches[2]?.parameters).toEqual(batches[1]?.parameters);
  expect(followed).toHaveLength(1);
  batches[2]?.commit();
  await receiver.drain();
  expect(followed).toHaveLength(21);
});

test('messages repeated by a broker do not count against the budget again', () => {
  const { database } = scriptedDatabase();
  const overBudget: string[] = [];
  const receiver = new D2cReceiver({
    database,
    d2cTopic: topicTemplate('d2c/{system_id}'),
    shards: [0],
    budget: new MessageBudget({ burst: 3, perHour: 1 }),
    onOverBudget: (systemId) => overBudget.push(systemId),
  });
  const vehicle = vehicleOf(1);
  const arrive = (messageId: string, isRepeated: boolean) =>
    receiver.receive({
      topic: `d2c/${vehicle.systemId}`,
      ...eventPayload(vehicle, messageId),
      receivedAt: 1_700_000_000_000,
      publisher: null,
      isRepeated,
      acknowledge: () => undefined,
    });
  arrive('msg-dev-1', false);
  arrive('msg-dev-2', false);
  // The database is down, and the link breaks again and again.
  for (let n = 0; n < 10; n++) {
    arrive('msg-dev-1', true);
    arrive('msg-dev-2', true);
  }
  arrive('msg-dev-3', false);
  expect(overBudget).toEqual([]);
  arrive('msg-dev-4', false);
  expect(overBudget).toEqual([vehicle.systemId]);
  receiver.stop();
});

test('a message without a delivery becomes a dead letter, whatever else is in its batch', async () => {
  const { database, batches } = scriptedDatabase();
  const { receiver, acknowledged, send } = receiverOn(database, [0]);
  const arrive = (vehicle: TestVehicle, messageId: string) =>
    receiver.receive({
      topic: `d2c/${vehicle.systemId}`,
      ...eventPayload(vehicle, messageId),
      receivedAt: 1_700_000_000_000,
      publisher: null,
      isRepeated: false,
      acknowledge: () => acknowledged.push(-1),
    });
  const [first, second] = [vehicleOf(1), vehicleOf(2)];
  // The first is stored alone. The others form a batch: one is not JSON, one is repeated, one has no delivery.
  send(1);
  send(1);
  arrive(first, 'msg-dev-1');
  arrive(first, 'msg-dev-1');
  arrive(second, 'msg-dev-2');
  batches[0]?.commit();
  await until(() => batches.length === 2);
  expect(batches[1]?.size).toBe(4);
  const known = { registered: true, operationExists: false, isArchived: null };
  batches[1]?.commit([{ arrival: 2, ...known }]);
  await until(() => batches.length === 3);
  const deadLetters = JSON.parse(String(batches[2]?.parameters[21])) as object[];
  expect(deadLetters).toMatchObject([{ message_id: 'msg-dev-2', reason: 'UNKNOWN_OPERATION' }]);
  expect(acknowledged, 'none of the batch yet').toEqual([0]);
  batches[2]?.commit();
  await receiver.drain();
  expect(acknowledged).toEqual([0, 1, -1, -1, -1]);
});

test('a message that the database refuses does not hold up the others', async () => {
  const { database, batches } = scriptedDatabase();
  const { receiver, acknowledged, send } = receiverOn(database);
  send(1);
  send(4);
  batches[0]?.commit();
  await until(() => batches.length === 2);
  // Data exception: the same statement would fail again, so the batch is halved until the bad message is alone.
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
