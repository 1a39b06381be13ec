/** Control, insight and dead letters over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEAD_LETTER_REASONS, newDeviceMessageId } from '../../../src/contract/index.js';
import {
  eventually,
  platformsInTurn,
  type TestAdapter,
  triggerEvent,
} from '../../support/adapter.js';
import { eventBytes, type TestVehicle, vehicleOf } from '../../support/messages.js';
import { connectVehicle, type MqttVehicle } from '../../support/mqtt-vehicle.js';

describe.each(platformsInTurn())('on $name', (platform) => {
  let t: TestAdapter;
  const vehicle = vehicleOf(1, 'CTR');
  let link: MqttVehicle;
  beforeAll(async () => {
    t = await platform.start();
    await t.register(vehicle);
    const options = { stored: () => t.stored() };
    link = await connectVehicle(t.adapter.mqttUrl, vehicle, options);
  });
  afterAll(async () => {
    await link.end();
    await t.stop();
  });
  const path = (refId: string, rest = '') => `/v1.0/ota/operations/${refId}${rest}`;
  const event = (of: TestVehicle, refId: string, status: 'download_fail' | 'success') =>
    eventBytes(of, {
      messageId: newDeviceMessageId(),
      correlationId: '',
      refId,
      status,
      timestamp: Math.floor(Date.now() / 1000),
      meta: [{ key: 'reason', value: 'Network Failure' }],
    });

  test('a trigger can set priority and rate, which can be changed later', async () => {
    const body = triggerEvent('how', [vehicle.vin]);
    const rate = { perSecond: 5, factor: 2, after: 10, of: 'succeeded', atMost: 50 };
    const dispatch = { priority: 4, rate, ttl: 3_600, ack_required: '0' };
    const withDispatch = { ...body, body: { ...body.body, dispatch } };
    expect((await t.call('POST', '/v1.0/ota/trigger', { body: withDispatch })).status).toBe(202);
    expect((await t.call('GET', path('how'))).body).toMatchObject({
      priority: 4,
      rate,
      ttl: 3_600,
      ack_required: '0',
    });
    const received = JSON.parse((await link.receive()).toString()) as Record<string, unknown>;
    expect(received).toMatchObject({ ttl: 3_600, property_bag: { ack_required: '0' } });
    await eventually(
      async () => (await t.call('GET', path('how'))).body,
      ({ open }) => open === 0,
    );
    const change = { priority: -2, rate: null, reason: 'calm' };
    expect((await t.call('PATCH', path('how'), { body: change })).body).toMatchObject({
      priority: -2,
      rate: null,
    });
    for (const wrong of [
      { priority: 11 },
      { rate: { perSecond: 0 } },
      { rate: { perSecond: 1, factor: 0.5 } },
      { rate: { perSecond: 1, of: 'hope' } },
      { ttl: 5 },
      {},
    ]) {
      expect((await t.call('PATCH', path('how'), { body: wrong })).status).toBe(400);
    }
    const faulty = { ...body, body: { ...body.body, dispatch: { rate: { perSecond: -1 } } } };
    const refused = await t.call('POST', '/v1.0/ota/trigger', { body: faulty });
    expect(refused.status).toBe(400);
    expect(refused.body.errors[0].path).toBe('/body/dispatch/rate/perSecond');
  });

  test('control actions need no reason, and the audit log records who and why', async () => {
    await t.trigger('why', [vehicle.vin]);
    // A pause would hold back a trigger that is not sent yet.
    await eventually(
      () => t.call('GET', path('why', `/vehicles/${vehicle.vin}`)),
      ({ body }) => body.sends === 1,
    );
    const operator = await t.tokenFor('operator');
    const viewer = await t.tokenFor('viewer');
    for (const action of ['pause', 'resume', 'cancel']) {
      expect((await t.call('POST', path('why', `/${action}`), { token: viewer })).status).toBe(403);
    }
    expect((await t.call('POST', path('why', '/pause'), { token: operator })).status).toBe(200);
    const body = { reason: 'ticket 4711' };
    await t.call('POST', path('why', '/resume'), { token: operator, body });
    const cancelled = await t.call('POST', path('why', '/cancel'), { token: operator, body });
    expect(cancelled.body).toMatchObject({ status: 'cancelled', alreadySent: 1, stopped: 0 });
    const bad = { body: { why: 'x' } };
    expect((await t.call('POST', path('why', '/pause'), bad)).status).toBe(400);
    const { items } = await eventually(
      async () => (await t.call('GET', path('why', '/audit'))).body,
      ({ items }) => items.filter(({ outcome }: any) => outcome === 'refused').length === 3,
    );
    const facts = ({ action, tokenName, reason, outcome, errorCode }: any) =>
      [action, tokenName, reason, outcome, errorCode].filter((fact) => fact !== null);
    const done = items.filter(({ outcome }: any) => outcome === 'done');
    expect(done.map(facts)).toEqual([
      ['cancel', 'test operator', 'ticket 4711', 'done'],
      ['resume', 'test operator', 'ticket 4711', 'done'],
      ['pause', 'test operator', '', 'done'],
      ['trigger', 'initial admin', '', 'done'],
    ]);
    const refused = items.filter(({ outcome }: any) => outcome === 'refused');
    expect(refused.map(facts)).toEqual(
      expect.arrayContaining([
        ['pause', 'test viewer', '', 'refused', 'FORBIDDEN'],
        ['resume', 'test viewer', '', 'refused', 'FORBIDDEN'],
        ['cancel', 'test viewer', '', 'refused', 'FORBIDDEN'],
      ]),
    );
  });

  test('summary, timeline, export, search and retrigger by state', async () => {
    await t.trigger('insight', [vehicle.vin]);
    // A vehicle that reports before its trigger is sent gets no trigger.
    await eventually(
      () => t.call('GET', path('insight', `/vehicles/${vehicle.vin}`)),
      ({ body }) => body.sends === 1,
    );
    await link.send(event(vehicle, 'insight', 'download_fail'));
    const summary = await t.call('GET', path('insight', '/summary'));
    expect(summary.body).toMatchObject({
      failureReasons: [{ state: 'download_fail', reason: 'Network Failure', vehicles: 1 }],
    });
    const timeline = await t.call('GET', path('insight', `/vehicles/${vehicle.vin}/timeline`));
    expect(timeline.body.items.map(({ kind }: { kind: string }) => kind)).toContain('event');
    const csv = await t.call('GET', path('insight', '/export'));
    expect(csv.headers.get('content-type')).toMatch('text/csv');
    expect(csv.headers.get('content-disposition')).toContain("filename*=UTF-8''insight.csv");
    expect(String(csv.body).split('\n')[1]).toMatch(
      new RegExp(`^${vehicle.vin},download_fail,false,acknowledged,1,Network Failure,1,`),
    );
    const byReason = path('insight', '/vehicles?reason=Network%20Failure');
    expect((await t.call('GET', byReason)).body.items).toHaveLength(1);
    expect((await t.call('GET', path('insight', '/vehicles?reason=x'))).body.items).toEqual([]);
    const search = await t.call('GET', `/v1.0/ota/vehicles?vin=${vehicle.vin.toLowerCase()}`);
    expect(search.body.items[0]).toMatchObject({ 'ref-id': 'insight', state: 'download_fail' });
    expect((await t.call('GET', '/v1.0/ota/vehicles?vin=%25')).status).toBe(400);
    const retrigger = (state: string) =>
      t.call('POST', path('insight', '/retrigger'), { body: { state, reason: 'CDN is mended' } });
    expect((await retrigger('download_fail')).body).toEqual({ retriggered: 1 });
    expect((await retrigger('download_fail')).body).toEqual({ retriggered: 0 });
  });

  test('dead letters are filtered, and replayed once their cause is fixed', async () => {
    const stranger = vehicleOf(7, 'CTR');
    await t.trigger('stray', [vehicle.vin, stranger.vin]);
    // On one vehicle's topic, for a VIN that is not registered with its system_id.
    const wrong = { vin: stranger.vin, systemId: vehicle.systemId };
    for (let n = 0; n < 3; n++) await link.send(event(wrong, 'stray', 'success'));
    await link.send('no message');
    const list = async (query: string) =>
      (await t.call('GET', `/v1.0/dead-letters?${query}`)).body.items;
    expect(await list('reason=VEHICLE_NOT_REGISTERED')).toHaveLength(3);
    expect(await list(`vin=${stranger.vin}&status=INVALID`)).toHaveLength(3);
    expect(await list(`system_id=${vehicle.systemId}`)).toHaveLength(4);
    expect(await list('status=EXPIRED')).toHaveLength(0);
    expect(await list(`to=${new Date(0).toISOString()}`)).toHaveLength(0);
    expect(await list(`from=${new Date(0).toISOString()}`)).toHaveLength(4);
    const replay = (body: object) => t.call('POST', '/v1.0/dead-letters/replay', { body });
    const filter = { reason: 'VEHICLE_NOT_REGISTERED' };
    expect((await replay({ filter })).body).toEqual({
      applied: 0,
      duplicates: 0,
      refused: 3,
      more: false,
    });
    // The other VIN takes over the system_id: now the messages are valid.
    await t.call('DELETE', `/v1.0/vehicles/${vehicle.vin}`);
    await t.register({ vin: stranger.vin, systemId: vehicle.systemId });
    expect((await replay({ filter, limit: 2, reason: 'fixed' })).body).toMatchObject({
      applied: 2,
      more: true,
    });
    expect((await replay({ filter })).body).toMatchObject({ applied: 1, more: false });
    expect((await replay({ filter })).body).toMatchObject({ applied: 0, refused: 0 });
    expect(await list('replayed=true')).toHaveLength(3);
    expect(await list('replayed=false')).toHaveLength(1);
    const state = await t.call('GET', path('stray', `/vehicles/${stranger.vin}`));
    expect(state.body.state).toBe('success');
    await t.storedMessages();
    await t.call('DELETE', `/v1.0/vehicles/${stranger.vin}`);
    await t.register(vehicle);
  });

  test('an unknown reason of dead letters is refused with those that there are', async () => {
    const message = `must be one of ${DEAD_LETTER_REASONS.join(', ')}`;
    expect(await t.call('GET', '/v1.0/dead-letters?reason=VEHICLE_NOT_REGISTRED')).toMatchObject({
      status: 400,
      body: { errorCode: 'INVALID', errors: [{ path: '/reason', message }] },
    });
    const body = { filter: { reason: 'VEHICLE_NOT_REGISTRED' } };
    expect(await t.call('POST', '/v1.0/dead-letters/replay', { body })).toMatchObject({
      status: 400,
      body: { errorCode: 'INVALID', errors: [{ path: '/filter/reason', message }] },
    });
  });

  test('metrics show losses, lag and failures', async () => {
    const text = String((await t.call('GET', '/metrics')).body);
    for (const name of [
      'otaops_messages_received_total',
      'otaops_trigger_overdue_seconds',
      'otaops_sending_operations',
      'otaops_vehicles{state=',
      'otaops_dead_letters',
      'otaops_callback_lag_events',
      'otaops_failures_total',
    ]) {
      expect(text).toContain(name);
    }
  });
});
