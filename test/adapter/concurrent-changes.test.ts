/** A delivery that another transaction changes while a batch waits for its lock: neither change is lost. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { batchRow, ingestBatch } from '../../src/adapter/d2c-receiver/index.js';
import { acceptTrigger, findOperation } from '../../src/adapter/operations/index.js';
import { registerVehicles } from '../../src/adapter/registry/index.js';
import { topicTemplate } from '../../src/contract/index.js';
import { type Database, only } from '../../src/service/database/index.js';
import { openTestDatabase } from '../support/databases.js';
import { eventBytes, type TestVehicle, vehicleOf } from '../support/messages.js';

const NOW = Date.UTC(2026, 5, 3, 12);
const d2cTopic = topicTemplate('d2c/{system_id}');
const FLEET = Array.from({ length: 5 }, (_, n) => vehicleOf(n));

let database: Database;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ database, close } = await openTestDatabase());
  const registrations = FLEET.map(({ vin, systemId }) => ({ vin, system_id: systemId }));
  await registerVehicles(database, 0, registrations, NOW);
});
afterAll(() => close());

const trigger = async (refId: string) => {
  const vins = FLEET.map(({ vin }) => vin);
  const body = { model: 'm', 'ref-id': refId, 'script-ref-id': 's', vins };
  const event = { time: NOW, version: 'v1' as const, body };
  await acceptTrigger(database, event, { shard: 0, by: 'test', now: NOW });
  return (await findOperation(database, refId))?.id ?? 0;
};

const event = (vehicle: TestVehicle, refId: string, n: number) => {
  const facts = { correlationId: '', status: 'downloading' as const, timestamp: NOW + n };
  const payload = eventBytes(vehicle, { ...facts, messageId: `msg-dev-${n}`, refId });
  const topic = d2cTopic.of(vehicle.systemId);
  return batchRow({ topic, payload, receivedAt: NOW, publisher: null }, d2cTopic);
};

const isSomeoneWaiting = async () =>
  only(
    await database.query<{ waiting: boolean }>(
      `select exists (
         select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
       ) as waiting`,
    ),
  ).waiting;

const deliveries = (operationId: number) =>
  database.query<{ vin: string; state: string; sends: number; digests: number }>(
    `select vin, state, sends, cardinality(digests) as digests from deliveries
     where operation_id = $1 order by vin`,
    [operationId],
  );

const counted = (operationId: number) =>
  database.query<{ state: string; vehicles: number }>(
    `select state, sum(vehicles)::integer as vehicles from operation_counters
     where operation_id = $1 group by state having sum(vehicles) <> 0`,
    [operationId],
  );

/** Stores a batch that waits for a change of one vehicle's delivery to commit. */
async function storeBeside(
  operationId: number,
  changed: TestVehicle,
  rows: ReturnType<typeof event>[],
) {
  const { batch } = await database.transaction(async (tx) => {
    await tx.query('update deliveries set sends = sends + 1 where operation_id = $1 and vin = $2', [
      operationId,
      changed.vin,
    ]);
    const batch = ingestBatch(database, 1, rows);
    await expect.poll(isSomeoneWaiting).toBe(true);
    // In an object, because the transaction would wait for a bare promise before committing.
    return { batch };
  });
  return batch;
}

test.each(FLEET.map((vehicle, place) => ({ place, vehicle })))(
  'a delivery at place $place of the batch keeps both changes',
  async ({ place, vehicle: changed }) => {
    const refId = `place-${place}`;
    const id = await trigger(refId);
    const rows = FLEET.map((vehicle) => event(vehicle, refId, 1));
    expect(await storeBeside(id, changed, rows)).toMatchObject({ applied: FLEET.length });
    expect(await deliveries(id)).toEqual(
      FLEET.map(({ vin }) => ({
        vin,
        state: 'downloading',
        sends: vin === changed.vin ? 1 : 0,
        digests: 1,
      })),
    );
    expect(await counted(id)).toEqual([{ state: 'downloading', vehicles: FLEET.length }]);
    expect(await ingestBatch(database, 1, rows)).toMatchObject({ duplicates: FLEET.length });
  },
);

test('a delivery with several messages in the batch keeps both changes', async () => {
  const id = await trigger('several');
  const [first, second] = FLEET as [TestVehicle, TestVehicle];
  const rows = [1, 2, 3].flatMap((n) => [event(first, 'several', n), event(second, 'several', n)]);
  expect(await storeBeside(id, second, rows)).toMatchObject({ applied: 6 });
  const stored = await deliveries(id);
  expect(stored.slice(0, 2)).toEqual([
    { vin: first.vin, state: 'downloading', sends: 0, digests: 3 },
    { vin: second.vin, state: 'downloading', sends: 1, digests: 3 },
  ]);
});

test('a message that another adapter stores meanwhile is a duplicate', async () => {
  const id = await trigger('twice');
  const rows = FLEET.map((vehicle) => event(vehicle, 'twice', 1));
  const { waiting, first } = await database.transaction(async (tx) => {
    const first = await ingestBatch(tx, 1, rows.slice(2, 3));
    const waiting = ingestBatch(database, 2, rows);
    await expect.poll(isSomeoneWaiting).toBe(true);
    return { waiting, first };
  });
  expect(first).toMatchObject({ applied: 1 });
  expect(await waiting).toMatchObject({ applied: FLEET.length - 1, duplicates: 1 });
  expect((await deliveries(id)).map(({ digests }) => digests)).toEqual(FLEET.map(() => 1));
});
