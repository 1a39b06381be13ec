/** Browsers: sign-in with a cookie, and protection against other sites. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADAPTER_SCHEMA } from '../../../src/adapter/schema.js';
import { type Database, openPostgres } from '../../../src/service/database/index.js';
import { newDatabase, type TestDatabase } from '../../support/databases.js';
import { startTestAdapter, type TestAdapter, triggerEvent } from '../../support/adapter.js';

let t: TestAdapter;
let stored: TestDatabase;
let database: Database;
beforeAll(async () => {
  stored = await newDatabase(ADAPTER_SCHEMA);
  database = openPostgres({ url: stored.url });
  t = await startTestAdapter({ databaseUrl: stored.url });
});
afterAll(async () => {
  await t.stop();
  await database.close();
  await stored.drop();
});

const CONSOLE = { 'x-otaops-console': '1' };

async function signIn(token: string, headers: Record<string, string> = CONSOLE) {
  const answer = await t.call('POST', '/v1.0/session', { token: null, headers, body: { token } });
  const [cookie = '', ...flags] = (answer.headers.get('set-cookie') ?? '').split('; ');
  return { ...answer, cookie, flags };
}

const isSignedIn = async (cookie: string, headers: Record<string, string> = {}) => {
  const options = { token: null, headers: { cookie, ...headers } };
  return (await t.call('GET', '/v1.0/session', options)).status === 200;
};

test('a token becomes a session in a cookie that scripts cannot read, for this site alone', async () => {
  const { status, body, cookie, flags } = await signIn(t.token);
  expect(status).toBe(200);
  // A stolen cookie contains no token.
  const secret = cookie.slice('otaops_adapter='.length);
  expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
  expect((await t.call('GET', '/v1.0/session', { token: secret })).status).toBe(401);
  expect(await isSignedIn(`otaops_adapter=${t.token}`)).toBe(false);
  expect((await signIn(t.token)).cookie).not.toBe(cookie);
  expect(body).toMatchObject({ role: 'admin', server: 'adapter' });
  expect(body.permissions).toContain('control');
  expect(flags).toEqual(expect.arrayContaining(['HttpOnly', 'SameSite=Strict', 'Path=/']));
  expect(flags).not.toContain('Secure');
  const me = await t.call('GET', '/v1.0/session', { token: null, headers: { cookie } });
  expect(me.body).toEqual(body);
});

test('over TLS the cookie is sent to this host only', async () => {
  const { cookie, flags } = await signIn(t.token, { ...CONSOLE, origin: 'https://ota.example' });
  expect(flags).toEqual(expect.arrayContaining(['Secure', 'Path=/']));
  expect(flags.join()).not.toContain('Domain');
  expect(cookie).toMatch(/^__Host-otaops_adapter=/);
  expect(await isSignedIn(cookie)).toBe(true);
  // Another port of the host can set the name without the prefix, but cannot read the secret that belongs to it.
  expect(await isSignedIn(cookie.replace('__Host-', ''))).toBe(false);
  const own = (await signIn(t.token)).cookie;
  expect(await isSignedIn(`__Host-${own}`)).toBe(false);
});

test('a wrong token is refused', async () => {
  const { status, cookie } = await signIn('otaops_wrong');
  expect([status, cookie]).toEqual([401, '']);
});

test('a session is valid only for the host and port of the sign-in', async () => {
  const { cookie } = await signIn(t.token);
  const { hostname, port } = new URL(t.adapter.httpUrl);
  const statusFor = async (host: string) => {
    const asked = request({
      hostname,
      port,
      path: '/v1.0/session',
      headers: { cookie, host },
    }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    return answer.statusCode;
  };
  expect(await statusFor(`${hostname}:${port}`)).toBe(200);
  expect(await statusFor(`${hostname}:1`)).toBe(401);
  expect(await statusFor(hostname)).toBe(401);
});

test.each([
  ['30 minutes without a request', `seen_at = seen_at - interval '30 minutes'`],
  ['12 hours', `created_at = created_at - interval '12 hours'`],
])('a session ends after %s', async (_name, change) => {
  const { cookie } = await signIn(t.token);
  expect(await isSignedIn(cookie)).toBe(true);
  await database.query(`update sessions set ${change}`);
  expect(await isSignedIn(cookie)).toBe(false);
  // The next sign-in deletes it.
  await signIn(t.token);
  const rows = await database.query(
    `select from sessions where seen_at < now() - interval '20 minutes' or created_at < now() - interval '6 hours'`,
  );
  expect(rows).toEqual([]);
});

test('a request keeps a session from becoming idle', async () => {
  const { cookie } = await signIn(t.token);
  await database.query(`update sessions set seen_at = seen_at - interval '20 minutes'`);
  expect(await isSignedIn(cookie)).toBe(true);
  await database.query(`update sessions set seen_at = seen_at - interval '20 minutes'`);
  expect(await isSignedIn(cookie)).toBe(true);
});

test('the database does not contain the secret of a session', async () => {
  const { cookie } = await signIn(t.token);
  const rows = await database.query('select s::text as text from sessions s');
  expect(JSON.stringify(rows)).not.toContain(cookie.split('=')[1]);
});

test('signing out ends the session on the server', async () => {
  const { cookie } = await signIn(t.token);
  const headers = { cookie, ...CONSOLE };
  const answer = await t.call('DELETE', '/v1.0/session', { token: null, headers });
  expect(answer.status).toBe(204);
  expect(answer.headers.get('set-cookie')).toMatch(/^otaops_adapter=;/);
  expect(await isSignedIn(cookie)).toBe(false);
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

test('revoking a token ends its session at once', async () => {
  const { body: made } = await t.call('POST', '/v1.0/tokens', {
    body: { name: 'gone', role: 'viewer' },
  });
  const { cookie } = await signIn(made.token);
  await t.call('DELETE', `/v1.0/tokens/${made.id}`);
  const answer = await t.call('GET', '/v1.0/session', { token: null, headers: { cookie } });
  expect(answer.status).toBe(401);
});

test('the documentation runs only its own scripts, and never in a frame', async () => {
  for (const path of ['/docs', '/docs/static/index.html', '/docs/static/swagger-ui-bundle.js']) {
    const { headers } = await fetch(t.adapter.httpUrl + path);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
  }
});

describe('the console', () => {
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(t.adapter.httpUrl + path, { headers, redirect: 'manual' });

  test('every address serves the same document, and a strict policy allows only its own files', async () => {
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

  test('is not part of the documented interface', async () => {
    const { body } = await t.call('GET', '/openapi.json');
    expect(Object.keys(body.paths).filter((path) => path.includes('console'))).toEqual([]);
  });
});

test('the only administrator cannot revoke its own token', async () => {
  const { body } = await t.call('GET', '/v1.0/tokens');
  const own = body.items.find(({ role }: { role: string }) => role === 'admin');
  const refused = await t.call('DELETE', `/v1.0/tokens/${own.id}`);
  expect([refused.status, refused.body.errorCode]).toEqual([409, 'LAST_ADMINISTRATOR']);
  expect((await t.call('GET', '/v1.0/tokens')).status).toBe(200);
  const { body: made } = await t.call('POST', '/v1.0/tokens', {
    body: { name: 'second', role: 'admin' },
  });
  // Of two that revoke each other at the same time, one remains.
  const answers = await Promise.all([
    t.call('DELETE', `/v1.0/tokens/${own.id}`, { token: made.token }),
    t.call('DELETE', `/v1.0/tokens/${made.id}`),
  ]);
  expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
  const left = await Promise.all(
    [t.token, made.token].map((token) => t.call('GET', '/v1.0/tokens', { token })),
  );
  expect(left.filter(({ status }) => status === 200)).toHaveLength(1);
});
