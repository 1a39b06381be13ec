/** A vehicle that comes online gets its queued triggers at once, also over a real broker. */
import { afterEach, describe, expect, test } from 'vitest';
import { presenceTopic, saysOnline } from '../../src/adapter/message-link/index.js';
import { newDeviceMessageId } from '../../src/contract/index.js';
import { eventually, platforms, type TestAdapter } from '../support/adapter.js';
import { eventBytes, vehicleOf } from '../support/messages.js';
import { connectVehicle } from '../support/mqtt-vehicle.js';

const vehicle = vehicleOf(1, 'PRS');
/** With pauses so long that only presence explains a repeated send. */
const retry = { firstPauseMs: 1_000, longestPauseMs: 3_600_000, maxSends: 20 };
const real = platforms().find(({ isEmbedded }) => !isEmbedded);

const start: NonNullable<typeof real>['start'] = (settings) =>
  real?.start(settings) ?? Promise.reject(new Error('there is no Mosquitto'));

describe.skipIf(!real)('on Mosquitto', () => {
  let t: TestAdapter;
  afterEach(() => t.stop());

  const sends = async (refId: string) =>
    Number(
      (await t.call('GET', `/v1.0/ota/operations/${refId}/vehicles/${vehicle.vin}`)).body.sends,
    );
  const sentAgain = (refId: string, than: number) =>
    eventually(
      () => sends(refId),
      (number) => number > than,
    );

  test('any message shows that the vehicle is online', async () => {
    t = await start({ retry: { ...retry, firstPauseMs: 1 } });
    await t.register(vehicle);
    const link = await connectVehicle(t.adapter.mqttUrl, vehicle, { stored: () => t.stored() });
    await t.trigger('heard', [vehicle.vin]);
    await t.trigger('other', [vehicle.vin]);
    // The pauses double from 1 ms, so the next retry is soon far away.
    const before = await eventually(
      () => sends('heard'),
      (number) => number >= 11,
    );
    const event = { correlationId: '', refId: 'other', status: 'received' as const };
    await link.send(
      eventBytes(vehicle, { ...event, messageId: newDeviceMessageId(), timestamp: Date.now() }),
    );
    await sentAgain('heard', before);
    await link.end();
  });

  test('a topic of the broker reports who has connected', async () => {
    const mqttPresenceTopic = 'presence/+/{system_id}';
    t = await start({
      retry: { ...retry, firstPauseMs: 3_600_000 },
      mqttPresenceTopic,
    });
    await t.register(vehicle);
    const link = await connectVehicle(t.adapter.mqttUrl, vehicle, { stored: () => t.stored() });
    await t.trigger('told', [vehicle.vin]);
    await sentAgain('told', 0);
    const tell = (payload: string, retain = false) =>
      link.client.publishAsync(`presence/node-1/${vehicle.systemId}`, payload, { qos: 1, retain });
    await tell('{"online": false}');
    await tell('offline');
    expect(await sends('told')).toBe(1);
    await tell('{"online": true}');
    await sentAgain('told', 1);
    // Presence messages do not count as messages of the vehicle.
    expect(await t.storedMessages()).toBe(0);
    await link.end();
  });
});

test.each([
  ['presence/{system_id}', 'presence/+', 'presence/c2c-1', 'c2c-1'],
  [
    '$SYS/brokers/+/clients/{system_id}/connected',
    '$SYS/brokers/+/clients/+/connected',
    '$SYS/brokers/emqx@1/clients/c2c-1/connected',
    'c2c-1',
  ],
  ['a/{system_id}/b', 'a/+/b', 'a/c2c-1/c', undefined],
  ['a/{system_id}/b', 'a/+/b', 'a/c2c-1', undefined],
  ['a/{system_id}/b', 'a/+/b', 'a//b', undefined],
])('presence topic %s has filter %s; %s names vehicle %s', (template, filter, topic, systemId) => {
  const presence = presenceTopic(template);
  expect(presence.filter).toBe(filter);
  expect(presence.systemIdOf(topic)).toBe(systemId);
});

test.each(['presence', 'presence/#', 'presence/x{system_id}', 'a+/{system_id}'])(
  'presence topic %s is refused',
  (template) => {
    expect(() => presenceTopic(template)).toThrow(/presence topic/);
  },
);

test.each([
  ['', true],
  ['online', true],
  ['{"clientid":"c2c-1","ts":1}', true],
  ['offline', false],
  ['{"eventType":"disconnected"}', false],
  ['0', false],
])('presence payload %j means online: %s', (payload, expected) => {
  expect(saysOnline(Buffer.from(payload))).toBe(expected);
});
