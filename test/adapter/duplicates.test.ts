/** Contract section 5.2: events are distinct by operation, system_id and message_id, forever. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { batchRow, ingestBatch } from '../../src/adapter/d2c-receiver/index.js';
import { dropHistory } from '../../src/adapter/maintenance.js';
import {
  acceptTrigger,
  findDelivery,
  findOperation,
  history,
  retriggerVehicle,
} from '../../src/adapter/operations/index.js';
import { registerVehicles } from '../../src/adapter/registry/index.js';
import { eventBody, assignPositions, readEvents } from '../../src/adapter/event-stream/index.js';
import { cloudMessageId, topicTemplate } from '../../src/contract/index.js';
import { type Database } from '../../src/service/database/index.js';
import { TESTER } from '../support/adapter.js';
import { openTestDatabase } from '../support/databases.js';
import { byDepth, cases } from '../support/depth.js';
import { ackBytes, eventBytes, type TestVehicle, vehicleOf } from '../support/messages.js';

const DAY = 24 * 60 * 60 * 1000;
const NOW = Date.UTC(2026, 5, 3, 12);
const d2cTopic = topicTemplate('d2c/{system_id}');

describe('on PostgreSQL', () => {
  let database: Database;
  let close: () => Promise<void>;
  let vehicles = 0;

  beforeAll(async () => {
    ({ database, close } = await openTestDatabase());
  });
  afterAll(() => close());

  const trigger = async (refId: string, vehicle: TestVehicle) => {
    const body = { model: 'm', 'ref-id': refId, 'script-ref-id': 's', vins: [vehicle.vin] };
    const event = { time: NOW, version: 'v1' as const, body };
    await acceptTrigger(database, event, { shard: 0, by: 'test', now: NOW });
    return (await findOperation(database, refId))?.id ?? 0;
  };
  const newVehicle = async (systemId?: string) => {
    const vehicle = vehicleOf(++vehicles);
    const registered = { ...vehicle, systemId: systemId ?? vehicle.systemId };
    await register(registered);
    return registered;
  };
  const register = ({ vin, systemId }: TestVehicle) =>
    registerVehicles(database, 0, [{ vin, system_id: systemId }], NOW);
  const row = (vehicle: TestVehicle, payload: Uint8Array, receivedAt = NOW) =>
    batchRow(
      { topic: d2cTopic.of(vehicle.systemId), payload, receivedAt, publisher: null },
      d2cTopic,
    );
  const event = (vehicle: TestVehicle, refId: string, n: number | string, receivedAt = NOW) => {
    const facts = { correlationId: '', status: 'downloading' as const, timestamp: NOW };
    return row(
      vehicle,
      eventBytes(vehicle, { ...facts, messageId: `msg-dev-${n}`, refId }),
      receivedAt,
    );
  };
  const arrive = (rows: Parameters<typeof ingestBatch>[2]) => ingestBatch(database, 1, rows);

  test('the same message_id in two operations is two events, in one batch or in two', async () => {
    const vehicle = await newVehicle();
    for (const refId of ['two-1', 'two-2', 'two-3']) await trigger(refId, vehicle);
    const first = await arrive([event(vehicle, 'two-1', 1), event(vehicle, 'two-2', 1)]);
    expect(first).toMatchObject({ applied: 2, duplicates: 0 });
    expect(await arrive([event(vehicle, 'two-3', 1)])).toMatchObject({ applied: 1 });
    expect(await arrive([event(vehicle, 'two-2', 1)])).toMatchObject({ duplicates: 1 });

    const upto = await assignPositions(database);
    const { events } = await readEvents(database, upto - 3, upto);
    const ids = events.map((stored) => eventBody(stored)['event-id']);
    expect(new Set(ids).size, 'a receiver tells them apart').toBe(3);
  });

  test('the same message_id in two unknown operations is two dead letters', async () => {
    const vehicle = await newVehicle();
    const rows = [event(vehicle, 'nowhere-1', 1), event(vehicle, 'nowhere-2', 1)];
    expect(await arrive(rows)).toMatchObject({ deadLetters: 2 });
    expect(await arrive(rows)).toMatchObject({ deadLetters: 0, duplicates: 2 });
  });

  test('the same message_id from another system_id is another event', async () => {
    const vehicle = await newVehicle();
    await trigger('systems', vehicle);
    expect(await arrive([event(vehicle, 'systems', 1)])).toMatchObject({ applied: 1 });
    const exchanged = { ...vehicle, systemId: `c2c-sys-exchanged-${vehicle.vin}` };
    await register(exchanged);
    expect(await arrive([event(exchanged, 'systems', 1)])).toMatchObject({ applied: 1 });
    expect(await arrive([event(exchanged, 'systems', 1)])).toMatchObject({ duplicates: 1 });
  });

  test('control characters in a reason do not mix up the messages of a batch', async () => {
    const vehicles = [await newVehicle(), await newVehicle(), await newVehicle()];
    for (const vehicle of vehicles) await trigger('controls', vehicle);
    const meta = [{ key: 'reason', value: 'a\u0001b\u0002c\u0003d' }];
    const rows = vehicles.map((vehicle) => {
      const facts = { messageId: 'msg-dev-1', correlationId: '', refId: 'controls', meta };
      return row(vehicle, eventBytes(vehicle, { ...facts, status: 'failure', timestamp: NOW }));
    });
    expect(await arrive(rows)).toMatchObject({ applied: 3 });
    const operationId = (await findOperation(database, 'controls'))?.id ?? 0;
    for (const { vin } of vehicles) {
      const delivery = await findDelivery(database, operationId, vin);
      expect(delivery).toMatchObject({ state: 'failure', reason: 'a b c d' });
    }
    const upto = await assignPositions(database);
    const { events } = await readEvents(database, upto - 3, upto);
    expect(
      events.map((stored) => stored.meta),
      'as the vehicle sent it',
    ).toEqual([meta, meta, meta]);
  });

  test('a refused message does not block another one with the same message_id', async () => {
    const vehicle = await newVehicle();
    await trigger('wrong vin', vehicle);
    const wrong = event({ ...vehicle, vin: vehicleOf(999).vin }, 'wrong vin', 1);
    const rows = [wrong, event(vehicle, 'wrong vin', 1)];
    expect(await arrive(rows)).toMatchObject({ applied: 1, deadLetters: 1, duplicates: 0 });
  });

  test('an acknowledgement and an event are never duplicates of each other', async () => {
    const vehicle = await newVehicle();
    const id = await trigger('ack', vehicle);
    const triggerId = (await findDelivery(database, id, vehicle.vin))?.trigger_id ?? '';
    const correlationId = cloudMessageId(triggerId);
    const ack = row(
      vehicle,
      ackBytes(vehicle, { messageId: 'msg-dev-1', correlationId, time: NOW }),
    );
    expect(await arrive([event(vehicle, 'ack', 1), ack])).toMatchObject({ applied: 2 });
    expect(await arrive([ack, event(vehicle, 'ack', 1)])).toMatchObject({ duplicates: 2 });
  });

  test('a duplicate is recognised after a retrigger, and after its history was dropped', async () => {
    const vehicle = await newVehicle();
    const id = await trigger('later', vehicle);
    expect(await arrive([event(vehicle, 'later', 1)])).toMatchObject({ applied: 1 });
    const options = { shard: 0, now: NOW, by: TESTER };
    expect(await retriggerVehicle(database, id, vehicle.vin, options)).toBe(true);
    expect(await arrive([event(vehicle, 'later', 1)])).toMatchObject({ duplicates: 1 });
    await dropHistory(database, NOW + 30 * DAY);
    expect(await history(database, id, vehicle.vin)).toEqual([]);
    const late = event(vehicle, 'later', 1, NOW + 30 * DAY);
    expect(await arrive([late])).toMatchObject({ duplicates: 1 });
  });

  test('each of many events of a vehicle is applied once, in whatever batches it arrives', async () => {
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    const thrice = [...numbers, ...numbers, ...numbers];
    const order = fc.shuffledSubarray(thrice, { minLength: thrice.length });
    const sizes = fc.infiniteStream(fc.integer({ min: 1, max: 60 }));
    const run = { number: 0 };
    await fc.assert(
      fc.asyncProperty(order, sizes, async (arrivals, sizeOfBatch) => {
        const refId = `many ${++run.number}`;
        const vehicle = await newVehicle();
        const id = await trigger(refId, vehicle);
        const applied = { count: 0 };
        for (let at = 0; at < arrivals.length;) {
          const size = sizeOfBatch.next().value as number;
          const batch = arrivals.slice(at, (at += size));
          const outcome = await arrive(batch.map((n) => event(vehicle, refId, n)));
          expect(outcome.applied + outcome.duplicates).toBe(batch.length);
          applied.count += outcome.applied;
        }
        expect(applied.count).toBe(numbers.length);
        const ids = (await history(database, id, vehicle.vin)).map((entry) => entry.message_id);
        expect(ids.toSorted()).toEqual(numbers.map((n) => `msg-dev-${n}`).toSorted());
      }),
      cases({ quick: 2, full: 20 }),
    );
  });

  test('an event costs the same after thousands of earlier ones of the vehicle', async () => {
    const vehicle = await newVehicle();
    await trigger('hostile', vehicle);
    const bytes: number[] = [];
    for (let n = 0; n < EARLIER; n += 500) {
      const rows = Array.from({ length: 500 }, (_, i) => event(vehicle, 'hostile', n + i));
      const before = await written(database);
      expect(await arrive(rows)).toMatchObject({ applied: 500 });
      bytes.push((await written(database)) - before);
    }
    const sum = (part: readonly number[]) => part.reduce((total, value) => total + value, 0);
    const third = bytes.length / 3;
    const early = bytes.slice(third / 2, third * 1.5);
    expect(sum(bytes.slice(-third)) / sum(early)).toBeLessThan(1.5);
  });
});

/** Number of earlier events of the vehicle. */
const EARLIER = byDepth({ quick: 6_000, full: 12_000 });

/** Bytes of WAL written so far. */
async function written(database: Database): Promise<number> {
  const [row] = await database.query<{ bytes: number }>(
    "select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 as bytes",
  );
  return row?.bytes ?? 0;
}
