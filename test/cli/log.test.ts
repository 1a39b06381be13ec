/** The log of a service: JSON with operation, VIN and message ids, and without secrets. */
import { expect, test } from 'vitest';
import { newDeviceMessageId } from '../../src/contract/index.js';
import { credentialOf, eventually, httpClient } from '../support/adapter.js';
import { eventBytes, vehicleOf } from '../support/messages.js';
import { connectVehicle } from '../support/mqtt-vehicle.js';
import { firstToken, otaops } from '../support/process.js';
import { temporaryDirectory } from '../support/servers.js';

const vehicle = vehicleOf(1, 'LGG');

interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly operation?: string;
  readonly vin?: string;
  readonly messageId?: string;
  readonly reason?: string;
}

test('each message and each control action can be found by operation, VIN and message id', async () => {
  const dataDir = temporaryDirectory('log');
  const ports = ['--http-port', '0', '--mqtt-port', '0'];
  const serve = otaops(['serve', ...ports, '--data-dir', dataDir, '--log-level', 'debug']);
  const [, httpUrl = ''] = await serve.says(/HTTP interface\s+(http:\S+)/);
  const [, mqttUrl = ''] = await serve.says(/MQTT broker\s+(mqtt:\S+)/);
  const token = await firstToken(serve);
  const t = httpClient(httpUrl, token);
  await t.register(vehicle);
  const link = await connectVehicle(mqttUrl, vehicle);
  await t.trigger('logged', [vehicle.vin]);
  const triggerId = (JSON.parse((await link.receive()).toString()) as { message_id: string })
    .message_id;
  const messageId = newDeviceMessageId();
  const event = { correlationId: triggerId, refId: 'logged', status: 'success' as const };
  await link.send(eventBytes(vehicle, { ...event, messageId, timestamp: Date.now() }));
  await link.send('no message');
  const added = await t.call('POST', '/v1.0/callbacks', {
    body: { name: 'x', url: 'https://x.example/' },
  });
  await t.call('POST', '/v1.0/ota/operations/logged/cancel');
  await t.call('GET', '/v1.0/ota/operations', { token: 'otaops_wrong' });
  await eventually(
    () => Promise.resolve(serve.output()),
    (output) => output.includes('operation cancelled'),
  );
  await link.end();
  serve.child.kill('SIGTERM');
  expect(await serve.ended).toBe(0);

  const lines = serve
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine);
  expect(lines.length).toBeGreaterThan(5);
  for (const line of lines) {
    expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(['debug', 'info', 'warn', 'error']).toContain(line.level);
  }
  const about = { operation: 'logged', vin: vehicle.vin };
  expect(lines).toContainEqual(
    expect.objectContaining({ ...about, msg: 'OTA_TRIGGER', messageId: triggerId }),
  );
  expect(lines).toContainEqual(
    expect.objectContaining({ ...about, msg: 'stored: event', messageId, status: 'success' }),
  );
  expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', reason: 'NOT_JSON' }));
  expect(lines).toContainEqual(
    expect.objectContaining({ operation: 'logged', msg: 'operation cancelled' }),
  );
  const log = lines.map((line) => JSON.stringify(line)).join('\n');
  for (const secret of [token, 'otaops_wrong', credentialOf(vehicle.vin), added.body.secret]) {
    expect(log).not.toContain(secret);
  }
});
