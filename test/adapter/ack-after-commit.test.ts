/** PUBACK follows the commit: while the database is down, nothing is acknowledged, and nothing is lost. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestAdapter, eventually, type TestAdapter } from '../support/adapter.js';
import { eventBytes, vehicleOf } from '../support/messages.js';
import { connectVehicle, type MqttVehicle } from '../support/mqtt-vehicle.js';
import { type Server, startPostgres } from '../support/servers.js';

const vehicle = vehicleOf(1);

describe('an adapter whose database becomes unavailable', () => {
  let postgres: Server;
  let t: TestAdapter;
  let connection: MqttVehicle;

  beforeAll(async () => {
    postgres = await startPostgres();
    t = await startTestAdapter({ databaseUrl: `${postgres.url}/postgres` });
    await t.register(vehicle);
    await t.trigger('r', [vehicle.vin]);
    connection = await connectVehicle(t.adapter.mqttUrl, vehicle);
  });
  afterAll(async () => {
    await connection.end();
    await t.stop();
    await postgres.stop();
  });

  const send = (n: number) =>
    connection.send(
      eventBytes(vehicle, {
        messageId: `msg-dev-${n}`,
        correlationId: '',
        refId: 'r',
        status: 'downloading',
        timestamp: Date.now(),
      }),
    );
  const path = `/v1.0/ota/operations/r/vehicles/${vehicle.vin}`;
  const historyLength = async () => {
    const { status, body } = await t.call('GET', path);
    return status === 200 ? (body.history as unknown[]).length : 0;
  };

  test('acknowledges while the database is available', async () => {
    await send(1);
    expect(await historyLength()).toBe(1);
  });

  test('withholds PUBACKs while the database is down, reports it, and continues afterwards', async () => {
    await postgres.kill();
    let acknowledged = 0;
    const sending = Array.from({ length: 50 }, (_, n) => send(100 + n).then(() => acknowledged++));
    await eventually(
      async () => (await t.call('GET', '/readyz')).body,
      (body) => body.database === false,
    );
    // The receiver has failed at least once.
    await eventually(
      async () => String((await t.call('GET', '/metrics')).body),
      (metrics) => /otaops_failures_total\{part="d2c-receiver"\} [1-9]/.test(metrics),
    );
    expect(acknowledged).toBe(0);
    expect((await t.call('GET', path)).status).toBe(503);
    expect((await t.call('GET', '/healthz')).status).toBe(200);

    await postgres.restart();
    await Promise.all(sending);
    expect(acknowledged).toBe(50);
    expect(await historyLength()).toBe(51);
    expect(await t.storedMessages()).toBe(51);
  });
});
