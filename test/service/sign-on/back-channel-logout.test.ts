/**
 * OpenID Connect Back-Channel Logout 1.0: signing out at the provider (oidc-provider) ends a person's sessions at both
 * servers, on each of their processes; logout tokens that the provider did not send, or not for this purpose, end
 * nothing.
 */
import { writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADAPTER_SCHEMA } from '../../../src/adapter/schema.js';
import { startTestCarota, type TestCarota } from '../../carota/support/test-carota.js';
import { eventually, startTestAdapter, type TestAdapter } from '../../support/adapter.js';
import { Browsing } from '../../support/browsing.js';
import { newDatabase, type TestDatabase } from '../../support/databases.js';
import { sampleOf } from '../../support/depth.js';
import {
  type ForgedProvider,
  signedBy,
  startForgedProvider,
  STRANGER,
  unsigned,
} from '../../support/forged-provider.js';
import {
  type IdentityProvider,
  settingsAt,
  startIdentityProvider,
} from '../../support/identity-provider.js';
import { freePort, temporaryDirectory } from '../../support/servers.js';

const PATH = '/v1.0/session/sign-on/back-channel-logout';
const ROLES = [{ value: 'ota-staff', role: 'viewer' }];
let provider: IdentityProvider;
let forged: ForgedProvider;
let stored: TestDatabase;
let carota: TestCarota;
/** Two processes on one database. */
let first: TestAdapter;
let second: TestAdapter;
/** A server whose provider says whatever the test sets. */
let deceived: TestAdapter;
beforeAll(async () => {
  provider = await startIdentityProvider();
  for (const name of ['ada', 'bob']) provider.groups.set(name, ['ota-staff']);
  stored = await newDatabase(ADAPTER_SCHEMA);
  const settings = await settingsAt(provider, 'adapter', ROLES);
  first = await startTestAdapter({ ...settings, databaseUrl: stored.url });
  const dataDir = temporaryDirectory('second');
  // Only the first of them creates the initial token.
  writeFileSync(join(dataDir, 'token'), first.token, { mode: 0o600 });
  second = await startTestAdapter({
    ...settings,
    dataDir,
    httpPort: await freePort(),
    databaseUrl: stored.url,
  });
  carota = await startTestCarota(
    first.adapter.httpUrl,
    await settingsAt(provider, 'carota', ROLES),
  );
  forged = await startForgedProvider();
  const httpPort = await freePort();
  deceived = await startTestAdapter({
    httpPort,
    consoleUrl: `http://127.0.0.1:${httpPort}`,
    oidcIssuer: forged.issuer,
    oidcClientId: 'adapter',
    oidcRoles: ROLES,
  });
});
afterAll(async () => {
  await deceived.stop();
  await carota.stop();
  await second.stop();
  await first.stop();
  await forged.stop();
  await provider.stop();
  await stored.drop();
});

async function signIn(browsing: Browsing, url: string, name: string): Promise<void> {
  const { location = '' } = await browsing.get(`${url}/v1.0/session/sign-on`);
  await browsing.get(await provider.signIn(browsing, location, name));
  expect((await browsing.get(`${url}/v1.0/session`)).status).toBe(200);
}
const isIn = async (browsing: Browsing, url: string) =>
  (await browsing.get(`${url}/v1.0/session`)).status === 200;

/** An event stream from another process, as behind a load balancer. @returns its `ended` resolves at its end */
function stream(browsing: Browsing, from: TestAdapter, as: TestAdapter) {
  const cookie = [...browsing.cookies(as.adapter.httpUrl)].map((pair) => pair.join('=')).join('; ');
  return new Promise<{ ended: Promise<void> }>((resolve, reject) => {
    const asked = httpRequest(
      `${from.adapter.httpUrl}/v1.0/ota/events/stream`,
      { headers: { cookie, host: new URL(as.adapter.httpUrl).host, accept: 'text/event-stream' } },
      (response) => {
        if (response.statusCode !== 200) {
          reject(new Error(`the stream answers ${response.statusCode}`));
          return;
        }
        response.resume();
        response.on('error', () => undefined);
        resolve({ ended: new Promise((done) => response.on('close', done)) });
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

test('a sign-out at the provider ends the sessions and their streams at both servers, on every process', async () => {
  const [ada, elsewhere, bob] = [new Browsing(), new Browsing(), new Browsing()];
  const url = first.adapter.httpUrl;
  await signIn(ada, url, 'ada');
  await signIn(ada, carota.carota.httpUrl, 'ada');
  // Her other browser has another session at the provider.
  await signIn(elsewhere, url, 'ada');
  await signIn(bob, url, 'bob');
  const reading = await stream(ada, second, first);
  await provider.signOut(ada);
  await reading.ended;
  expect(await isIn(ada, url)).toBe(false);
  expect(await isIn(ada, carota.carota.httpUrl)).toBe(false);
  expect(await isIn(elsewhere, url)).toBe(true);
  expect(await isIn(bob, url)).toBe(true);
  for (const server of [first, carota]) {
    const { items } = (await server.call('GET', '/v1.0/audit?action=end-sessions')).body;
    expect(items).toMatchObject([
      {
        tokenId: 'oidc:ada',
        tokenName: 'Name of ada',
        outcome: 'done',
        subject: 'single-sign-on',
        detail: { sessions: 1 },
      },
    ]);
  }
});

const EVENTS = { 'http://schemas.openid.net/event/backchannel-logout': {} };
let tokens = 0;
/** A session that has ended does not come back. */
let current = 's-0';
let sids = 0;
const newSession = () => (current = `s-${++sids}`);
const now = () => Math.floor(Date.now() / 1000);
const claimsOf = (more: object = {}) => ({
  ...{ iss: forged.issuer, aud: 'adapter', sub: 'ada', sid: current, events: EVENTS },
  ...{ iat: now(), exp: now() + 120, jti: `token-${++tokens}` },
  ...more,
});
const send = async (token: string, type = 'application/x-www-form-urlencoded') => {
  const response = await fetch(deceived.adapter.httpUrl + PATH, {
    method: 'POST',
    headers: { 'content-type': type },
    body: new URLSearchParams({ logout_token: token, more: 'is ignored' }).toString(),
  });
  const body = (await response.json()) as { errorCode?: string; sessions?: number };
  expect(response.headers.get('cache-control')).toBe('no-store');
  return [response.status, body.errorCode ?? body.sessions];
};
/** A person who is signed in at the deceived server. */
async function signedIn(sid?: string, sub = 'ada'): Promise<Browsing> {
  const { browsing, complete } = await signingIn(sid, sub);
  await complete();
  expect(await isStillIn(browsing)).toBe(true);
  return browsing;
}
/** A person who has signed in at the provider, but has not returned yet. */
async function signingIn(sid?: string, sub = 'ada') {
  const browsing = new Browsing();
  const url = deceived.adapter.httpUrl;
  const { location = '' } = await browsing.get(`${url}/v1.0/session/sign-on`);
  const { searchParams } = new URL(location);
  const complete = async () => {
    forged.reset('adapter', searchParams.get('nonce') ?? '');
    forged.says.claims = (claims) => ({ ...claims, sub, ...(sid === undefined ? {} : { sid }) });
    return browsing.get(
      `${url}/v1.0/session/sign-on/callback?code=c&state=${searchParams.get('state')}`,
    );
  };
  return { browsing, complete };
}
const isStillIn = (browsing: Browsing) => isIn(browsing, deceived.adapter.httpUrl);
const REFUSED = [400, 'LOGOUT_TOKEN_REFUSED'];

test('a token that names a session, a person, or both ends exactly those sessions', async () => {
  const [first, second, third] = [newSession(), newSession(), newSession()];
  const [one, two, silent, bob] = [
    await signedIn(first),
    await signedIn(second),
    await signedIn(),
    await signedIn(third, 'bob'),
  ];
  const inAll = async () => Promise.all([one, two, silent, bob].map(isStillIn));
  expect(await send(forged.sign(claimsOf({ sub: undefined, sid: second })))).toEqual([200, 1]);
  expect(await inAll()).toEqual([true, false, true, true]);
  // One of her sessions has no `sid`, so it ends too.
  expect(await send(forged.sign(claimsOf({ sid: first })))).toEqual([200, 2]);
  expect(await inAll()).toEqual([false, false, false, true]);
  // Another person's session.
  expect(await send(forged.sign(claimsOf({ sub: 'ada', sid: third })))).toEqual([200, 0]);
  expect(await inAll()).toEqual([false, false, false, true]);
  expect(await send(forged.sign(claimsOf({ sub: 'bob', sid: undefined })))).toEqual([200, 1]);
  expect(await inAll()).toEqual([false, false, false, false]);
});

test('a sign-in in progress when the provider signs the person out does not start a session', async () => {
  const sid = newSession();
  const [bySession, ofAnother, silent, byPerson, bob] = [
    await signingIn(sid),
    await signingIn(newSession()),
    await signingIn(),
    await signingIn(newSession()),
    await signingIn(newSession(), 'bob'),
  ];
  expect(await send(forged.sign(claimsOf({ sub: 'ada', sid })))).toEqual([200, 0]);
  expect((await bySession.complete()).location).toMatch(/\?sign-on=refused$/);
  expect(await isStillIn(bySession.browsing)).toBe(false);
  // Without a `sid`, it may belong to the session that has ended.
  expect((await silent.complete()).location).toMatch(/\?sign-on=refused$/);
  await ofAnother.complete();
  expect(await isStillIn(ofAnother.browsing)).toBe(true);
  // An ended session does not start one later either; a new sign-in has another session.
  expect((await (await signingIn(sid)).complete()).location).toMatch(/\?sign-on=refused$/);
  await signedIn();

  expect(await send(forged.sign(claimsOf({ sub: 'ada', sid: undefined })))).toEqual([200, 2]);
  expect((await byPerson.complete()).location).toMatch(/\?sign-on=refused$/);
  await bob.complete();
  expect(await isStillIn(bob.browsing)).toBe(true);
  await signedIn(newSession());
  const items = await eventually(
    async () =>
      (await deceived.call('GET', '/v1.0/audit?action=sign-in&outcome=refused')).body.items,
    (found) => found.some(({ tokenId }: { tokenId: string }) => tokenId === 'oidc:ada'),
  );
  expect(items).toContainEqual(
    expect.objectContaining({ tokenId: 'oidc:ada', subject: 'single-sign-on' }),
  );
});

test('with concurrent sign-outs and sign-ins, each session ends once, and none is left', async () => {
  // Ends the sessions of other tests.
  await send(forged.sign(claimsOf({ sub: 'ada', sid: undefined })));
  const sids = Array.from({ length: 6 }, newSession);
  const before: Browsing[] = [];
  for (const sid of sids) before.push(await signedIn(sid));
  const underWay = [];
  for (let n = 0; n < 4; n += 1) underWay.push(await signingIn(newSession()));
  const bob = await signedIn(newSession(), 'bob');
  // One at a time, as the provider is set up for one sign-in.
  const returning = (async () => {
    let started = 0;
    for (const { complete } of underWay) {
      const { location } = await complete();
      if (!location?.endsWith('?sign-on=refused')) started += 1;
    }
    return started;
  })();
  const answers = await Promise.all([
    ...sids.map((sid) => send(forged.sign(claimsOf({ sub: undefined, sid })))),
    ...sids.map((sid) => send(forged.sign(claimsOf({ sub: 'ada', sid })))),
    ...[1, 2, 3].map(() => send(forged.sign(claimsOf({ sub: 'ada', sid: undefined })))),
  ]);
  const started = await returning;
  expect(answers.map(([status]) => status)).toEqual(answers.map(() => 200));
  // Each ended session was counted by only one sign-out.
  const ended = answers.reduce((sum, [, sessions]) => sum + Number(sessions), 0);
  expect(ended).toBe(before.length + started);
  for (const browsing of [...before, ...underWay.map((each) => each.browsing)]) {
    expect(await isStillIn(browsing)).toBe(false);
  }
  expect(await isStillIn(bob)).toBe(true);
});

test('the provider cannot end sessions that were started with a token', async () => {
  const response = await fetch(`${deceived.adapter.httpUrl}/v1.0/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-otaops-console': '1' },
    body: JSON.stringify({ token: deceived.token }),
  });
  const cookie = (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const { id } = (await deceived.call('GET', '/v1.0/tokens')).body.items[0];
  expect(await send(forged.sign(claimsOf({ sub: id, sid: undefined })))).toEqual([200, 0]);
  const again = await fetch(`${deceived.adapter.httpUrl}/v1.0/session`, { headers: { cookie } });
  expect(again.status).toBe(200);
});

test('a token is accepted once, even if sent twice at once', async () => {
  const token = forged.sign(claimsOf({ sid: newSession() }));
  const answers = await Promise.all([send(token), send(token), send(token)]);
  expect(answers.map(([status]) => Number(status)).sort((a, b) => a - b)).toEqual([200, 400, 400]);
  const later = await signedIn(newSession());
  expect(await send(token)).toEqual(REFUSED);
  expect(await isStillIn(later)).toBe(true);
});

const WRONG_CLAIMS: readonly (readonly [string, () => object])[] = [
  ['a nonce', () => ({ nonce: 'n' })],
  ['a nonce that is null', () => ({ nonce: null })],
  ['no events', () => ({ events: undefined })],
  ['another event', () => ({ events: { 'https://example.com/event': {} } })],
  ['an event that is a text', () => ({ events: { [Object.keys(EVENTS)[0] ?? '']: 'yes' } })],
  ['events in a list', () => ({ events: [EVENTS] })],
  ['another issuer', () => ({ iss: 'https://evil.example' })],
  ['no issuer', () => ({ iss: undefined })],
  ['another client', () => ({ aud: 'carota' })],
  ['no audience', () => ({ aud: undefined })],
  ['an expiry that is past', () => ({ exp: now() - 60 })],
  ['no expiry', () => ({ exp: undefined })],
  ['an issue that is long past', () => ({ iat: now() - 3_600 })],
  ['an issue that is to come', () => ({ iat: now() + 3_600, exp: now() + 7_200 })],
  ['no issue', () => ({ iat: undefined })],
  ['no id', () => ({ jti: undefined })],
  ['an id that is no text', () => ({ jti: 7 })],
  ['neither subject nor session', () => ({ sub: undefined, sid: undefined })],
  ['a subject that is none', () => ({ sub: 'a\u0000' })],
  ['a session that is none', () => ({ sid: { $ne: '' } })],
];

test.each(sampleOf(WRONG_CLAIMS, 3))('a token with %s ends nothing', async (_what, more) => {
  const browsing = await signedIn(newSession());
  expect(await send(forged.sign(claimsOf(more())))).toEqual(REFUSED);
  expect(await isStillIn(browsing)).toBe(true);
});

const WRONG_TOKENS: readonly (readonly [string, () => string])[] = [
  ['no signature', () => unsigned(claimsOf()).replace(/\.$/, '.e')],
  ['no signature at all', () => unsigned(claimsOf())],
  ['the signature of somebody else', () => signedBy(STRANGER.privateKey, claimsOf())],
  [
    'a signature with a public secret',
    () => signedBy(STRANGER.privateKey, claimsOf(), { alg: 'HS256' }),
  ],
  ['the type of an access token', () => forged.sign(claimsOf(), { typ: 'at+jwt' })],
  [
    'other claims than were signed',
    () => {
      const [header, , signature] = forged.sign(claimsOf()).split('.');
      const [, claims] = unsigned(claimsOf({ sub: 'bob' })).split('.');
      return [header, claims, signature].join('.');
    },
  ],
  ['nothing that can be read', () => 'a.b.c'],
];

test.each(sampleOf(WRONG_TOKENS, 3))('a token with %s ends nothing', async (_what, make) => {
  const browsing = await signedIn(newSession());
  expect(await send(make())).toEqual(REFUSED);
  expect(await isStillIn(browsing)).toBe(true);
});

test('refusals are in the audit log', async () => {
  await send(unsigned(claimsOf()));
  const items = await eventually(
    async () =>
      (await deceived.call('GET', '/v1.0/audit?action=end-sessions&outcome=refused')).body.items,
    (found) => found.length > 0,
  );
  expect(items[0]).toMatchObject({ address: '127.0.0.1', errorCode: 'LOGOUT_TOKEN_REFUSED' });
});

test('a request without a form or a token is refused before any request to the provider', async () => {
  const post = async (body: string, type = 'application/x-www-form-urlencoded') => {
    const response = await fetch(deceived.adapter.httpUrl + PATH, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });
    return [response.status, ((await response.json()) as { errorCode: string }).errorCode];
  };
  const token = forged.sign(claimsOf());
  for (const body of [
    '',
    'logout_token=',
    'logout_token=%00',
    'logout_token=a%20b.c.d',
    'logout_token=%ED%A0%80.b.c',
    `logout_token=${token}&logout_token=${token}`,
    '__proto__=x',
  ]) {
    expect(await post(body), body).toEqual([400, 'INVALID']);
  }
  expect(await post(JSON.stringify({ logout_token: token }), 'application/json')).toEqual([
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ]);
  expect(await post(`logout_token=${'a'.repeat(40_000)}`)).toEqual([413, 'BODY_TOO_LARGE']);
  const query = await fetch(`${deceived.adapter.httpUrl}${PATH}?logout_token=${token}`, {
    method: 'POST',
  });
  expect(query.status).toBe(400);
});

test('a token is not used up if the provider does not answer', async () => {
  const gone = await startForgedProvider();
  const httpPort = await freePort();
  const t = await startTestAdapter({
    httpPort,
    consoleUrl: `http://127.0.0.1:${httpPort}`,
    oidcIssuer: gone.issuer,
    oidcClientId: 'adapter',
    oidcRoles: ROLES,
  });
  await gone.stop();
  const response = await fetch(t.adapter.httpUrl + PATH, {
    method: 'POST',
    body: new URLSearchParams({ logout_token: gone.sign(claimsOf()) }),
  });
  expect([response.status, await response.json()]).toEqual([
    503,
    expect.objectContaining({ errorCode: 'PROVIDER_UNAVAILABLE' }),
  ]);
  await t.stop();
});
