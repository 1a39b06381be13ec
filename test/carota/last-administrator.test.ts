/** The CarOTA Server always keeps an administrator, who can create tokens. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AdapterDouble,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from './support/test-carota.js';

let adapter: AdapterDouble;
let carota: TestCarota;
beforeAll(async () => {
  adapter = await startAdapterDouble();
  carota = await startTestCarota(adapter.url);
});
afterAll(async () => {
  await carota.stop();
  await adapter.stop();
});

test('the only administrator cannot revoke their own token; of two who revoke each other at once, one stays', async () => {
  const listed = await carota.call('GET', '/v1.0/tokens');
  const own = listed.body.items.find(({ role }: { role: string }) => role === 'admin');
  const refused = await carota.call('DELETE', `/v1.0/tokens/${own.id}`);
  expect([refused.status, refused.body.errorCode]).toEqual([409, 'LAST_ADMINISTRATOR']);

  const body = { name: 'second', role: 'admin' };
  const { body: made } = await carota.call('POST', '/v1.0/tokens', { body });
  const answers = await Promise.all([
    carota.call('DELETE', `/v1.0/tokens/${own.id}`, { token: made.token }),
    carota.call('DELETE', `/v1.0/tokens/${made.id}`),
  ]);
  expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
  const left = await Promise.all([
    carota.call('GET', '/v1.0/tokens'),
    carota.call('GET', '/v1.0/tokens', { token: made.token }),
  ]);
  expect(left.filter(({ status }) => status === 200)).toHaveLength(1);
});
