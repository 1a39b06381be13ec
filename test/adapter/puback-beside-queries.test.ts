/** People's queries take no connection from vehicles: with all of their connections in use, PUBACKs continue. */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';
import { LANE_CONNECTIONS } from '../../src/service/database/lanes.js';
import { eventually, startTestAdapter, type TestAdapter } from '../support/adapter.js';
import { newDatabase, type TestDatabase } from '../support/databases.js';
import { eventBytes, type TestVehicle, vehicleOf } from '../support/messages.js';
import { connectVehicle, type MqttVehicle } from '../support/mqtt-vehicle.js';

const [connected, waiting] = [vehicleOf(1, 'PBK'), vehicleOf(2, 'PBK')];
const ATTEMPTS = 3 * (LANE_CONNECTIONS.reading + LANE_CONNECTIONS.requests);
let stored: TestDatabase;
let t: TestAdapter;
let link: MqttVehicle;
beforeAll(async () => {
  stored = await newDatabase(ADAPTER_SCHEMA);
  // People's queries may take as long as they like.
  t = await startTestAdapter({ databaseUrl: stored.url, searchSeconds: 600 });
  await t.register(connected, waiting);
  await t.trigger('starved', [connected.vin, waiting.vin]);
  link = await connectVehicle(t.adapter.mqttUrl, connected);
});
afterAll(async () => {
  await link.end();
  await t.stop();
  await stored.drop();
});

const event = (vehicle: TestVehicle) =>
  eventBytes(vehicle, {
    messageId: `msg-dev-${vehicle.vin}`,
    correlationId: '',
    refId: 'starved',
    status: 'received',
    timestamp: Date.now(),
  });

test('with every connection for reading and for requests held by slow queries, events are stored and vehicles sign in', async () => {
  const blocker = new pg.Client(stored.url);
  const watch = new pg.Client(stored.url);
  await Promise.all([blocker.connect(), watch.connect()]);
  const blocked = async () => {
    const { rowCount } = await watch.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rowCount ?? 0;
  };
  // Lists of the audit log read this table, and each control action writes to it; messages of vehicles do neither.
  await blocker.query('begin; lock table audit.entries in access exclusive mode');
  const asked = Array.from({ length: ATTEMPTS }, () => [
    t.call('GET', '/v1.0/audit').catch(() => undefined),
    t.call('POST', '/v1.0/ota/operations/starved/pause').catch(() => undefined),
  ]).flat();
  const all = LANE_CONNECTIONS.reading + LANE_CONNECTIONS.requests;
  await eventually(blocked, (number) => number >= all);

  await link.send(event(connected));
  const late = await connectVehicle(t.adapter.mqttUrl, waiting);
  await late.send(event(waiting));
  await late.end();
  // Both PUBACKs have arrived, and no query has made way.
  expect(await blocked()).toBeGreaterThanOrEqual(all);

  await blocker.query('rollback');
  await Promise.all(asked);
  await Promise.all([blocker.end(), watch.end()]);
  for (const { vin } of [connected, waiting]) {
    const { body } = await t.call('GET', `/v1.0/ota/operations/starved/vehicles/${vin}`);
    expect(body.state).toBe('received');
  }
});
