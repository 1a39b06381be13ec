/** Events for the CarOTA Server, from MQTT to HTTP: pulled, live, and called back. */
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EVENT_STATUS_NAMES, newDeviceMessageId } from '../../../src/contract/index.js';
import { eventually, platforms, platformsInTurn, type TestAdapter } from '../../support/adapter.js';
import { eventBytes, type TestVehicle, vehicleOf } from '../../support/messages.js';
import { connectVehicle, type MqttVehicle } from '../../support/mqtt-vehicle.js';
import { startReceiver } from '../../support/receiver.js';
import { readServerSentEvents } from '../../support/server-sent-events.js';

const VEHICLES = [vehicleOf(1, 'EVT'), vehicleOf(2, 'EVT')] as [TestVehicle, TestVehicle];
const [ALICE, BOB] = VEHICLES;

describe.each(platformsInTurn())('on $name', (platform) => {
  let t: TestAdapter;
  const links = new Map<string, MqttVehicle>();
  beforeAll(async () => {
    t = await platform.start({ callbackAllow: ['127.0.0.0/8'] });
    await t.register(...VEHICLES);
    for (const vehicle of VEHICLES) {
      const options = { stored: () => t.stored() };
      links.set(vehicle.vin, await connectVehicle(t.adapter.mqttUrl, vehicle, options));
    }
    await t.trigger(
      'live',
      VEHICLES.map(({ vin }) => vin),
    );
    await t.trigger('other', [ALICE.vin]);
  });
  afterAll(async () => {
    for (const link of links.values()) await link.end();
    await t.stop();
  });

  const report = (vehicle: TestVehicle, refId: string, n: number) =>
    links.get(vehicle.vin)?.send(
      eventBytes(vehicle, {
        messageId: newDeviceMessageId(),
        correlationId: '',
        refId,
        status: EVENT_STATUS_NAMES[n % EVENT_STATUS_NAMES.length] ?? 'success',
        timestamp: Math.floor(Date.now() / 1000),
      }),
    );
  const pull = async (query: string) => (await t.call('GET', `/v1.0/ota/events?${query}`)).body;
  const stream = (query = '', headers: Record<string, string> = {}) =>
    readServerSentEvents(`${t.adapter.httpUrl}/v1.0/ota/events/stream${query}`, {
      'authorization-token': t.token,
      ...headers,
    });
  const namesOf = (events: readonly { data: string }[]) =>
    events.map(({ data }) => (JSON.parse(data) as Record<string, string>)['status-name']);

  test('events are pulled by cursor, filter and time, up to the last one', async () => {
    for (let n = 0; n < 6; n++) await report(n % 2 ? BOB : ALICE, 'live', n);
    await report(ALICE, 'other', 6);
    await eventually(
      () => pull('limit=100'),
      ({ events }) => events.length === 7,
    );
    const seen: string[] = [];
    for (let after = '0', more = true; more;) {
      const page = await pull(`limit=3&after=${after}`);
      seen.push(...page.events.map((event: Record<string, string>) => event['status-name']));
      ({ cursor: after, more } = page);
    }
    expect(seen).toEqual(EVENT_STATUS_NAMES.slice(0, 7));
    expect((await pull('ref-id=other')).events).toHaveLength(1);
    expect((await pull(`vin=${BOB.vin}`)).events).toHaveLength(3);
    expect((await pull('after=7')).events).toEqual([]);
    expect((await pull(`since=${new Date(Date.now() + 60_000).toISOString()}`)).cursor).toBe('7');
    expect((await pull('since=2020-01-01T00:00:00Z&limit=2')).events).toHaveLength(2);
    for (const query of [
      'after=x',
      'limit=0',
      'since=yesterday',
      'after=1&since=2020-01-01T00:00:00Z',
    ]) {
      expect((await t.call('GET', `/v1.0/ota/events?${query}`)).status).toBe(400);
    }
    expect((await t.call('GET', '/v1.0/ota/events', { token: null })).status).toBe(401);
  });

  test('a pull can wait for the next event', async () => {
    const { cursor } = await pull('limit=1000');
    const waiting = pull(`after=${cursor}&wait=20`);
    await report(ALICE, 'live', 2);
    expect((await waiting).events).toHaveLength(1);
  });

  test('a live stream resumed with Last-Event-ID after a break misses and repeats nothing', async () => {
    const first = await stream();
    await eventually(
      () => Promise.resolve(first.lastEventId),
      (id) => id !== '',
    );
    await report(ALICE, 'live', 3);
    await report(BOB, 'live', 4);
    expect(namesOf(await first.until(2))).toEqual(EVENT_STATUS_NAMES.slice(3, 5));
    first.close();
    await report(ALICE, 'live', 5);
    await report(BOB, 'live', 6);
    const second = await stream('', { 'last-event-id': first.lastEventId });
    await second.until(2);
    await report(ALICE, 'live', 7);
    expect(namesOf(await second.until(3))).toEqual(EVENT_STATUS_NAMES.slice(5, 8));
    expect(second.events.map(({ event }) => event)).toEqual(Array(3).fill('ota-event'));
    second.close();
    const bad = await stream('', { 'last-event-id': 'x' });
    expect(bad.status).toBe(400);
  });

  test('the position of a filtered live stream advances even if nothing matches', async () => {
    const live = await stream(`?after=0&vin=${BOB.vin}`);
    const all = (await pull(`vin=${BOB.vin}&limit=5000`)).events.length;
    await live.until(all);
    await report(ALICE, 'live', 8);
    const { cursor } = await eventually(
      () => pull('limit=5000'),
      ({ events }) => events.at(-1)['status-name'] === EVENT_STATUS_NAMES[8],
    );
    await eventually(
      () => Promise.resolve(live.lastEventId),
      (id) => id === cursor,
    );
    expect(live.events).toHaveLength(all);
    live.close();
  });

  test('a receiver is added, gets all events, and its secret is shown once', async () => {
    const receiver = await startReceiver();
    const body = { name: 'CarOTA Server', url: receiver.url, after: 0, reason: 'go live' };
    const added = await t.call('POST', '/v1.0/callbacks', { body });
    expect(added).toMatchObject({ status: 201, body: { name: 'CarOTA Server', enabled: true } });
    expect((await t.call('POST', '/v1.0/callbacks', { body })).status).toBe(409);
    const events = (await pull('limit=5000')).events as unknown[];
    await eventually(
      () => Promise.resolve(receiver.settled().length),
      (settled) => settled === events.length,
    );
    expect(receiver.settled()).toEqual(events);
    const [request] = receiver.requests as [(typeof receiver.requests)[0]];
    const verified: unknown = new Webhook(added.body.secret as string).verify(
      request.text,
      request.headers as Record<string, string>,
    );
    expect(verified).toMatchObject({ version: 'v1' });
    // The receiver has an event before the adapter has recorded its delivery.
    const listed = await eventually(
      async () => (await t.call('GET', '/v1.0/callbacks')).body.items[0],
      ({ position }) => position === events.length,
    );
    expect(listed).toMatchObject({ behind: 0, failures: 0 });
    expect(JSON.stringify(listed)).not.toContain('whsec_');
    const replayed = await t.call('POST', '/v1.0/callbacks/CarOTA Server/replay', {
      body: { after: events.length - 2 },
    });
    expect(replayed.status).toBe(200);
    await eventually(
      () => Promise.resolve(receiver.settled().length),
      (settled) => settled === events.length + 2,
    );
    const changed = await t.call('PATCH', `/v1.0/callbacks/${added.body.id}`, {
      body: { newSecret: true },
    });
    expect(changed.body.secret).toMatch(/^whsec_/);
    expect(changed.body.secret).not.toBe(added.body.secret);
    await eventually(
      async () => String((await t.call('GET', '/metrics')).body),
      (text) => text.includes('otaops_callback_lag_events{receiver="CarOTA Server"} 0'),
    );
    expect((await t.call('DELETE', '/v1.0/callbacks/CarOTA Server')).status).toBe(204);
    // The refused attempt is recorded within a second, so its place in the audit log varies.
    const { items } = (await t.call('GET', '/v1.0/audit?outcome=done')).body;
    expect(items.map(({ action }: { action: string }) => action).slice(0, 4)).toEqual([
      'remove-callback',
      'change-callback',
      'replay-callback',
      'add-callback',
    ]);
    expect(items[3]).toMatchObject({ tokenName: 'initial admin', reason: 'go live' });
    expect(JSON.stringify(items)).not.toContain('whsec_');
    await receiver.stop();
  });

  test.each([
    ['no URL', { url: 'carota' }, '/url'],
    ['another protocol', { url: 'ftp://carota.example/' }, '/url'],
    ['a password in it', { url: 'https://a:b@carota.example/' }, '/url'],
    ['a private network', { url: 'http://10.0.0.1/' }, '/url'],
    ['link-local', { url: 'http://169.254.169.254/latest/meta-data' }, '/url'],
    ['loopback by IPv6', { url: 'http://[::1]/' }, '/url'],
    ['a bad secret', { secret: 'secret' }, '/secret'],
    ['a bad name', { name: 'a/b' }, '/name'],
    ['an unknown field', { batch: 5 }, ''],
  ])('a receiver with %s is refused, and the answer says where', async (_what, wrong, path) => {
    const body = { name: 'bad', url: 'https://carota.example/', ...wrong };
    const answer = await t.call('POST', '/v1.0/callbacks', { body });
    expect(answer.status).toBe(400);
    const paths = answer.body.errors.map((error: { path: string }) => error.path);
    expect(paths.some((found: string) => found.startsWith(path))).toBe(true);
  });

  test('only an administrator can change receivers, and only an operator the rate', async () => {
    const [viewer, operator, carota] = await Promise.all(
      ['viewer', 'operator', 'carota'].map((role) => t.tokenFor(role)),
    );
    const body = { name: 'x', url: 'https://carota.example/' };
    for (const token of [viewer, operator, carota] as string[]) {
      expect((await t.call('POST', '/v1.0/callbacks', { token, body })).status).toBe(403);
      expect((await t.call('GET', '/v1.0/ota/events', { token })).status).toBe(200);
    }
    const rate = { triggersPerSecond: 250.5, reason: 'night' };
    expect(
      (await t.call('PUT', '/v1.0/dispatch', { token: viewer ?? '', body: rate })).status,
    ).toBe(403);
    expect(
      await t.call('PUT', '/v1.0/dispatch', { token: operator ?? '', body: rate }),
    ).toMatchObject({ status: 200, body: { triggersPerSecond: 250.5 } });
    expect((await t.call('GET', '/v1.0/dispatch')).body).toEqual({ triggersPerSecond: 250.5 });
    for (const triggersPerSecond of [0, -1, 'fast', 1e9]) {
      const answer = await t.call('PUT', '/v1.0/dispatch', { body: { triggersPerSecond } });
      expect(answer.status).toBe(400);
    }
    await t.call('PUT', '/v1.0/dispatch', { body: { triggersPerSecond: null } });
  });
});

test('a stopping adapter ends its streams', async () => {
  const [platform] = platforms();
  if (!platform) throw new Error('there is none');
  const t = await platform.start();
  const live = await readServerSentEvents(`${t.adapter.httpUrl}/v1.0/ota/events/stream`, {
    'authorization-token': t.token,
  });
  await t.stop();
  await live.ended;
});
