/** Guessing tokens, sessions and credentials: the attacker waits longer each time, at every adapter; others do not. */
import { rmSync } from 'node:fs';
import { connect as tcp } from 'node:net';
import { MqttClient } from 'mqtt';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Adapter, startAdapter } from '../../src/adapter/index.js';
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';
import { cookieOf } from '../../src/contract/index.js';
import { lockMs } from '../../src/service/access/sign-in-policy.js';
import {
  credentialOf,
  eventually,
  startTestAdapter,
  type TestAdapter,
} from '../support/adapter.js';
import { newDatabase, type TestDatabase } from '../support/databases.js';
import { type TestVehicle, vehicleOf } from '../support/messages.js';
import { temporaryDirectory } from '../support/servers.js';

const FREE = 5;
const dataDir = temporaryDirectory('sign-ins');
let stored: TestDatabase;
let t: TestAdapter;
let other: Adapter;
beforeAll(async () => {
  stored = await newDatabase(ADAPTER_SCHEMA);
  const limits = {
    databaseUrl: stored.url,
    signInLimits: { perAddress: FREE, perName: FREE },
    vehicleSignInLimits: { perAddress: 0, perName: FREE },
  };
  t = await startTestAdapter(limits);
  other = await startAdapter(
    { host: '127.0.0.1', httpPort: 0, mqttPort: 0, dataDir, ...limits },
    pino({ level: 'silent' }),
  );
});
afterAll(async () => {
  await other.stop();
  await t.stop();
  await stored.drop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** The header with which a proxy on this machine forwards a request. */
const from = (address: string) => ({ 'x-forwarded-for': address });
const ask = (url: string, address: string, token: string) =>
  fetch(`${url}/v1.0/session`, { headers: { ...from(address), 'authorization-token': token } });
let guesses = 0;
const guess = (address: string, url = t.adapter.httpUrl) =>
  ask(url, address, `otaops_guess-${++guesses}`);
/** Guesses until the address has to wait. */
async function lockOut(address: string): Promise<Response> {
  for (let n = 0; n <= FREE; n++) expect((await guess(address)).status).toBe(401);
  return guess(address);
}

/** @returns `connected`, or why not */
function connect(
  url: string,
  { systemId }: TestVehicle,
  password: string,
  localAddress: string,
): Promise<string> {
  const port = Number(new URL(url).port);
  const client = new MqttClient(() => tcp({ port, host: '127.0.0.1', localAddress }), {
    clientId: systemId,
    username: systemId,
    password,
    reconnectPeriod: 0,
    protocolVersion: 4,
  });
  return new Promise((resolve) => {
    client.once('connect', () => resolve('connected'));
    client.once('error', ({ message }) => resolve(message));
    client.once('close', () => resolve('closed'));
  }).finally(() => client.end(true)) as Promise<string>;
}

test('pauses double, up to a quarter of an hour', () => {
  const pauses = [0, 1, 5, 6, 7, 8, 30].map((failures) => lockMs(failures, FREE) / 1000);
  expect(pauses).toEqual([0, 0, 0, 1, 2, 4, 900]);
  expect(lockMs(1_000, 0)).toBe(0);
});

test('an address that guesses tokens has to wait, even with a valid token not seen from it before', async () => {
  const refused = await lockOut('192.0.2.1');
  expect(refused.status).toBe(429);
  expect(await refused.json()).toMatchObject({ errorCode: 'TOO_MANY_ATTEMPTS' });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  const token = await t.tokenFor('viewer');
  expect((await ask(t.adapter.httpUrl, '192.0.2.1', token)).status).toBe(429);
  // The other adapter learns of it.
  await eventually(
    async () => {
      await guess('192.0.2.1');
      return (await guess('192.0.2.1', other.httpUrl)).status;
    },
    (status) => status === 429,
  );
});

test('after the wait the next secret is checked, and one more failure doubles the pause', async () => {
  await lockOut('192.0.2.2');
  const second = await eventually(
    () => guess('192.0.2.2'),
    ({ status }) => status === 401,
  );
  expect(second.status).toBe(401);
  const third = await guess('192.0.2.2');
  expect(Number(third.headers.get('retry-after'))).toBe(2);
});

test('guesses lock out neither other addresses nor a token known from the same address', async () => {
  const url = t.adapter.httpUrl;
  expect((await ask(url, '192.0.2.3', t.token)).status).toBe(200);
  await lockOut('192.0.2.3');
  expect((await ask(url, '192.0.2.3', t.token)).status).toBe(200);
  await lockOut('192.0.2.4');
  expect((await ask(url, '192.0.2.5', t.token)).status).toBe(200);
});

test('a program that keeps sending the same wrong token gets the same answer each time', async () => {
  const answers = [];
  for (let n = 0; n < 4 * FREE; n++) {
    answers.push((await ask(t.adapter.httpUrl, '192.0.2.6', 'otaops_revoked')).status);
  }
  expect(new Set(answers)).toEqual(new Set([401]));
});

test('sign-in and sessions are protected as tokens are', async () => {
  const signIn = (token: string, address: string) =>
    fetch(`${t.adapter.httpUrl}/v1.0/session`, {
      method: 'POST',
      headers: { ...from(address), 'x-otaops-console': '1', 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
  for (let n = 0; n <= FREE; n++) {
    expect((await signIn(`guess-${n}`, '192.0.2.7')).status).toBe(401);
  }
  expect((await signIn(t.token, '192.0.2.7')).status).toBe(429);

  const withCookie = (secret: string) =>
    fetch(`${t.adapter.httpUrl}/v1.0/session`, {
      headers: { ...from('192.0.2.8'), cookie: `${cookieOf('adapter')}=${secret}` },
    });
  const statuses = [];
  for (let n = 0; n <= FREE + 1; n++) statuses.push((await withCookie(`guess-${n}`)).status);
  expect(statuses.at(-1)).toBe(429);
});

test('an attacker who guesses a vehicle’s credential has to wait at every adapter; the vehicle does not', async () => {
  const [victim, neighbour] = [vehicleOf(1, 'BRT'), vehicleOf(2, 'BRT')];
  await t.register(victim, neighbour);
  const { mqttUrl } = t.adapter;
  const right = credentialOf(victim.vin);
  for (let n = 0; n <= FREE; n++) {
    expect(await connect(mqttUrl, victim, `guess-${n}`, '127.0.0.2')).toMatch('Not authorized');
  }
  // Even the right credential is not checked, so the attacker does not learn that it is right.
  expect(await connect(mqttUrl, victim, right, '127.0.0.2')).toMatch('Not authorized');
  expect(await connect(mqttUrl, victim, right, '127.0.0.3')).toBe('connected');
  expect(await connect(mqttUrl, neighbour, credentialOf(neighbour.vin), '127.0.0.2')).toBe(
    'connected',
  );
  // The other adapter learns of it.
  await eventually(
    async () => {
      for (const url of [mqttUrl, other.mqttUrl]) {
        await connect(url, victim, `guess-${++guesses}`, '127.0.0.2');
      }
      return (await fetch(`${other.httpUrl}/metrics`)).text();
    },
    (metrics) => /^otaops_limit_refusals_total\{limit="mqtt-sign-ins"\} [1-9]/m.test(metrics),
  );
  expect(await t.metric('otaops_failed_sign_ins_total{kind="vehicle"}')).toBeGreaterThan(FREE);
  expect(await t.metric('otaops_sign_in_lock_outs_total{kind="vehicle"}')).toBeGreaterThan(0);
  expect(await t.metric('otaops_limit_refusals_total{limit="mqtt-sign-ins"}')).toBeGreaterThan(0);
});

test('guesses under unknown or malformed names delay nobody', async () => {
  const { mqttUrl } = t.adapter;
  const strange = ['\0', '\uD800', 'x'.repeat(10_000), '{"}'].map((systemId) => ({
    systemId,
    vin: '',
  }));
  const vehicle = vehicleOf(3, 'BRT');
  await t.register(vehicle);
  const [own] = await Promise.all([
    connect(mqttUrl, vehicle, credentialOf(vehicle.vin), '127.0.0.4'),
    ...strange.map((one) => connect(mqttUrl, one, 'guess', '127.0.0.5')),
  ]);
  expect(own).toBe('connected');
});
