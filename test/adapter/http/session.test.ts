/** Browsers: sign-in with a cookie, and protection against other sites. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

test('a token becomes a cookie for this site alone, which scripts cannot read', async () => {
  const { status, body, cookie, flags } = await signIn(t.token);
  expect(status).toBe(200);
  expect(body).toMatchObject({ role: 'admin', server: 'adapter' });
  expect(body.permissions).toContain('control');
  expect(flags).toEqual(expect.arrayContaining(['HttpOnly', 'SameSite=Strict', 'Path=/']));
  expect(flags).not.toContain('Secure');
  const me = await t.call('GET', '/v1.0/session', { token: null, headers: { cookie } });
  expect(me.body).toEqual(body);
});

test('over TLS the cookie is sent over TLS only', async () => {
  const { flags } = await signIn(t.token, { ...CONSOLE, origin: 'https://ota.example' });
  expect(flags).toContain('Secure');
});

test('a wrong token is refused', async () => {
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

test('with a cookie, requests that change something are accepted from our own pages only', async () => {
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
    // The CarOTA Server's pages are on another port: same site, another origin.
    { ...CONSOLE, 'sec-fetch-site': 'same-site' },
  ]) {
    const { status, body } = await call(headers);
    expect([status, body.errorCode]).toEqual([403, 'FORGED_REQUEST']);
  }
  expect((await t.call('GET', '/v1.0/ota/operations/forged')).status).toBe(404);
  expect((await call({ ...CONSOLE, 'sec-fetch-site': 'same-origin' })).status).toBe(202);
});

test("a cookie has the permissions of its token's role", async () => {
  const { cookie, body } = await signIn(await t.tokenFor('viewer'));
  expect(body.permissions).toEqual(['read']);
  const headers = { cookie, ...CONSOLE };
  const path = '/v1.0/ota/operations/forged/cancel';
  expect((await t.call('POST', path, { token: null, headers })).status).toBe(403);
});

test('a revoked token ends its session at once', async () => {
  const { body: made } = await t.call('POST', '/v1.0/tokens', {
    body: { name: 'gone', role: 'viewer' },
  });
  const { cookie } = await signIn(made.token);
  await t.call('DELETE', `/v1.0/tokens/${made.id}`);
  const answer = await t.call('GET', '/v1.0/session', { token: null, headers: { cookie } });
  expect(answer.status).toBe(401);
});

describe('the console', () => {
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(t.adapter.httpUrl + path, { headers, redirect: 'manual' });

  test('every address of it is the same document, with its own files under a strict policy', async () => {
    const root = await get('/');
    expect([root.status, root.headers.get('location')]).toEqual([302, '/console/']);
    const first = await get('/console/');
    const html = await first.text();
    const deep = await get('/console/operations/a%2Fb/vehicles?state=success');
    expect(await deep.text()).toBe(html);
    for (const { headers } of [first, deep]) {
      expect(headers.get('content-type')).toContain('text/html');
      expect(headers.get('cache-control')).toBe('no-cache');
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
    // No addresses of other hosts, and nothing inline.
    expect(html).not.toMatch(/https?:|<script>|<style|style=| on\w+=/);
  });

  test('files named by digest are cached forever, and compressed', async () => {
    const html = await (await get('/console/')).text();
    const [, script = ''] = /src="(\/console\/assets\/[^"]+\.js)"/.exec(html) ?? [];
    for (const encoding of ['br', 'gzip']) {
      const { status, headers } = await get(script, { 'accept-encoding': encoding });
      expect([status, headers.get('content-encoding')]).toEqual([200, encoding]);
      expect(headers.get('cache-control')).toContain('immutable');
    }
    const gone = await get('/console/assets/gone-12345678.js');
    expect([gone.status, gone.headers.get('content-type')]).toEqual([
      404,
      expect.stringContaining('problem+json'),
    ]);
    for (const outside of ['/console/..%2f..%2fpackage.json', '/console/%2e%2e/cli/main.js']) {
      expect(await (await get(outside)).text()).not.toContain('otaops"');
    }
  });

  test('it is not part of the documented interface', async () => {
    const { body } = await t.call('GET', '/openapi.json');
    expect(Object.keys(body.paths).filter((path) => path.includes('console'))).toEqual([]);
  });
});
