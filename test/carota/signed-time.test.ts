/** The signed time answers the nonces of a request, and no others. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WARN_SECONDS } from '../../src/service/clock/index.js';
import { type Authority } from '../../src/uptane/keys/authority.js';
import { publicKeyOf } from '../../src/uptane/signing/listed-key.js';
import { checkSignedTime } from '../../src/uptane/time/check-time.js';
import { vinOf } from '../support/messages.js';
import { makeKey, signFile } from '../uptane/support/keys.js';
import { DirectorWorld, newEcus, newNonce } from './support/test-director.js';

const vin = vinOf(1, 'TMB');
let world: DirectorWorld;
let authority: Authority;

const authorityOf = (listed: any): Authority => {
  const key = publicKeyOf(listed);
  return { keys: new Map([[key.id, key]]), threshold: 1, identities: [key.identity] };
};

beforeAll(async () => {
  world = await DirectorWorld.start();
  await world.vehicle(vin, newEcus());
  const file = join(world.carota.dataDir, 'director', 'metadata', 'time-keys.json');
  authority = authorityOf(JSON.parse(readFileSync(file, 'utf8'))[0]);
});
afterAll(async () => world.stop());

const ask = (body: unknown, of = vin) =>
  world.carota.call('POST', `/uptane/director/${of}/time`, { body });
const bytes = (file: unknown) => Buffer.from(JSON.stringify(file));
const refused = (code: string) => expect.objectContaining({ code });

test('answers all nonces of a request with one time that ECUs believe', async () => {
  const nonces = Array.from({ length: 100 }, newNonce);
  // Compared with the same clock: the database's, as the server estimates it.
  const timeOfServer = async () => {
    const nonce = newNonce();
    const { body } = await ask({ nonces: [nonce] });
    return checkSignedTime(bytes(body), authority, nonce).getTime();
  };
  const started = Date.now();
  const before = await timeOfServer();
  const { status, body } = await ask({ nonces });
  const after = await timeOfServer();
  expect(status).toBe(200);
  for (const nonce of nonces) {
    const time = checkSignedTime(bytes(body), authority, nonce).getTime();
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(after);
  }
  // Off from this machine's clock by less than raises an alert.
  expect(before).toBeGreaterThanOrEqual(started - WARN_SECONDS * 1000);
  expect(after).toBeLessThanOrEqual(Date.now() + WARN_SECONDS * 1000);
});

test('an ECU rejects an answer to another nonce, by another key, or with changes', async () => {
  const nonce = newNonce();
  const { body } = await ask({ nonces: [nonce] });
  const check = (file: unknown, by = authority, asked = nonce) =>
    checkSignedTime(bytes(file), by, asked);
  expect(() => check(body, authority, newNonce())).toThrow(refused('freeze'));
  expect(() => check(body, authorityOf(makeKey().listed))).toThrow(refused('signature'));
  const later = { ...body, signed: { ...body.signed, time: '2099-01-01T00:00:00Z' } };
  expect(() => check(later)).toThrow(refused('signature'));
  // A file of another type by the same key is not a time.
  const key = makeKey();
  const other = JSON.parse(signFile({ ...body.signed, _type: 'timestamp' }, [key]).toString());
  expect(() => check(other, authorityOf(key.listed))).toThrow(refused('malformed'));
  expect(() => check({ ...body, note: 'x'.repeat(20_000) })).toThrow(refused('length'));
});

test.each<[string, unknown]>([
  ['no nonces', {}],
  ['an empty list', { nonces: [] }],
  ['101 nonces', { nonces: Array.from({ length: 101 }, newNonce) }],
  ['a short nonce', { nonces: ['00'] }],
  ['a number', { nonces: [1] }],
  ['no object', []],
])('a request with %s is refused', async (_name, body) => {
  const answer = await ask(body);
  expect([answer.status, answer.body.errorCode]).toEqual([400, 'INVALID']);
});

test('a large request, or one for an unknown vehicle, is refused', async () => {
  const nonces = [newNonce()];
  const large = await ask({ nonces, note: 'x'.repeat(16_384) });
  expect([large.status, large.body.errorCode]).toEqual([413, 'BODY_TOO_LARGE']);
  expect((await ask({ nonces }, vinOf(2, 'TMB'))).status).toBe(404);
});
