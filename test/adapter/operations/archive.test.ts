/** Operations that finished long ago are archived: vehicles and history are deleted, the counts stay. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADAPTER_SCHEMA } from '../../../src/adapter/schema.js';
import { batchRow, ingestBatch } from '../../../src/adapter/d2c-receiver/index.js';
import { startMaintenance } from '../../../src/adapter/maintenance.js';
import {
  acceptTrigger,
  archiveOperations,
  cancelOperation,
  findOperation,
} from '../../../src/adapter/operations/index.js';
import { assignPositions } from '../../../src/adapter/event-stream/index.js';
import { registerVehicles } from '../../../src/adapter/registry/index.js';
import { type EventStatusName, topicTemplate } from '../../../src/contract/index.js';
import { type Database, migrate, openPostgres } from '../../../src/service/database/index.js';
import { startTestAdapter, TESTER, type TestAdapter } from '../../support/adapter.js';
import { emptyPostgresUrl, openTestDatabase } from '../../support/databases.js';
import { eventBytes, type TestVehicle, vehicleOf } from '../../support/messages.js';

const DAY = 24 * 60 * 60 * 1000;
const LONG_AGO = Date.UTC(2025, 5, 3, 12);
const d2cTopic = topicTemplate('d2c/{system_id}');
const TABLES = ['deliveries', 'delivery_digests', 'messages', 'delivery_log'];

const operations = (database: Database) => ({
  async begin(refId: string, fleet: readonly TestVehicle[], now = LONG_AGO) {
    const vehicles = fleet.map(({ vin, systemId }) => ({ vin, system_id: systemId }));
    await registerVehicles(database, 0, vehicles, now);
    const vins = fleet.map(({ vin }) => vin);
    const body = { model: 'm', 'ref-id': refId, 'script-ref-id': 's', vins };
    await acceptTrigger(database, { time: now, version: 'v1', body }, { shard: 0, by: 't', now });
    return (await findOperation(database, refId))?.id ?? 0;
  },
  report(
    refId: string,
    fleet: readonly TestVehicle[],
    status: EventStatusName,
    { at = LONG_AGO, events = 1 } = {},
  ) {
    const rows = fleet.flatMap((vehicle) =>
      Array.from({ length: events }, (_, n) => {
        const facts = { messageId: `msg-dev-${status}-${n}`, correlationId: '', timestamp: at };
        const payload = eventBytes(vehicle, { ...facts, refId, status });
        const topic = d2cTopic.of(vehicle.systemId);
        return batchRow({ topic, payload, receivedAt: at, publisher: null }, d2cTopic);
      }),
    );
    return ingestBatch(database, 1, rows);
  },
  async rowsOf(id: number) {
    const counts: Record<string, number> = {};
    for (const table of TABLES) {
      const [row] = await database.query<{ n: number }>(
        `select count(*) as n from ${table} where operation_id = $1`,
        [id],
      );
      counts[table] = row?.n ?? 0;
    }
    return counts;
  },
});

const NOTHING = { deliveries: 0, delivery_digests: 0, messages: 0, delivery_log: 0 };

describe('on PostgreSQL', () => {
  let database: Database;
  let close: () => Promise<void>;
  let of: ReturnType<typeof operations>;
  let made = 0;
  const fleetOf = (size: number) => Array.from({ length: size }, () => vehicleOf(++made));

  beforeAll(async () => {
    ({ database, close } = await openTestDatabase());
    of = operations(database);
  });
  afterAll(() => close());

  const archive = (days: number) =>
    archiveOperations(database, {
      before: LONG_AGO + days * DAY,
      now: LONG_AGO + days * DAY,
    });

  test('archiving a finished operation deletes all that was received, and keeps its counts', async () => {
    const fleet = fleetOf(3);
    const id = await of.begin('finished', fleet);
    await of.report('finished', fleet, 'downloading', { events: 80 });
    await of.report('finished', fleet, 'success', { at: LONG_AGO + DAY });
    const progress = (await findOperation(database, 'finished'))?.progress;
    expect(await of.rowsOf(id)).toMatchObject({ deliveries: 3, delivery_digests: 3 * 81 });

    expect(await archive(1), 'active since').toEqual({ operations: 0, vehicles: 0 });
    expect(await archive(2)).toEqual({ operations: 1, vehicles: 3 });
    expect(await of.rowsOf(id)).toEqual(NOTHING);
    const operation = await findOperation(database, 'finished');
    expect(operation?.archived_at).toEqual(new Date(LONG_AGO + 2 * DAY));
    expect(operation?.progress).toEqual({ ...progress, finishedPerMinute: 0 });
    expect(await archive(3), 'once').toEqual({ operations: 0, vehicles: 0 });
  });

  test('an open operation is not archived; a cancelled one is', async () => {
    const [done, silent] = fleetOf(2) as [TestVehicle, TestVehicle];
    const id = await of.begin('awaited', [done, silent]);
    await of.report('awaited', [done], 'success');
    await of.report('awaited', [silent], 'downloading');
    expect(await archive(400)).toEqual({ operations: 0, vehicles: 0 });
    const now = LONG_AGO + 400 * DAY;
    await cancelOperation(database, id, { shard: 0, now, by: TESTER });
    expect(await archive(401)).toEqual({ operations: 1, vehicles: 2 });
    expect(await of.rowsOf(id)).toEqual(NOTHING);
  });

  test('later messages are dead letters with the reason, and the ref-id accepts no vehicles', async () => {
    const [vehicle] = fleetOf(1) as [TestVehicle];
    await of.begin('late', [vehicle]);
    await of.report('late', [vehicle], 'success');
    await archive(2);
    const at = LONG_AGO + 3 * DAY;
    const outcome = await of.report('late', [vehicle], 'failure', { at });
    expect(outcome).toMatchObject({ deadLetters: 1, reasons: { OPERATION_ARCHIVED: 1 } });
    await expect(of.begin('late', [vehicle], at)).rejects.toMatchObject({
      code: 'OPERATION_ARCHIVED',
    });
  });

  test('archiving can be interrupted between two chunks, and the next run continues', async () => {
    const fleet = fleetOf(1_200);
    const id = await of.begin('large', fleet);
    await of.report('large', fleet, 'success');
    const stopping = new AbortController();
    let pieces = 0;
    const interrupted: Database = {
      ...database,
      transaction: async (work) => {
        const result = await database.transaction(work);
        // The first transaction is the operation's own, then one per chunk.
        if (++pieces === 2) stopping.abort();
        return result;
      },
    };
    const options = { before: LONG_AGO + DAY, now: LONG_AGO + DAY, signal: stopping.signal };
    expect(await archiveOperations(interrupted, options)).toEqual({ operations: 1, vehicles: 500 });
    expect(await of.rowsOf(id)).toMatchObject({ deliveries: 700, messages: 700 });
    expect(await archive(2)).toEqual({ operations: 0, vehicles: 700 });
    expect(await of.rowsOf(id)).toEqual(NOTHING);
  });

  test('archiving waits until events are delivered to call-back receivers', async () => {
    const [vehicle] = fleetOf(1) as [TestVehicle];
    const id = await of.begin('told', [vehicle]);
    const before = await assignPositions(database);
    await of.report('told', [vehicle], 'success');
    await assignPositions(database);
    await database.query(
      `insert into callbacks (id, name, url, secret, enabled, created_at, position, due_at)
       values ('c', 'c', 'http://x', 'sealed:v1:', true, now(), $1, now())`,
      [before],
    );
    const maintain = async () => {
      const maintenance = await startMaintenance({
        database,
        clock: () => LONG_AGO + 100 * DAY,
        shard: 0,
        historyDays: undefined,
        operationDays: 30,
        deadLetterDays: undefined,
        onFailure: (error) => expect.fail(error.message),
      });
      await maintenance.run();
      await maintenance.stop();
    };
    await maintain();
    expect(await of.rowsOf(id)).toMatchObject({ deliveries: 1, messages: 1 });
    await database.query('update callbacks set position = $1', [before + 1]);
    await maintain();
    expect(await of.rowsOf(id)).toEqual(NOTHING);
  });
});

const url = await emptyPostgresUrl();

describe('over HTTP', () => {
  let database: Database;
  let adapter: TestAdapter;
  const vehicle = vehicleOf(1);
  const path = '/v1.0/ota/operations/old';

  beforeAll(async () => {
    database = openPostgres({ url });
    await migrate(database, ADAPTER_SCHEMA);
    const of = operations(database);
    await of.begin('old', [vehicle]);
    await of.report('old', [vehicle], 'success');
    await archiveOperations(database, { before: LONG_AGO + DAY, now: LONG_AGO + DAY });
    adapter = await startTestAdapter({ databaseUrl: url });
  });
  afterAll(async () => {
    await adapter.stop();
    await database.close();
  });

  test('the operation is shown as archived, with its counts', async () => {
    const { status, body } = await adapter.call('GET', path);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      archivedAt: new Date(LONG_AGO + DAY).toISOString(),
      vehicles: 1,
      succeeded: 1,
      states: { success: 1 },
    });
    expect((await adapter.call('GET', `${path}/samples`)).status).toBe(200);
  });

  test.each([
    'vehicles',
    'vehicle-count',
    'summary',
    'export',
    `vehicles/${vehicle.vin}`,
    `vehicles/${vehicle.vin}/timeline`,
    `vehicles/${vehicle.vin}/messages/msg-dev-success-0`,
  ])('GET %s answers that the operation is archived', async (what) => {
    const { status, body } = await adapter.call('GET', `${path}/${what}`);
    expect([status, body.errorCode]).toEqual([410, 'OPERATION_ARCHIVED']);
    expect(body.errorMessage).toContain('2025-06-04');
  });

  test.each([
    ['POST', 'pause', {}],
    ['POST', 'resume', {}],
    ['POST', 'cancel', {}],
    ['PATCH', '', { priority: 3 }],
    ['POST', 'retrigger', { state: 'success' }],
  ])('%s %s is refused', async (method, what, body) => {
    const answer = await adapter.call(method, `${path}${what === '' ? '' : `/${what}`}`, { body });
    expect([answer.status, answer.body.errorCode]).toEqual([410, 'OPERATION_ARCHIVED']);
  });

  test('another trigger with its ref-id is refused', async () => {
    const { body } = await adapter.call('GET', path);
    const answer = await adapter.call('POST', '/v1.0/ota/trigger', {
      body: {
        time: Date.now(),
        version: 'v1',
        body: { model: body.model, 'ref-id': 'old', 'script-ref-id': 's', vins: [vehicle.vin] },
      },
    });
    expect([answer.status, answer.body.errorCode]).toEqual([410, 'OPERATION_ARCHIVED']);
  });
});
