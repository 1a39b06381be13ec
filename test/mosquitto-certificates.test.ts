/** The Mosquitto configuration with client certificates (deploy/mosquitto) works as documented. */
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newDeviceMessageId } from '../src/contract/index.js';
import { type Server, startMosquittoWith } from '../src/test-bed/index.js';
import { eventually, startTestAdapter, type TestAdapter } from './support/adapter.js';
import { hasMosquitto } from './support/databases.js';
import { eventBytes, type TestVehicle, vehicleOf } from './support/messages.js';
import { OpensslAuthority, type Pair, pemOf } from './support/openssl-authority.js';
import { freePort } from './support/servers.js';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

describe.skipIf(!hasMosquitto())('Mosquitto with client certificates', () => {
  const vehicles = new OpensslAuthority('Vehicles');
  const adapters = new OpensslAuthority('Adapters');
  const [alice, bob] = [vehicleOf(1, 'MST'), vehicleOf(2, 'MST')];
  let broker: Server;
  let folder: string;
  let t: TestAdapter;
  beforeAll(async () => {
    const adapterPort = await freePort();
    const own = adapters.server();
    broker = await startMosquittoWith(({ directory, port }) => {
      folder = directory;
      const install = (from: string, name: string) => {
        copyFileSync(from, join(directory, name));
        chmodSync(join(directory, name), 0o644);
      };
      install(vehicles.ca, 'vehicle-ca.pem');
      install(vehicles.crl, 'vehicle-crl.pem');
      install(adapters.ca, 'adapter-ca.pem');
      install(own.cert, 'broker.pem');
      install(own.key, 'broker.key');
      for (const acl of ['acl-vehicles', 'acl-adapters']) {
        writeFileSync(join(directory, acl), read(`deploy/mosquitto/${acl}`), { mode: 0o644 });
      }
      return read('deploy/mosquitto/certificates.conf')
        .replaceAll('/mosquitto/config/', `${directory}/`)
        .replace('/mosquitto/data/', `${directory}/`)
        .replace('listener 8883', `listener ${port} 127.0.0.1`)
        .replace('listener 8884', `listener ${adapterPort} 127.0.0.1`);
    });
    const { cert, key } = adapters.issue('otaops-adapter');
    t = await startTestAdapter({
      mqttUrl: `mqtts://127.0.0.1:${adapterPort}`,
      mqttCa: adapters.ca,
      mqttCert: cert,
      mqttKey: key,
    });
    await t.register(alice, bob);
    await eventually(
      async () => (await t.call('GET', '/readyz')).status,
      (status) => status === 200,
    );
  });
  afterAll(async () => {
    await t.stop();
    await broker.stop();
  });

  const connect = (pair: Pair | undefined, clientId = 'whatever it says') => {
    const client = mqtt.connect(broker.url.replace('mqtt:', 'mqtts:'), {
      clientId,
      ca: readFileSync(adapters.ca),
      ...(pair ? pemOf(pair) : {}),
      reconnectPeriod: 0,
      protocolVersion: 4,
    });
    return new Promise<MqttClient>((resolve, reject) => {
      client.once('connect', () => resolve(client));
      client.once('error', reject);
      client.once('close', () => reject(new Error('the connection was closed')));
    });
  };
  const event = (of: TestVehicle) =>
    eventBytes(of, {
      messageId: newDeviceMessageId(),
      correlationId: '',
      refId: 'certified',
      status: 'success',
      timestamp: Date.now(),
    });

  test('a vehicle gets its trigger and reports, and cannot publish as another', async () => {
    const client = await connect(vehicles.issue(alice.systemId));
    const received = new Promise<string>((resolve) => client.once('message', resolve));
    await client.subscribeAsync(`c2d/${alice.systemId}`, { qos: 1 });
    await t.trigger('certified', [alice.vin, bob.vin]);
    expect(await received).toBe(`c2d/${alice.systemId}`);
    // Refused: some releases acknowledge it anyway, others end the connection.
    const ended = new Promise<void>((resolve) => client.once('close', resolve));
    const foreign = client.publishAsync(`d2c/${bob.systemId}`, event(bob), { qos: 1 });
    await Promise.race([ended, foreign.catch(() => undefined)]);
    client.end(true);
    // A later message arrives, which shows that the refused one did not.
    const again = await connect(vehicles.issue(alice.systemId));
    await again.publishAsync(`d2c/${alice.systemId}`, event(alice), { qos: 1 });
    const state = async ({ vin }: TestVehicle) =>
      (await t.call('GET', `/v1.0/ota/operations/certified/vehicles/${vin}`)).body.state as string;
    await eventually(
      () => state(alice),
      (reached) => reached === 'success',
    );
    expect(await state(bob)).not.toBe('success');
    again.end(true);
  });

  test('a missing certificate, and an adapter’s, which is of another authority, are refused', async () => {
    await expect(connect(undefined)).rejects.toThrow();
    await expect(connect(adapters.issue('otaops-adapter'))).rejects.toThrow();
  });

  test('a vehicle’s certificate with the name of the adapters’ account has none of that account’s rights', async () => {
    const client = await connect(vehicles.issue('otaops-adapter'));
    const heard: string[] = [];
    client.on('message', (topic) => heard.push(topic));
    for (const topic of ['d2c/+', 'c2d/+', 'otaops/+']) {
      await client.subscribeAsync(topic, { qos: 1 }).catch(() => undefined);
    }
    const other = await connect(vehicles.issue(alice.systemId));
    await other.publishAsync(`d2c/${alice.systemId}`, event(alice), { qos: 1 });
    // A message on its own topic comes last.
    await client.subscribeAsync('c2d/otaops-adapter', { qos: 1 });
    await t.register({ ...bob, systemId: 'otaops-adapter' });
    await t.trigger('same name', [bob.vin]);
    await eventually(
      () => Promise.resolve(heard),
      (topics) => topics.length > 0,
    );
    expect(heard).toEqual(['c2d/otaops-adapter']);
    other.end(true);
    client.end(true);
    await t.register(bob);
  });

  test('a revoked certificate is refused once the list is replaced and SIGHUP is sent', async () => {
    const pair = vehicles.issue(bob.systemId);
    (await connect(pair)).end(true);
    vehicles.revoke(pair);
    copyFileSync(vehicles.crl, join(folder, 'vehicle-crl.pem'));
    process.kill(broker.pid, 'SIGHUP');
    await eventually(
      () =>
        connect(pair).then(
          (client) => {
            client.end(true);
            return 'connected';
          },
          () => 'refused',
        ),
      (outcome) => outcome === 'refused',
    );
    (await connect(vehicles.issue(bob.systemId))).end(true);
  });
});
