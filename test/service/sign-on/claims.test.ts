/** A person's identity and permissions from the provider's claims, and where a browser may be redirected. */
import { expect, test } from 'vitest';
import {
  attemptText,
  claimOf,
  consoleAddress,
  identityOf,
  newAttempt,
  nonceOf,
  readAttempt,
  roleOf,
  scopesOfClaims,
  signOnOf,
  stateOf,
  verifierOf,
} from '../../../src/service/sign-on/index.js';

const ROLES = [
  { value: 'ota-admins', role: 'admin' },
  { value: 'ota-staff', role: 'viewer' },
];

test('of a person’s roles, the first one in the settings counts', () => {
  expect(roleOf({ roles: ['x', 'ota-staff', 'ota-admins'] }, 'roles', ROLES)).toBe('admin');
  expect(roleOf({ roles: 'ota-staff' }, 'roles', ROLES)).toBe('viewer');
});

test.each<[string, unknown]>([
  ['none', undefined],
  ['another', ['ota']],
  ['part of a name', ['ota-admins-of-another']],
  ['the role itself', ['admin']],
  ['no text', [1, null, {}, ['ota-admins']]],
  ['an object', { 'ota-admins': true }],
  ['another case', ['OTA-ADMINS']],
])('no role comes from %s', (_name, roles) => {
  expect(roleOf({ roles }, 'roles', ROLES)).toBeUndefined();
});

const MAPPED = {
  scopeClaim: 'models',
  scopes: [
    { value: 'team-b', model: 'model b' },
    { value: 'team-a', model: 'model a' },
    { value: 'office', model: '*' },
  ],
};
const DIRECT = { scopeClaim: 'models', scopes: undefined };

test.each<[string, unknown, typeof MAPPED | typeof DIRECT, readonly string[] | null]>([
  ['all that somebody has', ['team-a', 'team-b', 'x'], MAPPED, ['model a', 'model b']],
  ['a text', 'team-a', MAPPED, ['model a']],
  ['all models, if one value stands for these', ['team-a', 'office'], MAPPED, null],
  ['none without the claim', undefined, MAPPED, []],
  ['none of unknown values', ['model a', '*', 'TEAM-A'], MAPPED, []],
  ['the values themselves', ['b', 'a', 'a'], DIRECT, ['a', 'b']],
  ['all models by a star', ['a', '*'], DIRECT, null],
  ['none without the claim, without a mapping', undefined, DIRECT, []],
  ['none of an empty list', [], DIRECT, []],
  ['nothing that is no model', ['', 'a\0b', 'x'.repeat(257), '\ud800', 7, ['a']], DIRECT, []],
])('models from a claim: %s', (_name, models, settings, scopes) => {
  expect(scopesOfClaims({ models }, settings)).toEqual(scopes);
});

test('without a claim in the settings, models are not limited', () => {
  const settings = { scopeClaim: undefined, scopes: undefined };
  expect(scopesOfClaims({ models: ['a'] }, settings)).toBeNull();
});

test('a claim can be given by its name, or by a path into objects', () => {
  expect(claimOf({ 'https://x.example/roles': 1 }, 'https://x.example/roles')).toBe(1);
  expect(claimOf({ realm_access: { roles: ['a'] } }, 'realm_access.roles')).toEqual(['a']);
  expect(claimOf({ a: 'text' }, 'a.length')).toBeUndefined();
  expect(claimOf({}, 'constructor.name')).toBeUndefined();
  expect(claimOf({}, '__proto__')).toBeUndefined();
});

test('a name has no characters that could deceive in a log or on a screen', () => {
  expect(identityOf({ sub: 'a', name: ' Eve\u202e\n\u0000 ' })).toEqual({
    id: 'oidc:a',
    name: 'Eve',
  });
  expect(identityOf({ sub: 'a', name: '\u0007', email: 'e@x' })?.name).toBe('e@x');
  expect(identityOf({ sub: 'a', name: 7 })?.name).toBe('a');
  expect(identityOf({ sub: 'a', name: '😀'.repeat(300) })?.name).toBe('😀'.repeat(200));
});

test.each([undefined, '', 'a b', 'ü', 'x'.repeat(256), 'a\0', 7])('%j is not a subject', (sub) => {
  expect(identityOf({ sub })).toBeUndefined();
});

const CONSOLE = 'https://ota.example';

test.each([
  ['/console/operations?state=x#y', `${CONSOLE}/console/operations?state=x#y`],
  ['/console/', `${CONSOLE}/console/`],
])('the browser returns to the console page %s', (path, address) => {
  expect(consoleAddress(CONSOLE, path)).toBe(address);
});

test.each([
  'https://evil.example/console/',
  '//evil.example/console/',
  '/\\evil.example/console/',
  '/console/../v1.0/tokens',
  '/console/..//evil.example/',
  '/console/%2e%2e/v1.0/tokens',
  'javascript:alert(1)',
  '/console',
  '\u0000',
  'https://ota.example:444/console/',
  'https://ota.example@evil.example/console/',
])('the browser is not redirected to %s', (path) => {
  expect(consoleAddress(CONSOLE, path)).toBe(`${CONSOLE}/console/`);
});

test('secret, state, nonce and verifier differ from each other, and between attempts', () => {
  const attempt = newAttempt('/console/', true, 1_795_800_000_123);
  expect(readAttempt(attemptText(attempt))).toEqual(attempt);
  const other = newAttempt('/console/', true, 1_795_800_000_123);
  const all = [attempt, other].flatMap((one) => [
    one.secret,
    stateOf(one),
    nonceOf(one),
    verifierOf(one),
  ]);
  expect(new Set(all).size).toBe(all.length);
});

test.each([undefined, '', 'a.first.b', `${'a'.repeat(43)}.other.b`, `${'a'.repeat(43)}.first.`])(
  'the cookie %j is invalid',
  (text) => {
    expect(readAttempt(text)).toBeUndefined();
  },
);

const SETTINGS = {
  oidcIssuer: 'https://id.example',
  oidcClientId: 'ota',
  consoleUrl: 'https://ota.example/',
  oidcRoles: [...ROLES, { value: 'planners', role: 'planner' }],
};

test('settings are complete, with the roles of this server', () => {
  expect(signOnOf({}, false, ['admin'])).toBeUndefined();
  expect(signOnOf(SETTINGS, true, ['admin', 'viewer'])).toMatchObject({
    consoleUrl: 'https://ota.example',
    requestScopes: 'openid profile',
    roleClaim: 'roles',
    roles: ROLES,
  });
});

test.each<[string, object, RegExp]>([
  [
    'nothing else',
    { oidcClientId: undefined, consoleUrl: undefined, oidcRoles: undefined },
    /needs --oidc-client-id, --console-url, --oidc-roles/,
  ],
  ['a provider over plain HTTP', { oidcIssuer: 'http://id.example' }, /https, or on this machine/],
  ['a console with a path', { consoleUrl: 'https://ota.example/x' }, /without a path/],
  ['a console with a password', { consoleUrl: 'https://a:b@ota.example/' }, /without a path/],
  [
    'models but no claim for them',
    { oidcScopes: [{ value: 'a', model: 'b' }] },
    /needs --oidc-scope-claim/,
  ],
  ['a console over plain HTTP', { consoleUrl: 'http://ota.example' }, /must be https if/],
])('settings with %s are refused', (_name, changed, message) => {
  expect(() => signOnOf({ ...SETTINGS, ...changed }, true, ['admin'])).toThrow(message);
});
