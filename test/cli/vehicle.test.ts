/** `otaops vehicle` says whether the broker accepts it, and retries until it does. */
import { expect, test } from 'vitest';
import { provisionVehicle } from '../../src/vehicle/index.js';
import { startTestAdapter } from '../support/adapter.js';
import { vehicleOf } from '../support/messages.js';
import { sampleOf } from '../support/depth.js';
import { otaops } from '../support/process.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';
import { UptaneWorld } from '../vehicle/support/uptane-world.js';

test('a rejected credential is reported, and the vehicle connects once it is registered with it', async () => {
  const t = await startTestAdapter();
  const { vin, systemId } = vehicleOf(1, 'CRD');
  const register = (credential: string) =>
    t.call('PUT', `/v1.0/vehicles/${vin}`, { body: { system_id: systemId, credential } });
  await register('another-credential-of-it');
  const folder = temporaryDirectory('vehicle');
  const ecu = { serial: 'p-1', name: 'OTA-MANAGER', hardwareId: 'hw', isPrimary: true };
  const description = Buffer.from(JSON.stringify({ vin, ecus: [ecu] }));
  provisionVehicle(folder, description, new UptaneWorld().trust);
  const vehicle = otaops([
    'vehicle',
    ...['--vin', vin, '--system-id', systemId, '--model', 'm', '--mqtt-url', t.adapter.mqttUrl],
    ...['--credential', 'the-credential-it-has', '--carota-token', 'x'],
    ...['--vehicle-dir', folder, '--log-level', 'silent'],
  ]);
  await vehicle.says(/refuses \S+: the vehicle is not registered with this credential/);
  expect(vehicle.output()).not.toMatch(/Connected/);
  await register('the-credential-it-has');
  await vehicle.says(/Connected to mqtt:/);
  vehicle.child.kill('SIGTERM');
  expect(await vehicle.ended).toBe(0);
  await t.stop();
});

test.each(sampleOf(['--carota-url', '--director-url', '--image-url'], 3))(
  'a vehicle uses no plain HTTP to another machine for its token and orders: %s',
  async (flag) => {
    const folder = temporaryDirectory('vehicle-plain');
    const { vin, systemId } = vehicleOf(2, 'CRD');
    const { code, output } = await runCommand([
      ...['vehicle', '--vin', vin, '--system-id', systemId, '--model', 'm'],
      ...['--mqtt-url', 'mqtt://127.0.0.1:1', '--credential', 'the-credential-it-has'],
      ...['--carota-token', 'x', '--vehicle-dir', folder, flag, 'http://carota.invalid'],
    ]);
    expect(code).toBe(2);
    expect(output).toMatch(/no token is sent to http:\/\/carota\.invalid.*--allow-plain-http/);
  },
);
