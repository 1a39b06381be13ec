/** Answers from a dishonest provider, or an attacker in its place (OpenID Connect Core 1.0, section 3.1.3.7). */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ADAPTER_SCHEMA } from '../../../src/adapter/schema.js';
import { type Database, openPostgres } from '../../../src/service/database/index.js';
import { startTestAdapter, type TestAdapter } from '../../support/adapter.js';
import { Browsing } from '../../support/browsing.js';
import { newDatabase, type TestDatabase } from '../../support/databases.js';
import { cases, sampleOf } from '../../support/depth.js';
import {
  type ForgedProvider,
  signedBy,
  startForgedProvider,
  STRANGER,
  unsigned,
} from '../../support/forged-provider.js';
import { freePort } from '../../support/servers.js';

const CLIENT = 'adapter';

let provider: ForgedProvider;
let t: TestAdapter;
let stored: TestDatabase;
let database: Database;
let url: string;
beforeAll(async () => {
  provider = await startForgedProvider();
  const httpPort = await freePort();
  stored = await newDatabase(ADAPTER_SCHEMA);
  database = openPostgres({ url: stored.url });
  t = await startTestAdapter({
    databaseUrl: stored.url,
    httpPort,
    consoleUrl: `http://127.0.0.1:${httpPort}`,
    oidcIssuer: provider.issuer,
    oidcClientId: CLIENT,
    oidcRoles: [{ value: 'ota-staff', role: 'viewer' }],
  });
  url = t.adapter.httpUrl;
});
afterAll(async () => {
  await t.stop();
  await database.close();
  await stored.drop();
  await provider.stop();
});

let browsing: Browsing;
let callback: string;
/** Starts a sign-on with a provider that gives correct answers. */
async function begin(query = ''): Promise<void> {
  const { location = '' } = await browsing.get(`${url}/v1.0/session/sign-on${query}`);
  const { searchParams } = new URL(location);
  provider.reset(CLIENT, searchParams.get('nonce') ?? '');
  callback = `${url}/v1.0/session/sign-on/callback?code=c&state=${searchParams.get('state')}`;
}
beforeEach(async () => {
  browsing = new Browsing();
  await begin();
});

const end = async (answer = callback) => {
  const { location } = await browsing.get(answer);
  const { status } = await browsing.get(`${url}/v1.0/session`);
  return [location?.slice(url.length), status];
};
const LET_IN = ['/console/', 200];
const REFUSED = ['/console/?sign-on=refused', 401];

test('a correct answer is accepted, and the code is sent with the verifier and without a secret', async () => {
  expect(await end()).toEqual(LET_IN);
  expect(Object.fromEntries(provider.exchanges.at(-1) ?? [])).toEqual({
    grant_type: 'authorization_code',
    code: 'c',
    redirect_uri: `${url}/v1.0/session/sign-on/callback`,
    code_verifier: expect.stringMatching(/^[\w-]{43}$/) as string,
    client_id: CLIENT,
  });
});

const HOUR = 3_600;
const now = () => Math.floor(Date.now() / 1000);

const WRONG_CLAIMS: readonly (readonly [string, () => Record<string, unknown>])[] = [
  ['another nonce', () => ({ nonce: 'x' })],
  ['no nonce', () => ({ nonce: undefined })],
  ['another client', () => ({ aud: 'carota' })],
  ['several audiences, and another authorized party', () => ({ aud: [CLIENT, 'x'], azp: 'x' })],
  ['another issuer', () => ({ iss: 'https://evil.example' })],
  ['an expiry that is past', () => ({ exp: now() - HOUR })],
  ['no expiry', () => ({ exp: undefined })],
  ['no subject', () => ({ sub: undefined })],
  ['a subject of the wrong type', () => ({ sub: 7 })],
  ['a subject with a line break', () => ({ sub: 'a\nb' })],
  ['no auth_time', () => ({ auth_time: undefined })],
  ['a sign-in of yesterday', () => ({ auth_time: now() - 24 * HOUR })],
];

test.each(sampleOf(WRONG_CLAIMS, 3))('an ID token with %s is refused', async (_name, changes) => {
  provider.says.claims = (correct) => ({ ...correct, ...changes() });
  expect(await end()).toEqual(REFUSED);
});

test.each<[string, (claims: object) => string]>([
  ['without a signature', unsigned],
  ['signed by another key', (claims) => signedBy(STRANGER.privateKey, claims)],
  [
    'signed by a key that it names itself',
    (claims) => {
      const { publicKey, privateKey } = STRANGER;
      return signedBy(privateKey, claims, { jwk: publicKey.export({ format: 'jwk' }) });
    },
  ],
  ['that is none', () => 'x'],
])('an ID token %s is refused', async (_name, token) => {
  provider.says.token = token;
  expect(await end()).toEqual(REFUSED);
});

test('mix-up: an answer that names another issuer is refused, and its code is not sent anywhere', async () => {
  const before = provider.exchanges.length;
  const answer = `${callback}&iss=${encodeURIComponent('https://evil.example')}`;
  expect(await end(answer)).toEqual(REFUSED);
  expect(provider.exchanges).toHaveLength(before);
});

test('a role is accepted only from the userinfo of the same person', async () => {
  const withoutRoles = (correct: Record<string, unknown>) => ({ ...correct, roles: undefined });
  provider.says.claims = withoutRoles;
  provider.says.userinfo = { sub: 'eve', roles: ['ota-staff'] };
  expect(await end()).toEqual(REFUSED);
  browsing = new Browsing();
  await begin();
  provider.says.claims = withoutRoles;
  provider.says.userinfo = { sub: 'ada', roles: ['ota-staff'] };
  expect(await end()).toEqual(LET_IN);
});

test('models are read from the userinfo too, even if the ID token has the role', async () => {
  const httpPort = await freePort();
  const limited = await startTestAdapter({
    httpPort,
    consoleUrl: `http://127.0.0.1:${httpPort}`,
    oidcIssuer: provider.issuer,
    oidcClientId: CLIENT,
    oidcRoles: [{ value: 'ota-staff', role: 'viewer' }],
    oidcScopeClaim: 'models',
  });
  const at = limited.adapter.httpUrl;
  const { location = '' } = await browsing.get(`${at}/v1.0/session/sign-on`);
  const { searchParams } = new URL(location);
  provider.reset(CLIENT, searchParams.get('nonce') ?? '');
  provider.says.userinfo = { sub: 'ada', models: ['Model A'], roles: ['unheeded'] };
  const state = searchParams.get('state');
  await browsing.get(`${at}/v1.0/session/sign-on/callback?code=c&state=${state}`);
  const { status, text } = await browsing.get(`${at}/v1.0/session`);
  await limited.stop();
  expect([status, JSON.parse(text)]).toMatchObject([200, { role: 'viewer', scopes: ['Model A'] }]);
});

test('a sign-in is refused if the provider did not ask again as requested', async () => {
  await begin('?again=true');
  provider.says.claims = (correct) => ({ ...correct, auth_time: now() - HOUR });
  expect(await end()).toEqual(REFUSED);
});

test('an ID token changed after signing is refused', async () => {
  const { token } = provider.says;
  provider.says.token = (claims) => {
    const [header, , signature] = token(claims).split('.');
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'eve' })).toString('base64url');
    return [header, forged, signature].join('.');
  };
  expect(await end()).toEqual(REFUSED);
});

test('an auth_time in the future does not make a sign-in fresher than now', async () => {
  provider.says.claims = (correct) => ({ ...correct, sub: 'future', auth_time: now() + 24 * HOUR });
  expect(await end()).toEqual(LET_IN);
  const [session] = await database.query<{ is_past: boolean }>(
    "select authenticated_at <= now() as is_past from sessions where person_id = 'oidc:future'",
  );
  expect(session).toEqual({ is_past: true });
});

test('a failing provider is reported as unavailable', async () => {
  provider.says.status = 503;
  expect(await end()).toEqual(['/console/?sign-on=unavailable', 401]);
});

test('any request to the callback gets a redirect to the console, or a refusal with the reason', async () => {
  const name = fc.oneof(
    fc.constantFrom('code', 'state', 'iss', 'error', 'error_description', 'scope', 'x'),
    fc.string({ maxLength: 5 }),
  );
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom('', '\0', '%00', '%ED%A0%80', '%', 'x'.repeat(9_000), '-1', '1e308', '[]'),
  );
  const pair = fc.tuple(name, value, fc.boolean());
  await fc.assert(
    fc.asyncProperty(fc.array(pair, { maxLength: 6 }), fc.boolean(), async (pairs, fits) => {
      const started = new Browsing();
      const { location = '' } = await started.get(`${url}/v1.0/session/sign-on`);
      const state = new URL(location).searchParams.get('state') ?? '';
      const encoded = pairs.map(([key, text, isRaw]) => {
        const plain = encodeURIComponent(text.toWellFormed());
        return `${encodeURIComponent(key.toWellFormed())}=${isRaw && /^[!-~]*$/.test(text) ? text.replaceAll(/[#&]/g, '') : plain}`;
      });
      const query = [...(fits ? [`state=${state}`] : []), ...encoded].join('&');
      const answer = await started.get(`${url}/v1.0/session/sign-on/callback?${query}`);
      expect([303, 400, 414, 429]).toContain(answer.status);
      if (answer.status === 303) {
        expect(answer.location).toMatch(/\/console\/\?sign-on=(unexpected|refused|unavailable)$/);
      } else expect(JSON.parse(answer.text)).toHaveProperty('errorCode');
      expect((await started.get(`${url}/v1.0/session`)).status).toBe(401);
    }),
    cases({ quick: 10, full: 40 }),
  );
});

test('a caller who guesses codes is blocked', async () => {
  provider.says.status = 400;
  const statuses = new Set<number>();
  for (let guess = 0; guess < 110; guess += 1) {
    browsing = new Browsing();
    await browsing.get(`${url}/v1.0/session/sign-on`).then(({ location = '' }) => {
      const state = new URL(location).searchParams.get('state');
      callback = `${url}/v1.0/session/sign-on/callback?code=${guess}&state=${state}`;
    });
    const { status } = await browsing.get(callback);
    statuses.add(status);
    if (status === 429) break;
  }
  expect([...statuses]).toEqual([303, 429]);
});
