/** People's reads take no database connection from vehicles’ messages, nor from requests that change something. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';
import { type Database, openPostgres } from '../../src/service/database/index.js';
import { newDeviceMessageId } from '../../src/contract/index.js';
import { DEFAULT_HTTP_LIMITS } from '../../src/service/limits/index.js';
import { eventually, startTestAdapter, type TestAdapter } from '../support/adapter.js';
import { newDatabase, type TestDatabase } from '../support/databases.js';
import { eventBytes, vehicleOf } from '../support/messages.js';
import { connectVehicle } from '../support/mqtt-vehicle.js';

const READERS = 60;
const SEARCH_SECONDS = 4;
let stored: TestDatabase;
let database: Database;
let t: TestAdapter;
beforeAll(async () => {
  stored = await newDatabase(ADAPTER_SCHEMA);
  database = openPostgres({ url: stored.url });
  t = await startTestAdapter({
    databaseUrl: stored.url,
    searchSeconds: SEARCH_SECONDS,
    httpLimits: {
      ...DEFAULT_HTTP_LIMITS,
      loads: { ...DEFAULT_HTTP_LIMITS.loads, search: { perToken: READERS, inAll: READERS } },
    },
  });
});
afterAll(async () => {
  await t.stop();
  await database.close();
  await stored.drop();
});

test('while every search hangs, vehicles get PUBACKs and connect, and triggers are accepted', async () => {
  const [one, two] = [vehicleOf(1, 'LAN'), vehicleOf(2, 'LAN')];
  await t.register(one, two);
  await t.trigger('lanes', [one.vin]);
  const link = await connectVehicle(t.adapter.mqttUrl, one);
  const event = (status: 'received' | 'downloading') =>
    eventBytes(one, {
      messageId: newDeviceMessageId(),
      correlationId: '',
      refId: 'lanes',
      status,
      timestamp: Math.floor(Date.now() / 1000),
    });
  await link.send(event('received'));

  // On a locked table, searches take forever.
  let answers: Promise<number[]> = Promise.resolve([]);
  await database.transaction(async (tx) => {
    await tx.query('lock table operation_samples in access exclusive mode');
    answers = Promise.all(
      Array.from({ length: READERS }, async () => {
        const answer = await t.call('GET', '/v1.0/ota/operations/lanes/samples');
        return answer.status;
      }),
    );
    await eventually(
      async () => {
        const [row] = await database.query<{ waiting: number }>(
          `select count(*) as waiting from pg_stat_activity
           where wait_event_type = 'Lock' and datname = current_database()`,
        );
        return row?.waiting ?? 0;
      },
      (waiting) => waiting >= 4,
    );
    await link.send(event('downloading'));
    await (await connectVehicle(t.adapter.mqttUrl, two)).end();
    expect((await t.trigger('lanes', [two.vin])).status).toBe(202);
    expect((await t.call('GET', '/healthz')).status).toBe(200);
    // Requests that still wait are answered in time: by the limit, not by the lock.
    const statuses = await answers;
    expect(new Set(statuses)).toEqual(new Set([422, 503]));
  });
  expect((await t.call('GET', '/v1.0/ota/operations/lanes/samples')).status).toBe(200);
  await link.end();
});
