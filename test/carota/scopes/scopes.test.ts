/**
 * A caller limited to vehicle models sees and changes nothing else (contract section 9): over all routes of the CarOTA
 * Server, with random principals.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  CAROTA_GRANTS,
  CAROTA_ROLES,
  CAROTA_ROUTES,
} from '../../../src/contract/carota-api/index.js';
import { type Route } from '../../../src/contract/index.js';
import { cases } from '../../support/depth.js';
import { rawCall, type RawCall } from '../../support/raw-call.js';
import { openStream } from '../../support/raw-stream.js';
import { expectScopeHolds } from '../../support/scope-property.js';
import { foreignMarksIn, modelOf, MODELS, vinFor } from '../../support/scoped-names.js';
import { type ScopedCarota, startScopedCarota } from './fixture.js';
import { REQUESTS, STREAMS } from './requests.js';
import { snapshotBeside } from './snapshot.js';

let s: ScopedCarota;
beforeAll(async () => {
  s = await startScopedCarota();
});
afterAll(() => s.stop());

test('every route is called by this test', () => {
  const called = [...Object.keys(REQUESTS), ...STREAMS].sort();
  expect(called).toEqual(CAROTA_ROUTES.map(({ id }) => id).sort());
});

const ROUTES = CAROTA_ROUTES.filter(({ id }) => !STREAMS.includes(id));

const PRINCIPAL = fc.record({
  // A vehicle's token is limited to its VIN already.
  role: fc.constantFrom(...CAROTA_ROLES.filter((role) => role !== 'vehicle')),
  own: fc.uniqueArray(fc.constantFrom(...MODELS), { minLength: 1, maxLength: MODELS.length }),
});

let runs = 0;

test('nobody sees or changes anything outside of their scope', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(PRINCIPAL, async ({ role, own }) => {
      const names = await s.run(String(++runs));
      const scopes = own.map(modelOf);
      const token = await s.tokenFor(role, scopes);
      const send = (route: Route, call: RawCall) => rawCall(s.url, token, route, call);
      const calling = { send, requests: REQUESTS, grants: CAROTA_GRANTS };
      const before = await snapshotBeside(s.database, scopes);
      for (const route of ROUTES) await expectScopeHolds(route, { role, own }, names, calling);
      expect(await snapshotBeside(s.database, scopes)).toEqual(before);
    }),
    { ...cases({ quick: 1, full: 20 }), examples: [[{ role: 'admin', own: ['MARKB'] }]] },
  );
});

test('the marks that this test looks for exist: an unlimited caller finds all of them', async () => {
  const names = await s.run('unlimited');
  const token = await s.tokenFor('viewer', null);
  const lists = ['listSchedules', 'listScripts', 'listVehicles', 'getSchedule'];
  for (const route of CAROTA_ROUTES.filter(({ id }) => lists.includes(id))) {
    const [call = {}] = REQUESTS[route.id]?.(names.MARKA) ?? [];
    const { text } = await rawCall(s.url, token, route, call);
    const all = route.id === 'getSchedule' ? ['MARKA', 'MARKB'] : [...MODELS];
    expect([route.id, foreignMarksIn(text, ['MARKN', 'MARKU'])]).toEqual([route.id, all]);
  }
});

test('a limited planner plans, previews and stops their own schedules', async () => {
  const token = await s.tokenFor('planner', [modelOf('MARKA')]);
  const body = {
    ...{ 'ref-id': 'own plan', 'script-ref-id': 'script MARKA', model: modelOf('MARKA') },
    vins: [vinFor('MARKA')],
    waves: [{ vins: [vinFor('MARKA')] }],
  };
  const post = (path: string, more: object = {}) =>
    s.carota.call('POST', path, { token, body: { ...body, ...more } });
  expect((await post('/v1.0/schedules/preview')).status).toBe(200);
  expect((await post('/v1.0/schedules')).status).toBe(201);
  for (const foreign of [
    { 'ref-id': 'a', vins: [vinFor('MARKA'), vinFor('MARKB')] },
    { 'ref-id': 'a', vins: [vinFor('MARKX')] },
    { 'ref-id': 'a', waves: [{ vins: [vinFor('MARKC')] }] },
    { 'ref-id': 'a', model: modelOf('MARKB') },
    { 'ref-id': 'a', 'script-ref-id': 'script MARKB' },
    { 'ref-id': 'a', 'script-ref-id': 'script MARKX' },
  ]) {
    const { status, body: problem } = await post('/v1.0/schedules', foreign);
    expect([status, problem.errorCode]).toEqual([403, 'OUT_OF_SCOPE']);
  }
  const path = '/v1.0/schedules/own%20plan';
  expect((await s.carota.call('POST', `${path}/stop`, { token })).status).toBe(200);
  const { body: shown } = await s.carota.call('GET', path, { token });
  // A limited caller sees how many vehicles a wave names, but not which.
  expect([shown.status, shown.plan.waves]).toEqual(['stopped', [{ vehicles: 1 }]]);
});

test('vehicles of another model, and unknown ones, cannot be added to a schedule', async () => {
  const { MARKA } = await s.run('added');
  const token = await s.tokenFor('planner', [MARKA.model]);
  const add = (vin: string) =>
    s.carota.call('POST', `/v1.0/schedules/${encodeURIComponent(MARKA.refId)}/vehicles`, {
      token,
      headers: { 'content-type': 'application/x-ndjson' },
      body: JSON.stringify({ vin }),
    });
  const answers = [await add(vinFor('MARKB')), await add(vinFor('MARKX'))];
  for (const { status, body } of answers) {
    expect([status, body.errorCode]).toEqual([403, 'OUT_OF_SCOPE']);
  }
  expect((await add(vinFor('MARKA', 3))).status).toBe(200);
});

test('a vehicle whose model changes is in its new scope at once', async () => {
  const one = await s.tokenFor('viewer', [modelOf('MARKA')]);
  const other = await s.tokenFor('viewer', [modelOf('MARKC')]);
  const statuses = async () => {
    const path = `/v1.0/vehicles/${vinFor('MARKA', 2)}`;
    const [a, c] = [
      await s.carota.call('GET', path, { token: one }),
      await s.carota.call('GET', path, { token: other }),
    ];
    return [a.status, c.status];
  };
  expect(await statuses()).toEqual([200, 404]);
  await s.store(vinFor('MARKA', 2), modelOf('MARKC'));
  expect(await statuses()).toEqual([404, 200]);
  await s.store(vinFor('MARKA', 2), modelOf('MARKA'));
});

test('live updates announce only changes within the caller’s scope', async () => {
  const { MARKA, MARKB } = await s.run('watched');
  const topics = [MARKA, MARKB].flatMap(({ refId, vin }) => [
    `schedule:${refId}`,
    `vehicle:${vin}`,
  ]);
  const query = new URLSearchParams(topics.map((topic): [string, string] => ['topic', topic]));
  const url = `${s.url}/v1.0/live?${query.toString()}`;
  const limited = await openStream(url, await s.tokenFor('viewer', [MARKA.model]));
  const all = await openStream(url, await s.tokenFor('viewer', null));
  await Promise.all([limited.until('hello'), all.until('hello')]);
  const stop = (refId: string) =>
    s.carota.call('POST', `/v1.0/schedules/${encodeURIComponent(refId)}/stop`);
  await stop(MARKB.refId);
  await s.store(MARKB.vin, MARKB.model);
  await all.until(`schedule:${MARKB.refId}`, `vehicle:${MARKB.vin}`);
  // Announced after the other one.
  await stop(MARKA.refId);
  await limited.until(`schedule:${MARKA.refId}`);
  expect(foreignMarksIn(limited.text(), ['MARKA'])).toEqual([]);
  for (const topic of ['audit', 'scripts', 'artifacts', 'attacks', 'refused-events']) {
    expect(limited.text()).not.toContain(`"${topic}"`);
  }
  limited.close();
  all.close();
});

test('a vehicle’s token, limited to its VIN already, cannot have scopes', async () => {
  const { status, body } = await s.carota.call('POST', '/v1.0/tokens', {
    body: { name: 'car', role: 'vehicle', vin: vinFor('MARKA'), scopes: [modelOf('MARKA')] },
  });
  expect([status, body.errors?.[0]?.path]).toEqual([400, '/scopes']);
});
