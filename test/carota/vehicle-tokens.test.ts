/** A vehicle's token is that vehicle's: with it nobody reads, asks or reports anything for another one. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { vinOf } from '../support/messages.js';
import {
  type AdapterDouble,
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
])('%s %s of another vehicle is refused, of its own it is not', async (method, file) => {
  const refused = await director(other, method, file);
  expect([refused.status, refused.body.errorCode]).toEqual([403, 'FORBIDDEN']);
  expect((await director(own, method, file)).status).not.toBe(403);
  expect((await director(own.toLowerCase(), method, file)).status).not.toBe(403);
});

test('nobody is admitted to an update in the name of another vehicle', async () => {
  const ask = (vin: string) =>
    carota.call('POST', `/v1.0/schedules/none/vehicles/${vin}/admission`, { token });
  expect((await ask(other)).body.errorCode).toBe('FORBIDDEN');
  expect((await ask(own)).body.errorCode).toBe('SCHEDULE_NOT_FOUND');
});

test('there is no token that several vehicles share, and none of a person that is a vehicle’s', async () => {
  const make = (body: object) => carota.call('POST', '/v1.0/tokens', { body });
  const shared = await make({ role: 'vehicle', name: 'fleet' });
  expect(shared).toMatchObject({ status: 400, body: { errors: [{ path: '/vin' }] } });
  expect((await make({ role: 'viewer', name: 'x', vin: own })).status).toBe(400);
  expect((await make({ role: 'vehicle', name: 'x', vin: 'no vin' })).status).toBe(400);
  const { body } = await carota.call('GET', '/v1.0/tokens');
  expect(body.items).toContainEqual(expect.objectContaining({ name: 'a car', vin: own }));
});
