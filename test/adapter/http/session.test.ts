/** Browsers: signing in by a cookie, and what another site could make of it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestAdapter, type TestAdapter, triggerEvent } from '../../support/adapter.js';

let t: TestAdapter;
beforeAll(async () => {
  t = await startTestAdapter();
});
afterAll(() => t.stop());

const CONSOLE = { 'x-otaops-console': '1' };

async function signIn(token: string, headers: Record<string, string> = CONSOLE) {
  const answer = await t.call('POST', '/v1.0/session', { token: null, headers, body: { token } });
  const [cookie = '', ...flags] = (answer.headers.get('set-cookie') ?? '').split('; ');
  return { ...answer, cookie, flags };
}

test('a token becomes a cookie that scripts cannot read, for this site alone', async () => {
  const { status, body, cookie, flags } = await signIn(t.token);
  expect(status).toBe(200);
  expect(body).toMatchObject({ role: 'admin', server: 'adapter' });
  expect(body.permissions).toContain('control');
  expect(flags).toEqual(expect.arrayContaining(['HttpOnly', 'SameSite=Strict', 'Path=/']));
  expect(flags).not.toContain('Secure');
  const me = await t.call('GET', '/v1.0/session', { token: null, headers: { cookie } });
  expect(me.body).toEqual(body);
});

test('over TLS the cookie goes nowhere else', async () => {
  const { flags } = await signIn(t.token, { ...CONSOLE, origin: 'https://ota.example' });
  expect(flags).toContain('Secure');
});

test('a wrong token signs nobody in', async () => {
  const { status, cookie } = await signIn('otaops_wrong');
  expect([status, cookie]).toEqual([401, '']);
});

test('signing out clears the cookie', async () => {
  const { cookie } = await signIn(t.token);
  const headers = { cookie, ...CONSOLE };
  const answer = await t.call('DELETE', '/v1.0/session', { token: null, headers });
  expect(answer.status).toBe(204);
  expect(answer.headers.get('set-cookie')).toMatch(/^otaops_adapter=;/);
});

test('by cookie, what changes something comes from our own pages only', async () => {
  const { cookie } = await signIn(t.token);
  const call = (headers: Record<string, string>) =>
    t.call('POST', '/v1.0/ota/trigger', {
      token: null,
      headers: { cookie, ...headers },
      body: triggerEvent('forged', ['LSVAU2180N2183294']),
    });
  for (const headers of [
    {},
    { ...CONSOLE, 'sec-fetch-site': 'cross-site' },
    // The CarOTA Server's pages are on another port: the same site, another origin.
    { ...CONSOLE, 'sec-fetch-site': 'same-site' },
  ]) {
    const { status, body } = await call(headers);
    expect([status, body.errorCode]).toEqual([403, 'FORGED_REQUEST']);
  }
  expect((await t.call('GET', '/v1.0/ota/operations/forged')).status).toBe(404);
  expect((await call({ ...CONSOLE, 'sec-fetch-site': 'same-origin' })).status).toBe(202);
});

test('a role is what it is, also by cookie', async () => {
  const { cookie, body } = await signIn(await t.tokenFor('viewer'));
  expect(body.permissions).toEqual(['read']);
  const headers = { cookie, ...CONSOLE };
  const path = '/v1.0/ota/operations/forged/cancel';
  expect((await t.call('POST', path, { token: null, headers })).status).toBe(403);
});

test('a revoked token is signed out at once', async () => {
  const { body: made } = await t.call('POST', '/v1.0/tokens', {
    body: { name: 'gone', role: 'viewer' },
  });
  const { cookie } = await signIn(made.token);
  await t.call('DELETE', `/v1.0/tokens/${made.id}`);
  const answer = await t.call('GET', '/v1.0/session', { token: null, headers: { cookie } });
  expect(answer.status).toBe(401);
});
