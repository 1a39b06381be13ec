/**
 * A connection to the embedded broker belongs to one registration: when that changes or is deleted, the connection ends
 * at every adapter, and nothing passes between it and the next owner of the system_id.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { newDeviceMessageId } from '../../src/contract/index.js';
import { type Database, openPostgres } from '../../src/service/database/index.js';
import { startTestAdapterPair, type TestAdapterPair } from '../support/adapter-pair.js';
import { eventBytes, type TestVehicle, vehicleOf } from '../support/messages.js';
import { connectVehicle, type MqttVehicle } from '../support/mqtt-vehicle.js';

let database: Database;
let t: TestAdapterPair;
beforeAll(async () => {
  t = await startTestAdapterPair();
  database = openPostgres({ url: t.databaseUrl });
});
afterAll(async () => {
  await database.close();
  await t.stop();
});

let vehicle: TestVehicle;
let links: readonly MqttVehicle[];
let number = 0;
const closing = ({ client }: MqttVehicle) =>
  new Promise<void>((resolve) => client.once('close', resolve));
const ended = () => Promise.all(links.map(closing));
beforeEach(async () => {
  vehicle = vehicleOf(++number, 'CHG');
  await t.register(vehicle);
  links = [
    await connectVehicle(t.adapter.mqttUrl, vehicle),
    await connectVehicle(t.other.mqttUrl, vehicle),
  ];
});

const put = (vin: string, registration: object) =>
  t.call('PUT', `/v1.0/vehicles/${vin}`, { body: registration });
const cannotConnect = (credential?: string) =>
  expect(
    connectVehicle(t.other.mqttUrl, vehicle, credential === undefined ? {} : { credential }),
  ).rejects.toThrow('Not authorized');

test('a deleted vehicle is disconnected at every adapter', async () => {
  const closed = ended();
  expect((await t.call('DELETE', `/v1.0/vehicles/${vehicle.vin}`)).status).toBe(204);
  await closed;
  await cannotConnect();
});

test('a new credential ends connections that were opened with the old one', async () => {
  const closed = ended();
  await put(vehicle.vin, { system_id: vehicle.systemId, credential: 'another credential' });
  await closed;
  await cannotConnect();
  const link = await connectVehicle(t.other.mqttUrl, vehicle, { credential: 'another credential' });
  await link.end();
});

test('another system_id ends connections under the old one', async () => {
  const closed = ended();
  await put(vehicle.vin, { system_id: `${vehicle.systemId}-new` });
  await closed;
  await cannotConnect();
});

test('a deletion by SQL statement ends connections too', async () => {
  const closed = ended();
  await database.query('delete from vehicles where vin = $1', [vehicle.vin]);
  await closed;
});

test('a change of other fields leaves the connection open', async () => {
  await put(vehicle.vin, { system_id: vehicle.systemId, ecu_type: 'another' });
  const sentinel = vehicleOf(900 + number, 'CHG');
  await t.register(sentinel);
  const link = await connectVehicle(t.other.mqttUrl, sentinel);
  const closed = closing(link);
  await t.call('DELETE', `/v1.0/vehicles/${sentinel.vin}`);
  // By now, the earlier change has been processed.
  await closed;
  for (const { client } of links) expect(client.connected).toBe(true);
});

test('the previous owner of a reassigned system_id neither gets its trigger nor changes its state', async () => {
  const heir = { ...vehicleOf(500 + number, 'CHG'), systemId: vehicle.systemId };
  const closed = ended();
  await t.call('DELETE', `/v1.0/vehicles/${vehicle.vin}`);
  expect(
    (await put(heir.vin, { system_id: heir.systemId, credential: 'credential of the heir' }))
      .status,
  ).toBe(201);
  await closed;
  const heard: string[] = [];
  for (const { client } of links) client.on('message', (topic) => heard.push(topic));
  expect((await t.trigger('inherited', [heir.vin])).status).toBe(202);
  await cannotConnect();
  for (const { client } of links) {
    const forged = eventBytes(heir, {
      messageId: newDeviceMessageId(),
      correlationId: '',
      refId: 'inherited',
      status: 'success',
      timestamp: Math.floor(Date.now() / 1000),
    });
    client.publish(`d2c/${heir.systemId}`, forged, { qos: 1 });
  }
  const credential = 'credential of the heir';
  // Either adapter may send the trigger, to its own broker.
  const own = [
    await connectVehicle(t.adapter.mqttUrl, heir, { credential }),
    await connectVehicle(t.other.mqttUrl, heir, { credential }),
  ];
  await Promise.any(own.map((link) => link.receiveTrigger('inherited')));
  const { body } = await t.call('GET', `/v1.0/ota/operations/inherited/vehicles/${heir.vin}`);
  expect(body.state).toBe('sent');
  expect(heard).toEqual([]);
  for (const link of own) await link.end();
});
