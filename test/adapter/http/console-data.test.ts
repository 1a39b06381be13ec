/** The console's data: live changes, samples over time, health, scrollable tables, one vehicle. */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newDeviceMessageId } from '../../../src/contract/index.js';
import { eventually, platformsInTurn, type TestAdapter } from '../../support/adapter.js';
import { eventBytes, vehicleOf } from '../../support/messages.js';
import { connectVehicle, type MqttVehicle } from '../../support/mqtt-vehicle.js';
import { readServerSentEvents } from '../../support/server-sent-events.js';

describe.each(platformsInTurn())('on $name', (platform) => {
  let t: TestAdapter;
  const fleet = [1, 2, 3, 4, 5].map((number) => vehicleOf(number, 'CNS'));
  const vins = fleet.map(({ vin }) => vin);
  const [vehicle = vehicleOf(1, 'CNS')] = fleet;
  let link: MqttVehicle;
  beforeAll(async () => {
    t = await platform.start();
    await t.register(...fleet);
    link = await connectVehicle(t.adapter.mqttUrl, vehicle, { stored: () => t.stored() });
    await t.trigger('watched', vins);
    await link.receive();
  });
  afterAll(async () => {
    await link.end();
    await t.stop();
  });

  // Of two events in one second, the one with the higher lifecycle rank would count.
  let reported = Math.floor(Date.now() / 1000) - 60;
  const report = async (
    status: 'downloading' | 'success' | 'failure',
    meta: { key: string; value: string }[],
  ) => {
    const messageId = newDeviceMessageId();
    const timestamp = ++reported;
    const event = { messageId, correlationId: '', refId: 'watched', status, timestamp, meta };
    await link.send(eventBytes(vehicle, event));
    return messageId;
  };
  const watch = async (...topics: string[]) => {
    const query = new URLSearchParams(topics.map((topic): [string, string] => ['topic', topic]));
    const url = `${t.adapter.httpUrl}/v1.0/live?${query.toString()}`;
    const reader = await readServerSentEvents(url, { 'authorization-token': t.token });
    const topicsOf = () =>
      new Set(
        reader.events
          .filter(({ event }) => event === 'changed')
          .flatMap(({ data }) => (JSON.parse(data) as { topics: string[] }).topics),
      );
    await eventually(
      async () => reader.events[0]?.event,
      (first) => first === 'hello',
    );
    return { ...reader, topicsOf };
  };

  test('a change is announced to clients that watch it, and to no others', async () => {
    const { body: before } = await t.call('GET', '/v1.0/ota/operations/watched');
    const one = await watch('operation:watched', `vehicle:${vehicle.vin}`);
    const another = await watch('vehicle:' + (vins[1] ?? ''));
    await report('downloading', [{ key: 'progress', value: '10' }]);
    const wanted = ['operations', 'operation:watched', `vehicle:${vehicle.vin}`];
    await eventually(
      async () => one.topicsOf(),
      (topics) => wanted.every((topic) => topics.has(topic)),
    );
    // The same state again: the counters stay, the vehicle changes.
    const seen = one.events.length;
    await report('downloading', [{ key: 'progress', value: '20' }]);
    await eventually(
      async () => one.events.slice(seen).map(({ data }) => data),
      (told) => told.some((data) => data.includes(`vehicle:${vehicle.vin}`)),
    );
    expect([...another.topicsOf()].filter((topic) => topic.includes(':'))).toEqual([]);
    one.close();
    another.close();
    const { body: after } = await t.call('GET', '/v1.0/ota/operations/watched');
    expect(after.states).not.toEqual(before.states);
  });

  test('control actions and dead letters are announced too', async () => {
    const watcher = await watch('operation:watched');
    await t.call('POST', '/v1.0/ota/operations/watched/pause', { body: { reason: 'to see' } });
    await link.send(Buffer.from('no message'));
    await eventually(
      async () => watcher.topicsOf(),
      (topics) =>
        ['audit', 'operation:watched', 'dead-letters'].every((topic) => topics.has(topic)),
    );
    watcher.close();
    await t.call('POST', '/v1.0/ota/operations/watched/resume');
  });

  test('every connection starts with hello, also after a change that the client missed', async () => {
    const watcher = await watch('operation:watched');
    expect(watcher.events[0]).toMatchObject({ event: 'hello' });
    watcher.close();
    await report('failure', [{ key: 'reason', value: 'Checksum 100% wrong' }]);
    const again = await watch('operation:watched');
    expect(again.events[0]).toMatchObject({ event: 'hello' });
    again.close();
  });

  test('a new sample is announced to those who watch samples', async () => {
    // No sample is taken if nothing has changed since the last one. The last item is the current state, not a sample.
    const path = '/v1.0/ota/operations/watched';
    const { body } = await t.call('GET', path);
    await eventually(
      async () => (await t.call('GET', `${path}/samples`)).body.items.at(-2)?.states,
      (states) => isDeepStrictEqual(states, body.states),
    );
    const watcher = await watch('samples:watched');
    await report('downloading', [{ key: 'progress', value: '30' }]);
    await eventually(
      async () => watcher.topicsOf(),
      (topics) => topics.has('samples:watched'),
    );
    expect(watcher.topicsOf().has('operation:watched')).toBe(false);
    watcher.close();
    await report('failure', [{ key: 'reason', value: 'Checksum 100% wrong' }]);
  });

  test('the registry is searched by VIN prefix', async () => {
    const found = async (query: string) =>
      (await t.call('GET', `/v1.0/vehicles?${query}`)).body.items.map(
        ({ vin }: { vin: string }) => vin,
      );
    expect(await found(`vin=${vins[0]?.slice(0, 3).toLowerCase() ?? ''}`)).toEqual(vins);
    expect(await found(`vin=${vins[2] ?? ''}`)).toEqual([vins[2]]);
    expect(await found('vin=ZZZ')).toEqual([]);
    expect((await t.call('GET', '/v1.0/vehicles?vin=I')).status).toBe(400);
  });

  test('states are sampled over time, and the last sample is current', async () => {
    const path = '/v1.0/ota/operations/watched';
    const { items } = await eventually(
      async () => (await t.call('GET', `${path}/samples`)).body,
      ({ items: samples }) => samples.length >= 2,
    );
    const { body } = await t.call('GET', path);
    expect(items.at(-1).states).toEqual(body.states);
    for (const { states } of items) {
      const sum = Object.values(states as Record<string, number>).reduce((a, b) => a + b, 0);
      expect(sum).toBe(vins.length);
    }
    expect(body.finishedPerMinute).toBeGreaterThan(0);
  });

  test('a table can be scrolled to any position, and filtered', async () => {
    const list = async (query: string) =>
      (await t.call('GET', `/v1.0/ota/operations/watched/vehicles?${query}`)).body.items.map(
        ({ vin }: { vin: string }) => vin,
      );
    const count = async (query: string) =>
      (await t.call('GET', `/v1.0/ota/operations/watched/vehicle-count?${query}`)).body.vehicles;
    expect(await list('offset=3&limit=1')).toEqual([vins[3]]);
    expect(await list('offset=4')).toEqual([vins[4]]);
    expect(await list('offset=5')).toEqual([]);
    for (const [query, expected] of [
      ['text=checksum 100%25', [vehicle.vin]],
      ['text=100_', []],
      [`text=${vins[2]?.slice(9).toLowerCase() ?? ''}`, [vins[2]]],
      ['state=failure', [vehicle.vin]],
      ['state=success', []],
    ] as const) {
      expect(await list(query)).toEqual(expected);
      expect(await count(query)).toBe(expected.length);
    }
    const rest = vins.filter((vin) => vin !== vehicle.vin);
    const { body } = await t.call('GET', '/v1.0/ota/operations/watched/vehicles?state=failure');
    expect(body.items[0].state).toBe('failure');
    const state = (await t.call('GET', '/v1.0/ota/operations/watched/vehicles?offset=1&limit=1'))
      .body.items[0].state;
    expect(await list(`state=${state}&offset=1&limit=2`)).toEqual(rest.slice(1, 3));
  });

  test('one vehicle: registration, operations, software and raw messages', async () => {
    const messageId = await report('success', [
      { key: 'version:HU', value: '1.4.0' },
      { key: 'version:TCU', value: '2.0.1' },
    ]);
    const { body } = await t.call('GET', `/v1.0/ota/vehicles/${vehicle.vin.toLowerCase()}`);
    expect(body).toMatchObject({
      vin: vehicle.vin,
      registration: { system_id: vehicle.systemId },
      operations: [{ 'ref-id': 'watched', state: 'success' }],
      installed: [
        { ecu: 'HU', version: '1.4.0', 'ref-id': 'watched' },
        { ecu: 'TCU', version: '2.0.1' },
      ],
    });
    const path = `/v1.0/ota/operations/watched/vehicles/${vehicle.vin}/messages`;
    const { body: raw } = await t.call('GET', `${path}/${encodeURIComponent(messageId)}`);
    expect(raw.verbatim).toBe(false);
    const envelope = JSON.parse(raw.envelope);
    expect(envelope).toMatchObject({ message_id: messageId, message_type: 'OTA_EVENT' });
    expect(JSON.parse(Buffer.from(envelope.body, 'base64').toString())).toMatchObject({
      'ref-id': 'watched',
      status: 6,
      meta: [{ key: 'version:HU', value: '1.4.0' }, { key: 'version:TCU' }],
    });
    expect((await t.call('GET', `${path}/none`)).status).toBe(404);
    expect((await t.call('GET', '/v1.0/ota/vehicles/LSVAU2180N2183294')).status).toBe(404);
  });

  test('health: adapters, their brokers, the database and message totals', async () => {
    const { body } = await eventually(
      async () => t.call('GET', '/v1.0/health'),
      ({ body: health }) => health.adapters.length === 1 && health.adapters[0].connected,
    );
    expect(body.adapters[0]).toMatchObject({ alive: true, queued: 0 });
    expect(body.adapters[0].broker).toMatch(/^mqtt:\/\/127\.0\.0\.1:\d+$/);
    expect(body.database.server).toMatch(/^PostgreSQL \d+/);
    expect(body.database.bytes).toBeGreaterThan(1_000_000);
    const { received, applied, duplicates, deadLetters }: Record<string, number> = body.messages;
    expect(received).toBe([applied, duplicates, deadLetters].reduce((a = 0, b = 0) => a + b, 0));
    expect(deadLetters).toBe(1);
  });
});
