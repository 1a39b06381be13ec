/**
 * A caller limited to vehicle models sees and changes nothing else (contract section 9): on all routes of the
 * adapter, with random callers.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADAPTER_ROUTES, GRANTS, ROLES } from '../../../src/contract/adapter-api/index.js';
import { type Route } from '../../../src/contract/index.js';
import { cases, sampleOf } from '../../support/depth.js';
import { type RawAnswer, type RawCall, rawCall } from '../../support/raw-call.js';
import { foreignMarksIn, modelOf, MODELS, type Named, vinFor } from '../../support/scoped-names.js';
import { expectScopeHolds } from '../../support/scope-property.js';
import { openStream } from '../../support/raw-stream.js';
import { type ScopedAdapter, startScopedAdapter } from './fixture.js';
import { REQUESTS, STREAMS } from './requests.js';
import { snapshotBeside } from './snapshot.js';

let s: ScopedAdapter;
beforeAll(async () => {
  s = await startScopedAdapter();
});
afterAll(() => s.stop());

test('every route is called by this test', () => {
  const called = [...Object.keys(REQUESTS), ...STREAMS].sort();
  expect(called).toEqual(ADAPTER_ROUTES.map(({ id }) => id).sort());
});

const ROUTES = sampleOf(
  ADAPTER_ROUTES.filter(({ id }) => !STREAMS.includes(id)),
  2,
);

const PRINCIPAL = fc.record({
  role: fc.constantFrom(...ROLES),
  own: fc.uniqueArray(fc.constantFrom(...MODELS), { minLength: 1, maxLength: MODELS.length }),
});

let runs = 0;

test('nobody sees or changes anything outside of their scope', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(PRINCIPAL, async ({ role, own }) => {
      const run = String(++runs);
      const names = await s.run(run);
      const scopes = own.map(modelOf);
      const token = await s.tokenFor(role, scopes);
      const send = (route: Route, call: RawCall) => rawCall(s.url, token, route, call);
      const before = await snapshotBeside(s.database, scopes);
      const calling = { send, requests: REQUESTS, grants: GRANTS };
      for (const route of ROUTES) await expectScopeHolds(route, { role, own }, names, calling);
      expect(await snapshotBeside(s.database, scopes)).toEqual(before);
    }),
    { ...cases({ quick: 2, full: 20 }), examples: [[{ role: 'admin', own: ['MARKB'] }]] },
  );
});

test('the marks that this test looks for exist: an unlimited caller finds all of them', async () => {
  const names = await s.run('unlimited');
  const token = await s.tokenFor('viewer', null);
  const lists = ['listOperations', 'pullEvents', 'listRegistrations', 'listDeadLetters'];
  for (const route of ADAPTER_ROUTES.filter(({ id }) => lists.includes(id))) {
    const texts = [];
    for (const call of REQUESTS[route.id]?.(names.MARKA) ?? []) {
      texts.push((await rawCall(s.url, token, route, call)).text);
    }
    const found = foreignMarksIn(texts.join('\n'), ['MARKN', 'MARKU']);
    expect([route.id, found]).toEqual([route.id, [...MODELS]]);
  }
});

test('an event stream has only events in scope, and a vehicle’s later events follow its model', async () => {
  const { MARKA, MARKB } = await s.run('streamed');
  const token = await s.tokenFor('viewer', [MARKA.model]);
  const stream = await openStream(`${s.url}/v1.0/ota/events/stream?after=0`, token);
  const tell = (about: Named, vin: string, n: number) =>
    s.report({ ...about, vin, messageId: `msg-dev-${about.mark}-live-${n}` });
  await tell(MARKB, MARKB.vin, 1);
  const own = await tell(MARKA, MARKA.vin, 2);
  await stream.until(`id: ${own}\nevent: ota-event`);
  // The vehicle now has another model; the operation does not.
  await s.register(vinFor('MARKA', 2), MARKB.model);
  const moved = await tell(MARKA, vinFor('MARKA', 2), 3);
  const after = await tell(MARKA, MARKA.vin, 4);
  await stream.until(`id: ${after}\n`);
  expect(foreignMarksIn(stream.text(), ['MARKA'])).toEqual([]);
  expect(stream.text()).not.toContain(`id: ${moved}\nevent`);
  expect((await get(`/v1.0/ota/vehicles/${vinFor('MARKA', 2)}`, token)).status).toBe(404);
  const other = await s.tokenFor('viewer', [MARKB.model]);
  expect((await get(`/v1.0/ota/vehicles/${vinFor('MARKA', 2)}`, other)).status).toBe(200);
  await s.register(vinFor('MARKA', 2), MARKA.model);
  stream.close();
});

test('a waiting long poll answers with no event out of scope', async () => {
  const { MARKA, MARKB } = await s.run('polled');
  const token = await s.tokenFor('viewer', [MARKA.model]);
  const { cursor } = JSON.parse((await get('/v1.0/ota/events?limit=5000', token)).text) as {
    cursor: string;
  };
  const waiting = get(`/v1.0/ota/events?wait=60&after=${cursor}`, token);
  await s.report({ ...MARKB, messageId: 'msg-dev-MARKB-once more' });
  const { status, text } = await waiting;
  expect([status, foreignMarksIn(text, ['MARKA'])]).toEqual([200, []]);
});

test('live updates announce only changes in scope', async () => {
  const { MARKA, MARKB } = await s.run('watched');
  const topics = [MARKA, MARKB].flatMap(({ refId, vin }) => [
    `operation:${refId}`,
    `samples:${refId}`,
    `vehicle:${vin}`,
  ]);
  const query = new URLSearchParams(topics.map((topic): [string, string] => ['topic', topic]));
  const url = `${s.url}/v1.0/live?${query.toString()}`;
  const limited = await openStream(url, await s.tokenFor('viewer', [MARKA.model]));
  const all = await openStream(url, await s.tokenFor('viewer', null));
  await Promise.all([limited.until('hello'), all.until('hello')]);
  const change = ({ refId }: Named, priority: number) =>
    s.t.call('PATCH', `/v1.0/ota/operations/${encodeURIComponent(refId)}`, { body: { priority } });
  await change(MARKB, 4);
  await s.register(MARKB.vin, MARKB.model);
  await all.until(`operation:${MARKB.refId}`, `vehicle:${MARKB.vin}`);
  // This change comes after the other one.
  await change(MARKA, 4);
  await limited.until(`operation:${MARKA.refId}`);
  expect(foreignMarksIn(limited.text(), ['MARKA'])).toEqual([]);
  for (const topic of ['audit', 'health', 'dead-letters']) {
    expect(limited.text()).not.toContain(`"${topic}"`);
  }
  limited.close();
  all.close();
});

test('transfers in progress end at once if scopes change', async () => {
  const { MARKA, MARKB } = await s.run('changed');
  const token = await s.tokenFor('viewer', [MARKA.model, MARKB.model]);
  const stream = await openStream(`${s.url}/v1.0/ota/events/stream?after=0`, token);
  await s.database.query(
    `update tokens set scopes = '{"${MARKA.model}"}' where '${MARKB.model}' = any (scopes) and revoked_at is null`,
  );
  await stream.ended;
  expect(foreignMarksIn((await get('/v1.0/ota/events', token)).text, ['MARKA'])).toEqual([]);
});

test('a session has the scopes of its token, and says which', async () => {
  const scopes = ['MARKA', 'MARKB'].map(modelOf);
  const token = await s.tokenFor('operator', scopes);
  const { headers, body } = await s.t.call('POST', '/v1.0/session', {
    token: null,
    headers: { 'x-otaops-console': '1' },
    body: { token },
  });
  expect(body.scopes).toEqual(scopes);
  const [cookie = ''] = (headers.get('set-cookie') ?? '').split(';');
  const { body: list } = await s.t.call('GET', '/v1.0/ota/operations?limit=1000', {
    token: null,
    headers: { cookie },
  });
  expect(foreignMarksIn(JSON.stringify(list), ['MARKA', 'MARKB'])).toEqual([]);
  expect(list.items.length).toBeGreaterThan(0);
});

test('a successor has the scopes of its token; limited callers cannot create tokens', async () => {
  const { body: made } = await s.t.call('POST', '/v1.0/tokens', {
    body: { name: 'rotated', role: 'admin', scopes: [modelOf('MARKA')] },
  });
  const { body: next } = await s.t.call('POST', `/v1.0/tokens/${made.id}/rotation`);
  const { body: session } = await s.t.call('GET', '/v1.0/session', { token: next.token });
  expect(session.scopes).toEqual([modelOf('MARKA')]);
  const { status, body } = await s.t.call('POST', '/v1.0/tokens', {
    token: next.token,
    body: { name: 'free', role: 'viewer' },
  });
  expect([status, body.errorCode]).toEqual([403, 'OUT_OF_SCOPE']);
});

test('a limited administrator does not count: the last unlimited one cannot be revoked', async () => {
  const { body: list } = await s.t.call('GET', '/v1.0/tokens');
  const admin = list.items.find(({ name }: { name: string }) => name === 'initial admin');
  const { status, body } = await s.t.call('DELETE', `/v1.0/tokens/${admin.id}`);
  expect([status, body.errorCode]).toEqual([409, 'LAST_ADMINISTRATOR']);
});

test.each([
  [{ scopes: [] }, '/scopes'],
  [{ scopes: ['a', 'a'] }, '/scopes'],
  [{ scopes: [''] }, '/scopes/0'],
  [{ scopes: ['a\u0000'] }, '/scopes/0'],
  [{ scopes: 'model a' }, '/scopes'],
  [{ scopes: Array.from({ length: 101 }, (_, n) => `model ${n}`) }, '/scopes'],
])('a token with %j is refused', async (part, path) => {
  const { status, body } = await s.t.call('POST', '/v1.0/tokens', {
    body: { name: 'bad', role: 'viewer', ...part },
  });
  expect([status, body.errors?.[0]?.path]).toEqual([400, path]);
});

const get = (path: string, token: string): Promise<RawAnswer> =>
  fetch(s.url + path, { headers: { 'authorization-token': token } }).then(async (response) => ({
    status: response.status,
    text: await response.text(),
  }));
