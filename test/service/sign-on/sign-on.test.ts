/** People sign in to both servers at a real OpenID Connect provider (oidc-provider). */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADAPTER_SCHEMA } from '../../../src/adapter/schema.js';
import { type Database, openPostgres } from '../../../src/service/database/index.js';
import { startTestCarota, type TestCarota } from '../../carota/support/test-carota.js';
import { eventually, startTestAdapter, type TestAdapter } from '../../support/adapter.js';
import { Browsing } from '../../support/browsing.js';
import { newDatabase, type TestDatabase } from '../../support/databases.js';
import {
  type IdentityProvider,
  settingsAt,
  startIdentityProvider,
} from '../../support/identity-provider.js';
import { freePort } from '../../support/servers.js';

let provider: IdentityProvider;
let adapter: TestAdapter;
let carota: TestCarota;
let stored: TestDatabase;
let database: Database;
let urls: { adapter: string; carota: string };

const settingsOf = (clientId: string) =>
  settingsAt(provider, clientId, [
    { value: 'ota-admins', role: 'admin' },
    { value: 'ota-planners', role: 'planner' },
    { value: 'ota-operators', role: 'operator' },
    { value: 'ota-staff', role: 'viewer' },
  ]);

/** The same claim lists the vehicle models that a person is limited to. */
const SCOPES = {
  oidcScopeClaim: 'groups',
  oidcScopes: [
    { value: 'line-4', model: 'vehicle model a' },
    { value: 'ota-operators', model: '*' },
    { value: 'ota-admins', model: '*' },
  ],
};

beforeAll(async () => {
  provider = await startIdentityProvider();
  provider.groups.set('ada', ['ota-operators', 'ota-planners']);
  provider.groups.set('eve', ['cleaners']);
  stored = await newDatabase(ADAPTER_SCHEMA);
  database = openPostgres({ url: stored.url });
  provider.groups.set('leo', ['ota-staff', 'line-4']);
  provider.groups.set('mia', ['ota-staff']);
  adapter = await startTestAdapter({
    ...(await settingsOf('adapter')),
    ...SCOPES,
    databaseUrl: stored.url,
  });
  const adapterUrl = adapter.adapter.httpUrl;
  carota = await startTestCarota(adapterUrl, await settingsOf('carota'));
  urls = { adapter: adapterUrl, carota: carota.carota.httpUrl };
});
afterAll(async () => {
  await carota.stop();
  await adapter.stop();
  await database.close();
  await stored.drop();
  await provider.stop();
});

const begin = async (browsing: Browsing, server: keyof typeof urls, query = '') => {
  const { status, location = '' } = await browsing.get(
    `${urls[server]}/v1.0/session/sign-on${query}`,
  );
  expect(status).toBe(303);
  return location;
};

/** @returns the browser's final address */
async function signIn(
  browsing: Browsing,
  name: string,
  server: keyof typeof urls = 'adapter',
  query = '',
): Promise<string | undefined> {
  const callback = await provider.signIn(browsing, await begin(browsing, server, query), name);
  return (await browsing.get(callback)).location;
}

const sessionOf = async (browsing: Browsing, server: keyof typeof urls = 'adapter') => {
  const { status, text } = await browsing.get(`${urls[server]}/v1.0/session`);
  return status === 200 ? (JSON.parse(text) as object) : status;
};

const OWN = { 'x-otaops-console': '1' };

test('a signed-in person has the provider’s identity and the permissions of their groups', async () => {
  const browsing = new Browsing();
  expect(await signIn(browsing, 'ada')).toBe(`${urls.adapter}/console/`);
  expect(await sessionOf(browsing)).toMatchObject({
    name: 'Name of ada',
    role: 'operator',
    permissions: ['read', 'control'],
    signedInBy: 'single-sign-on',
  });
  expect((await browsing.get(`${urls.adapter}/v1.0/ota/operations`)).status).toBe(200);
  expect((await browsing.get(`${urls.adapter}/v1.0/tokens`)).status).toBe(403);
});

test('a person is limited to the vehicle models of their groups, or to none without one', async () => {
  const body = (model: string) => ({
    time: 1625660275379,
    version: 'v1',
    body: { model, 'ref-id': `of ${model}`, 'script-ref-id': 's', vins: ['5YJSA1E40FF345678'] },
  });
  for (const model of ['vehicle model a', 'vehicle model b']) {
    await adapter.call('POST', '/v1.0/ota/trigger', { body: body(model) });
  }
  const listed = async (browsing: Browsing) => {
    const { text } = await browsing.get(`${urls.adapter}/v1.0/ota/operations`);
    return (JSON.parse(text) as { items: { model: string }[] }).items.map(({ model }) => model);
  };
  for (const [name, scopes] of [
    ['leo', ['vehicle model a']],
    ['mia', []],
  ] as const) {
    const browsing = new Browsing();
    await signIn(browsing, name);
    expect(await sessionOf(browsing)).toMatchObject({ role: 'viewer', scopes });
    expect(await listed(browsing)).toEqual(scopes);
    expect((await browsing.get(`${urls.adapter}/v1.0/audit`)).status).toBe(403);
  }
  const free = new Browsing();
  await signIn(free, 'ada');
  expect(await sessionOf(free)).toMatchObject({ scopes: null });
  expect(await listed(free)).toContain('vehicle model b');
});

test('the other server needs no second password, and has its own roles', async () => {
  const browsing = new Browsing();
  await signIn(browsing, 'ada');
  const callback = await provider.signIn(browsing, await begin(browsing, 'carota'), 'nobody');
  await browsing.get(callback);
  expect(await sessionOf(browsing, 'carota')).toMatchObject({
    name: 'Name of ada',
    role: 'planner',
  });
  // She is still signed in to the first.
  expect(await sessionOf(browsing)).toMatchObject({ role: 'operator' });
});

test('a person without a role gets no session, and a message', async () => {
  const browsing = new Browsing();
  expect(await signIn(browsing, 'eve')).toBe(`${urls.adapter}/console/?sign-on=no-role`);
  expect(await sessionOf(browsing)).toBe(401);
});

test('sign-ins and refusals are in the audit log, with who and from where', async () => {
  const done = await adapter.call('GET', '/v1.0/audit?action=sign-in&outcome=done&who=oidc:ada');
  expect(done.body.items).toContainEqual(
    expect.objectContaining({
      tokenId: 'oidc:ada',
      tokenName: 'Name of ada',
      address: '127.0.0.1',
      subject: 'single-sign-on',
      detail: { role: 'operator' },
    }),
  );
  const refused = await eventually(
    async () =>
      (await adapter.call('GET', '/v1.0/audit?action=sign-in&outcome=refused&who=oidc:eve')).body
        .items as object[],
    (items) => items.length > 0,
  );
  expect(refused[0]).toMatchObject({ tokenId: 'oidc:eve', errorCode: 'FORBIDDEN' });
});

test('the browser returns to the page it was on, and never to another site', async () => {
  const page = '/console/operations/schedule%200909?tab=log';
  const to = (path: string) => `?returnTo=${encodeURIComponent(path)}`;
  const home = `${urls.adapter}/console/`;
  expect(await signIn(new Browsing(), 'ada', 'adapter', to(page))).toBe(urls.adapter + page);
  for (const path of ['/console/../v1.0/tokens', '/console/..//evil.example']) {
    expect(await signIn(new Browsing(), 'ada', 'adapter', to(path))).toBe(home);
  }
  for (const path of ['https://evil.example/', '//evil.example', '/console/\\evil', '/x']) {
    const { status, text } = await new Browsing().get(
      `${urls.adapter}/v1.0/session/sign-on${to(path)}`,
    );
    expect([status, text]).toEqual([400, expect.stringContaining('/returnTo')]);
  }
});

test('the request to the provider has code, PKCE, state and nonce; the cookie is for this browser only', async () => {
  const browsing = new Browsing();
  const answer = await browsing.get(`${urls.adapter}/v1.0/session/sign-on`);
  const { searchParams } = new URL(answer.location ?? '');
  expect(Object.fromEntries(searchParams)).toEqual({
    response_type: 'code',
    client_id: 'adapter',
    redirect_uri: `${urls.adapter}/v1.0/session/sign-on/callback`,
    scope: 'openid profile groups',
    state: expect.stringMatching(/^[\w-]{43}$/) as string,
    nonce: expect.stringMatching(/^[\w-]{43}$/) as string,
    code_challenge: expect.stringMatching(/^[\w-]{43}$/) as string,
    code_challenge_method: 'S256',
    max_age: '43200',
  });
  expect(answer.headers.get('set-cookie')).toMatch(/HttpOnly; SameSite=Lax/);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const secret = browsing.cookies(urls.adapter).get('otaops_adapter_sign_on')?.split('.')[0];
  expect(answer.location).not.toContain(secret);
  const other = await begin(new Browsing(), 'adapter');
  expect(new URL(other).searchParams.get('state')).not.toBe(searchParams.get('state'));
});

test('login CSRF: an answer meant for another browser does not sign anyone in', async () => {
  const attacker = new Browsing();
  const callback = await provider.signIn(attacker, await begin(attacker, 'adapter'), 'ada');
  const refused = `${urls.adapter}/console/?sign-on=unexpected`;
  const stranger = new Browsing();
  expect((await stranger.get(callback)).location).toBe(refused);
  // Even a browser with its own sign-in in progress.
  const victim = new Browsing();
  await begin(victim, 'adapter');
  expect((await victim.get(callback)).location).toBe(refused);
  for (const browsing of [stranger, victim]) expect(await sessionOf(browsing)).toBe(401);
});

test('a foreign state is refused before any request to the provider', async () => {
  const browsing = new Browsing();
  const callback = new URL(
    await provider.signIn(browsing, await begin(browsing, 'adapter'), 'ada'),
  );
  callback.searchParams.set('state', 'x');
  expect((await browsing.get(callback.href)).location).toMatch(/sign-on=unexpected$/);
  callback.searchParams.delete('state');
  expect((await browsing.get(callback.href)).location).toMatch(/sign-on=unexpected$/);
  expect(await sessionOf(browsing)).toBe(401);
});

test('a code is valid once, even with its cookie', async () => {
  const browsing = new Browsing();
  const url = await begin(browsing, 'adapter');
  const cookie = browsing.cookies(urls.adapter).get('otaops_adapter_sign_on') ?? '';
  const callback = await provider.signIn(browsing, url, 'ada');
  expect((await browsing.get(callback)).location).toBe(`${urls.adapter}/console/`);
  expect(browsing.cookies(urls.adapter).has('otaops_adapter_sign_on')).toBe(false);
  const thief = new Browsing();
  expect((await thief.get(callback)).location).toMatch(/sign-on=unexpected$/);
  thief.setCookie(urls.adapter, 'otaops_adapter_sign_on', cookie);
  expect((await thief.get(callback)).location).toMatch(/sign-on=refused$/);
  expect(await sessionOf(thief)).toBe(401);
});

test('a code for one server is useless at the other', async () => {
  const browsing = new Browsing();
  const callback = await provider.signIn(browsing, await begin(browsing, 'adapter'), 'ada');
  const code = new URL(callback).searchParams.get('code') ?? '';
  const own = new URL(await begin(browsing, 'carota'));
  const query = new URLSearchParams({ code, state: own.searchParams.get('state') ?? '' });
  const { location } = await browsing.get(
    `${urls.carota}/v1.0/session/sign-on/callback?${query.toString()}`,
  );
  expect(location).toMatch(/sign-on=refused$/);
  expect(await sessionOf(browsing, 'carota')).toBe(401);
});

test('a refusal by the provider, or an invalid answer, does not sign anyone in', async () => {
  for (const more of [
    'error=access_denied',
    '',
    'code=x',
    'code=x&iss=https%3A%2F%2Fevil.example',
  ]) {
    const browsing = new Browsing();
    const state = new URL(await begin(browsing, 'adapter')).searchParams.get('state') ?? '';
    const { status, location } = await browsing.get(
      `${urls.adapter}/v1.0/session/sign-on/callback?state=${state}&${more}`,
    );
    expect([status, location]).toEqual([303, `${urls.adapter}/console/?sign-on=refused`]);
    expect(await sessionOf(browsing)).toBe(401);
  }
});

test('cancelling an operation needs a recent sign-in; reading does not', async () => {
  const browsing = new Browsing();
  await signIn(browsing, 'ada');
  const cancel = () =>
    fetch(`${urls.adapter}/v1.0/ota/operations/none/cancel`, {
      method: 'POST',
      headers: {
        ...OWN,
        cookie: [...browsing.cookies(urls.adapter)].map((pair) => pair.join('=')).join('; '),
      },
    });
  expect((await cancel()).status).toBe(404);
  await database.query(
    "update sessions set authenticated_at = now() - interval '6 minutes' where person_id = 'oidc:ada'",
  );
  const refused = await cancel();
  expect([refused.status, await refused.json()]).toEqual([
    403,
    expect.objectContaining({ errorCode: 'SIGN_IN_AGAIN' }),
  ]);
  expect((await browsing.get(`${urls.adapter}/v1.0/ota/operations`)).status).toBe(200);
  // The provider knows her, but asks for the password again.
  const url = await begin(browsing, 'adapter', '?again=true&returnTo=/console/operations');
  expect(new URL(url).searchParams.get('prompt')).toBe('login');
  const asked = await browsing.get(url);
  expect((await browsing.get(new URL(asked.location ?? '', url).href)).text).toContain(
    'name="login"',
  );
  const back = await signIn(browsing, 'ada', 'adapter', '?again=true&returnTo=/console/operations');
  expect(back).toBe(`${urls.adapter}/console/operations`);
  expect((await cancel()).status).toBe(404);
});

test('revoking a certificate and creating an enrolment code need a recent sign-in', async () => {
  provider.groups.set('adam', ['ota-admins']);
  const ofCarota = openPostgres({ url: carota.databaseUrl });
  try {
    for (const [server, method, path, done] of [
      ['adapter', 'PUT', '/v1.0/revoked-certificates/abc', 200],
      ['carota', 'PUT', '/v1.0/revoked-certificates/abc', 200],
      ['carota', 'POST', '/v1.0/vehicles/5YJSA1E40FF345678/enrolment-codes', 404],
    ] as const) {
      const browsing = new Browsing();
      await signIn(browsing, 'adam', server);
      const cookie = [...browsing.cookies(urls[server])].map((pair) => pair.join('=')).join('; ');
      const call = () =>
        fetch(urls[server] + path, {
          method,
          headers: { ...OWN, cookie, 'content-type': 'application/json' },
          body: method === 'PUT' ? JSON.stringify({ reason: 'sold' }) : '{"hours":1}',
        });
      expect([path, (await call()).status]).toEqual([path, done]);
      await (server === 'adapter' ? database : ofCarota).query(
        "update sessions set authenticated_at = now() - interval '6 minutes' where person_id = 'oidc:adam'",
      );
      expect(await (await call()).json()).toMatchObject({ errorCode: 'SIGN_IN_AGAIN' });
    }
  } finally {
    await ofCarota.close();
  }
});

test('signing out ends the session here, and leads to the provider', async () => {
  const browsing = new Browsing();
  await signIn(browsing, 'ada');
  const cookie = browsing.cookies(urls.adapter).get('otaops_adapter') ?? '';
  await browsing.delete(`${urls.adapter}/v1.0/session`, OWN);
  browsing.setCookie(urls.adapter, 'otaops_adapter', cookie);
  expect(await sessionOf(browsing)).toBe(401);
  const { location = '' } = await browsing.get(`${urls.adapter}/v1.0/session/sign-on/end`);
  const { origin, searchParams } = new URL(location);
  expect([origin, searchParams.get('post_logout_redirect_uri')]).toEqual([
    provider.issuer,
    `${urls.adapter}/console/`,
  ]);
  expect((await browsing.get(location)).status).toBe(200);
});

test('signing in replaces the session that the browser had', async () => {
  const browsing = new Browsing();
  await signIn(browsing, 'ada');
  const before = browsing.cookies(urls.adapter).get('otaops_adapter') ?? '';
  await signIn(browsing, 'ada');
  const old = new Browsing();
  old.setCookie(urls.adapter, 'otaops_adapter', before);
  expect(await sessionOf(old)).toBe(401);
  expect(await sessionOf(browsing)).toMatchObject({ name: 'Name of ada' });
});

test('without a provider, the routes of single sign-on do not exist', async () => {
  const plain = await startTestAdapter();
  expect((await plain.call('GET', '/v1.0/session/ways')).body).toEqual({ singleSignOn: false });
  for (const path of ['', '/callback', '/end']) {
    const { status, body } = await plain.call('GET', `/v1.0/session/sign-on${path}`);
    expect([status, body.errorCode]).toEqual([404, 'SIGN_ON_NOT_SET_UP']);
  }
  await plain.stop();
});

test('while the provider is down, people get a message, and tokens work', async () => {
  const down = await startTestAdapter({
    ...(await settingsOf('down')),
    oidcIssuer: `http://127.0.0.1:${await freePort()}`,
  });
  const url = down.adapter.httpUrl;
  const browsing = new Browsing();
  const { status, location } = await browsing.get(`${url}/v1.0/session/sign-on`);
  expect([status, location]).toEqual([303, `${url}/console/?sign-on=unavailable`]);
  expect((await browsing.get(`${url}/v1.0/session/sign-on/end`)).location).toBe(`${url}/console/`);
  const signedIn = await down.call('POST', '/v1.0/session', {
    token: null,
    headers: OWN,
    body: { token: down.token },
  });
  expect([signedIn.status, signedIn.body.signedInBy]).toEqual([200, 'token']);
  await down.stop();
});
