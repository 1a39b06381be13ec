/** The C2DSender in virtual time: retries, expiry, rate limits, vehicles coming online. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  C2dSender,
  DEFAULT_RETRY,
  type OutgoingMessage,
  setGroupRate,
} from '../../../src/adapter/c2d-sender/index.js';
import { batchRow, ingestBatch } from '../../../src/adapter/d2c-receiver/index.js';
import { type Database } from '../../../src/service/database/index.js';
import { ensurePartitions } from '../../../src/adapter/maintenance.js';
import {
  acceptTrigger,
  changeDispatch,
  findDelivery,
  findOperation,
  setPaused,
} from '../../../src/adapter/operations/index.js';
import { registerVehicles } from '../../../src/adapter/registry/index.js';
import { type DispatchOptions, topicTemplate } from '../../../src/contract/index.js';
import { eventually, TESTER } from '../../support/adapter.js';
import { openTestDatabase } from '../../support/databases.js';
import { ackBytes, eventBytes, type TestVehicle, vehicleOf } from '../../support/messages.js';

const START = Date.UTC(2026, 5, 3, 12);
const SECOND = 1_000;
const HOUR = 3_600_000;
const d2cTopic = topicTemplate('d2c/{system_id}');

interface Envelope {
  readonly message_id: string;
  readonly vin: string;
}

describe('on PostgreSQL', () => {
  let database: Database;
  let close: () => Promise<void>;
  let now = START;
  const senders: C2dSender[] = [];
  /** The published triggers, with their times. */
  let published: (Envelope & { at: number })[] = [];
  let brokerTakes = true;

  beforeEach(async () => {
    now = START;
    published = [];
    brokerTakes = true;
    ({ database, close } = await openTestDatabase());
    await ensurePartitions(database, START);
  });
  afterEach(async () => {
    await Promise.all(senders.splice(0).map((sender) => sender.stop()));
    await close();
  });

  function startSender(): C2dSender {
    const sender = new C2dSender({
      database,
      c2dTopic: topicTemplate('c2d/{system_id}'),
      publish: ({ payload }: OutgoingMessage) => {
        if (!brokerTakes) return Promise.reject(new Error('the broker is full'));
        published.push({ ...(JSON.parse(payload.toString()) as Envelope), at: now });
        return Promise.resolve();
      },
      isConnected: () => true,
      retry: DEFAULT_RETRY,
      shards: [senders.length * 2],
      clock: () => now,
      onFailure: () => undefined,
    });
    senders.push(sender);
    sender.start();
    return sender;
  }

  const register = (...vehicles: TestVehicle[]) =>
    registerVehicles(
      database,
      9,
      vehicles.map(({ vin, systemId }) => ({ vin, system_id: systemId })),
      now,
    );
  async function trigger(refId: string, vehicles: TestVehicle[], dispatch: DispatchOptions = {}) {
    const vins = vehicles.map(({ vin }) => vin);
    const body = { model: 'm', 'ref-id': refId, 'script-ref-id': 's', vins, dispatch };
    await acceptTrigger(database, { time: now, version: 'v1', body }, { shard: 9, by: 't', now });
    for (const sender of senders) sender.wake();
  }
  const idOf = async (refId: string) => (await findOperation(database, refId))?.id ?? 0;
  const stands = async (refId: string, { vin }: TestVehicle) =>
    findDelivery(database, await idOf(refId), vin);
  /** Advances the time; resolves when nothing is due any more. */
  async function passTo(time: number) {
    now = time;
    for (const sender of senders) sender.wake();
    await recorded();
  }
  const nextDue = async () => {
    const [row] = await database.query<{ at: Date | null }>(
      'select min(due_at) as at from deliveries',
    );
    return row?.at?.getTime();
  };
  const recorded = () =>
    eventually(
      async () =>
        database.query(
          `select d.vin from deliveries d join operations o on o.id = d.operation_id
           where d.due_at <= $1 and o.status = 'active' or d.claim is not null`,
          [new Date(now)],
        ),
      (due) => due.length === 0,
    );
  const receive = (vehicle: TestVehicle, payload: Buffer) =>
    ingestBatch(database, 8, [
      batchRow(
        { topic: d2cTopic.of(vehicle.systemId), payload, receivedAt: now, publisher: null },
        d2cTopic,
      ),
    ]);

  test('an unacknowledged trigger is repeated with doubling pauses up to 6 h, then undelivered', async () => {
    const vehicle = vehicleOf(1);
    await register(vehicle);
    startSender();
    await trigger('silent', [vehicle]);
    await recorded();
    for (let at = await nextDue(); at !== undefined; at = await nextDue()) await passTo(at);
    expect(published).toHaveLength(DEFAULT_RETRY.maxSends);
    expect(new Set(published.map(({ message_id }) => message_id)).size).toBe(1);
    const pauses = published.slice(1).map(({ at }, n) => at - (published[n]?.at ?? 0));
    for (const [n, pause] of pauses.entries()) {
      const wanted = Math.min(30 * SECOND * 2 ** n, 6 * HOUR);
      expect(pause).toBeGreaterThanOrEqual(wanted * 0.8);
      expect(pause).toBeLessThanOrEqual(wanted);
    }
    expect(await stands('silent', vehicle)).toMatchObject({ state: 'undelivered', sends: 20 });
    const [log] = await database.query<{ what: string; n: number }>(
      `select what, count(*) as n from delivery_log group by what order by n desc`,
    );
    expect(log).toEqual({ what: 'sent', n: 20 });
  });

  test('a trigger expires with its ttl, however many sends are left', async () => {
    const vehicle = vehicleOf(2);
    await register(vehicle);
    startSender();
    await trigger('short', [vehicle], { ttl: 100 });
    await recorded();
    for (let at = await nextDue(); at !== undefined; at = await nextDue()) await passTo(at);
    expect(now).toBe(START + 100 * SECOND);
    expect(await stands('short', vehicle)).toMatchObject({ state: 'expired', delivery: 'expired' });
    expect(published.length).toBeGreaterThan(1);
    for (const { at } of published) expect(at).toBeLessThan(START + 100 * SECOND);
  });

  test('a trigger without ack_required is sent once, and no vehicle is open', async () => {
    const vehicle = vehicleOf(3);
    await register(vehicle);
    startSender();
    await trigger('once', [vehicle], { ack_required: '0' });
    await recorded();
    await passTo(START + 12 * HOUR);
    expect(published).toHaveLength(1);
    expect((await findOperation(database, 'once'))?.progress).toMatchObject({
      states: { sent: 1 },
      open: 0,
    });
  });

  test('a vehicle registered later is triggered at once', async () => {
    const vehicle = vehicleOf(4);
    const sender = startSender();
    await trigger('later', [vehicle]);
    await passTo(START + 2 * HOUR);
    expect(await stands('later', vehicle)).toMatchObject({ state: 'device_not_found', sends: 0 });
    await register(vehicle);
    sender.wake();
    await recorded();
    expect(published.map(({ vin }) => vin)).toEqual([vehicle.vin]);
    expect(await stands('later', vehicle)).toMatchObject({ state: 'sent' });
  });

  test('a vehicle unregistered before its turn is device_not_found', async () => {
    const vehicle = vehicleOf(5);
    await register(vehicle);
    await trigger('left', [vehicle]);
    await database.query('delete from vehicles');
    startSender();
    await recorded();
    expect(published).toEqual([]);
    expect(await stands('left', vehicle)).toMatchObject({ state: 'device_not_found' });
  });

  test('a trigger that the broker does not accept is retried with the same message_id', async () => {
    const vehicle = vehicleOf(6);
    await register(vehicle);
    brokerTakes = false;
    startSender();
    await trigger('full', [vehicle]);
    await recorded();
    expect(await stands('full', vehicle)).toMatchObject({ state: 'pending', sends: 0 });
    brokerTakes = true;
    await passTo(START + 6 * SECOND);
    expect(published).toHaveLength(1);
  });

  test('a vehicle that comes online gets unacknowledged triggers at once, which use up no attempt', async () => {
    const vehicle = vehicleOf(7);
    await register(vehicle);
    const sender = startSender();
    await trigger('there', [vehicle]);
    await recorded();
    for (let n = 1; n <= 30; n++) {
      now = START + n * 31 * SECOND;
      sender.vehicleConnected(vehicle.systemId);
      await eventually(
        () => Promise.resolve(published.length),
        (length) => length > n,
      );
      await recorded();
    }
    expect(published.length).toBeGreaterThan(DEFAULT_RETRY.maxSends);
    expect(await stands('there', vehicle)).toMatchObject({ state: 'sent' });
    const ack = {
      messageId: 'msg-dev-ack',
      correlationId: published[0]?.message_id ?? '',
      time: 0,
    };
    await receive(vehicle, ackBytes(vehicle, { ...ack, time: Math.floor(now / 1000) }));
    const before = published.length;
    sender.vehicleConnected(vehicle.systemId);
    await passTo(now + 12 * HOUR);
    expect(published).toHaveLength(before);
  });

  test('any message shows that a vehicle is online, except one that crosses the trigger', async () => {
    const vehicle = vehicleOf(8);
    await register(vehicle);
    const sender = startSender();
    await trigger('heard', [vehicle]);
    await recorded();
    // Three sends: the next one is minutes away.
    await passTo(START + 40 * SECOND);
    await passTo(START + 120 * SECOND);
    expect(published).toHaveLength(3);
    now = START + 125 * SECOND;
    sender.vehicleSeen(vehicle.systemId);
    await passTo(START + 126 * SECOND);
    expect(published).toHaveLength(3);
    now = START + 200 * SECOND;
    sender.vehicleSeen(vehicle.systemId);
    sender.wake();
    await eventually(
      () => Promise.resolve(published.length),
      (length) => length === 4,
    );
  });

  test('the global rate limit holds for two senders together, and can be changed', async () => {
    const vehicles = Array.from({ length: 200 }, (_, n) => vehicleOf(100 + n));
    await register(...vehicles);
    await database.transaction((tx) => setGroupRate(tx, 10));
    startSender();
    startSender();
    await trigger('limited', vehicles, { ack_required: '0' });
    const until = async (expected: number) =>
      eventually(
        () => Promise.resolve(published.length),
        (length) => length >= expected,
      );
    await until(10);
    for (let s = 1; s <= 9; s++) {
      now = START + s * SECOND;
      for (const sender of senders) sender.wake();
      await until(10 + s * 10);
    }
    // Exactly as many as the limit allows were sent.
    expect(published).toHaveLength(100);
    await database.transaction((tx) => setGroupRate(tx, null));
    for (const sender of senders) sender.wake();
    await until(200);
    expect(new Set(published.map(({ vin }) => vin)).size).toBe(200);
  });

  test('an operation’s rate can grow with its successes, and be changed while it runs', async () => {
    const vehicles = Array.from({ length: 60 }, (_, n) => vehicleOf(400 + n));
    await register(...vehicles);
    startSender();
    await trigger('growing', vehicles, {
      rate: { perSecond: 1, factor: 10, after: 2, of: 'succeeded' },
    });
    const at = async (s: number, expected: number) => {
      now = START + s * SECOND;
      for (const sender of senders) sender.wake();
      await eventually(
        () => Promise.resolve(published.length),
        (length) => length >= expected,
      );
      expect(published).toHaveLength(expected);
    };
    await at(0, 1);
    await at(1, 2);
    await at(2, 3);
    for (const { vin, message_id } of published.slice(0, 2)) {
      const vehicle = vehicles.find((candidate) => candidate.vin === vin) ?? vehicleOf(0);
      const event = {
        messageId: `msg-dev-${vin}`,
        correlationId: message_id,
        refId: 'growing',
        status: 'success' as const,
        timestamp: Math.floor(now / 1000),
      };
      expect(await receive(vehicle, eventBytes(vehicle, event))).toMatchObject({ applied: 1 });
    }
    await at(3, 13);
    await changeDispatch(database, await idOf('growing'), { rate: null }, { now, by: TESTER });
    await at(3, 60);
  });

  test('a paused operation sends nothing until it is resumed', async () => {
    const vehicle = vehicleOf(9);
    await register(vehicle);
    await trigger('paused', [vehicle]);
    const id = await idOf('paused');
    await setPaused(database, id, true, { now, by: TESTER });
    startSender();
    await trigger('other', [vehicle]);
    await recorded();
    expect(published).toHaveLength(1);
    await setPaused(database, id, false, { now, by: TESTER });
    await passTo(START + SECOND);
    expect(published).toHaveLength(2);
  });

  test('an urgent operation overtakes a large campaign', async () => {
    const vehicles = Array.from({ length: 300 }, (_, n) => vehicleOf(700 + n));
    await register(...vehicles);
    await database.transaction((tx) => setGroupRate(tx, 100));
    await trigger('large', vehicles, { ack_required: '0' });
    await trigger('urgent', vehicles.slice(0, 50), { priority: 8, ack_required: '0' });
    startSender();
    await eventually(
      () => Promise.resolve(published.length),
      (length) => length >= 100,
    );
    const urgent = await findOperation(database, 'urgent');
    await eventually(
      async () => (await findOperation(database, 'urgent'))?.progress.states,
      (states) => states?.sent === 50,
    );
    expect(urgent?.progress.vehicles).toBe(50);
    expect(published).toHaveLength(100);
  });
});
