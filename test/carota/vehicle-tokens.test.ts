/** A vehicle's token is for that vehicle only: it cannot read, request or report anything for another one. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/adapter.js';
import { vinOf } from '../support/messages.js';
import {
  type AdapterDouble,
  eventOf,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from './support/test-carota.js';

const [own, other] = [vinOf(1, 'TKN'), vinOf(2, 'TKN')];
let adapter: AdapterDouble;
let carota: TestCarota;
let token: string;
beforeAll(async () => {
  adapter = await startAdapterDouble();
  carota = await startTestCarota(adapter.url);
  for (const vin of [own, other]) {
    await carota.call('PUT', `/v1.0/vehicles/${vin}`, { body: { model: MODEL } });
  }
  const body = { role: 'vehicle', name: 'a car', vin: own.toLowerCase() };
  ({ token } = (await carota.call('POST', '/v1.0/tokens', { body })).body);
});
afterAll(async () => {
  await carota.stop();
  await adapter.stop();
});

const director = (vin: string, method: string, file: string) =>
  carota.call(method, `/uptane/director/${vin}/${file}`, {
    token,
    ...(method === 'POST' ? { body: {} } : {}),
  });

test.each<[string, string]>([
  ['GET', '1.root.json'],
  ['GET', 'timestamp.json'],
  ['POST', 'manifest'],
  ['POST', 'time'],
])('%s %s is refused for another vehicle, but not for its own', async (method, file) => {
  const refused = await director(other, method, file);
  expect([refused.status, refused.body.errorCode]).toEqual([403, 'FORBIDDEN']);
  expect((await director(own, method, file)).status).not.toBe(403);
  expect((await director(own.toLowerCase(), method, file)).status).not.toBe(403);
});

test('a vehicle cannot ask for admission in the name of another', async () => {
  const ask = (vin: string) =>
    carota.call('POST', `/v1.0/schedules/none/vehicles/${vin}/admission`, { token });
  expect((await ask(other)).body.errorCode).toBe('FORBIDDEN');
  expect((await ask(own)).body.errorCode).toBe('SCHEDULE_NOT_FOUND');
});

test('a vehicle gets the URLs of artifacts only while a running schedule gives it their script', async () => {
  const [given, kept] = ['given script', 'kept script'];
  await carota.publish(given, '1.1.0');
  await carota.publish(kept, '1.2.0');
  const tokenOf = async (vin: string) => {
    const body = { role: 'vehicle', name: 'another car', vin };
    return (await carota.call('POST', '/v1.0/tokens', { body })).body.token as string;
  };
  const theirs = await tokenOf(other);
  const locate = (script: string, by = token) =>
    carota.call('GET', `/v1.0/update-scripts/${encodeURIComponent(script)}/artifacts`, {
      token: by,
    });
  const statuses = async () =>
    Promise.all(
      [locate(given), locate(given, theirs), locate(kept), locate(kept, theirs)].map(
        async (answer) => (await answer).status,
      ),
    );
  const before = await locate(given);
  expect([before.status, before.body.errorCode]).toEqual([403, 'FORBIDDEN']);
  // The answer for a script that does not exist is the same.
  expect((await locate('none')).body.errorMessage.replace('none', given)).toBe(
    before.body.errorMessage,
  );
  const plan = (refId: string, script: string, vin: string, start?: string) =>
    carota.call('POST', '/v1.0/schedules', {
      body: {
        'ref-id': refId,
        'script-ref-id': script,
        model: MODEL,
        vins: [vin],
        ...(start ? { start } : {}),
      },
    });
  expect((await plan('later', kept, own, '2090-01-01T00:00:00Z')).status).toBe(201);
  expect((await plan('now', given, own)).status).toBe(201);
  await eventually(
    async () => (await locate(given)).status,
    (status) => status === 200,
  );
  expect(await statuses()).toEqual([200, 403, 403, 403]);
  expect(Object.values((await locate(given)).body.artifacts)).toHaveLength(1);
  // A person with permission is not limited like a vehicle.
  expect((await locate(kept, carota.token)).status).toBe(200);
  const path = '/v1.0/schedules/now/stop';
  expect((await carota.call('POST', path, { body: { reason: 'enough' } })).status).toBe(200);
  expect(await statuses()).toEqual([403, 403, 403, 403]);
  // After its update, the vehicle gets no URLs.
  expect((await plan('again', given, own)).status).toBe(201);
  await eventually(
    async () => (await locate(given)).status,
    (status) => status === 200,
  );
  await carota.callBack([eventOf({ refId: 'again', vin: own, status: 'success' })]);
  await eventually(statuses, (all) => all.every((status) => status === 403));
});

test('a vehicle’s token belongs to one vehicle, and a person’s token to none', async () => {
  const make = (body: object) => carota.call('POST', '/v1.0/tokens', { body });
  const shared = await make({ role: 'vehicle', name: 'fleet' });
  expect(shared).toMatchObject({ status: 400, body: { errors: [{ path: '/vin' }] } });
  expect((await make({ role: 'viewer', name: 'x', vin: own })).status).toBe(400);
  expect((await make({ role: 'vehicle', name: 'x', vin: 'no vin' })).status).toBe(400);
  const { body } = await carota.call('GET', '/v1.0/tokens');
  expect(body.items).toContainEqual(expect.objectContaining({ name: 'a car', vin: own }));
});
