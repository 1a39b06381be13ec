/** `otaops vehicle` reports whether the broker accepts it, and retries until it does. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startTestAdapter } from '../support/adapter.js';
import { newAuthority } from '../support/certificates.js';
import { vehicleOf } from '../support/messages.js';
import { otaops } from '../support/process.js';
import { temporaryDirectory } from '../support/servers.js';

test('a rejected credential is reported, and the vehicle connects once it is registered with it', async () => {
  const t = await startTestAdapter();
  const { vin, systemId } = vehicleOf(1, 'CRD');
  const register = (credential: string) =>
    t.call('PUT', `/v1.0/vehicles/${vin}`, { body: { system_id: systemId, credential } });
  await register('another-credential-of-it');
  const folder = temporaryDirectory('vehicle');
  writeFileSync(join(folder, 'anchor.pem'), (await newAuthority('anchor')).certificate.toString());
  const vehicle = otaops([
    'vehicle',
    ...['--vin', vin, '--system-id', systemId, '--model', 'm', '--mqtt-url', t.adapter.mqttUrl],
    ...['--credential', 'the-credential-it-has', '--carota-token', 'x'],
    ...['--trust-anchor', join(folder, 'anchor.pem'), '--vehicle-dir', folder],
    ...['--log-level', 'silent'],
  ]);
  await vehicle.says(/refuses \S+: the vehicle is not registered with this credential/);
  expect(vehicle.output()).not.toMatch(/Connected/);
  await register('the-credential-it-has');
  await vehicle.says(/Connected to mqtt:/);
  vehicle.child.kill('SIGTERM');
  expect(await vehicle.ended).toBe(0);
  await t.stop();
});
