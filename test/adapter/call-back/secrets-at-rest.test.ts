/** Secrets of call-backs: a copy of the database reveals none of them, and their key can be changed. */
import { readFileSync, rmSync } from 'node:fs';
import pino from 'pino';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Adapter, startAdapter } from '../../../src/adapter/index.js';
import { ADAPTER_SCHEMA } from '../../../src/adapter/schema.js';
import { newDeviceMessageId } from '../../../src/contract/index.js';
import { type Database, openPostgres } from '../../../src/service/database/index.js';
import { newSecretKey, SecretBox } from '../../../src/service/secrets/index.js';
import { eventually, httpClient } from '../../support/adapter.js';
import { newDatabase, type TestDatabase } from '../../support/databases.js';
import { eventBytes, vehicleOf } from '../../support/messages.js';
import { connectVehicle } from '../../support/mqtt-vehicle.js';
import { startReceiver, type TestReceiver } from '../../support/receiver.js';
import { temporaryDirectory } from '../../support/servers.js';

const [first, second, third] = [newSecretKey(), newSecretKey(), newSecretKey()];
const SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const dataDir = temporaryDirectory('secrets');
const one = vehicleOf(1, 'SEC');
let stored: TestDatabase;
let database: Database;
let receiver: TestReceiver;
let adapter: Adapter;
let http: ReturnType<typeof httpClient>;

async function start(secretKeys?: readonly string[]): Promise<void> {
  adapter = await startAdapter(
    {
      host: '127.0.0.1',
      httpPort: 0,
      mqttPort: 0,
      dataDir,
      databaseUrl: stored.url,
      callbackAllow: ['127.0.0.0/8'],
      ...(secretKeys ? { secretKeys } : {}),
    },
    pino({ level: 'silent' }),
  );
  http = httpClient(adapter.httpUrl, readFileSync(adapter.tokenFile, 'utf8').trim());
}
/** The secrets, as the database stores them. */
const secrets = async () => {
  const rows = await database.query<{ secret: string }>('select secret from callbacks');
  return rows.map(({ secret }) => secret);
};
let events = 0;
/** @returns whether the receiver got an event that is signed with the secret */
async function deliver(): Promise<boolean> {
  const refId = `secrets ${++events}`;
  await http.trigger(refId, [one.vin]);
  const link = await connectVehicle(adapter.mqttUrl, one);
  await link.send(
    eventBytes(one, {
      messageId: newDeviceMessageId(),
      correlationId: '',
      refId,
      status: 'received',
      timestamp: Math.floor(Date.now() / 1000),
    }),
  );
  await link.end();
  const request = await eventually(
    async () => receiver.requests.find(({ text }) => text.includes(refId)),
    (found) => found !== undefined,
  );
  // Throws if the request is not signed with the secret.
  new Webhook(SECRET).verify(request?.text ?? '', request?.headers as Record<string, string>);
  return true;
}

beforeAll(async () => {
  stored = await newDatabase(ADAPTER_SCHEMA);
  database = openPostgres({ url: stored.url });
  receiver = await startReceiver();
});
afterAll(async () => {
  await receiver.stop();
  await database.close();
  await stored.drop();
  rmSync(dataDir, { recursive: true, force: true });
});

test('a secret is stored encrypted, and signs events', async () => {
  await start([first]);
  await http.register(one);
  const body = { name: 'carota', url: receiver.url, secret: SECRET };
  expect((await http.call('POST', '/v1.0/callbacks', { body })).status).toBe(201);
  const [sealed = ''] = await secrets();
  expect(sealed).toMatch(/^sealed:v1:/);
  expect(sealed).not.toContain(SECRET.slice(6, 20));
  expect(await deliver()).toBe(true);
  await adapter.stop();
});

test('without a key the adapter works, but accepts no secret, and names the missing setting', async () => {
  await start();
  const before = await secrets();
  const refused = {
    status: 409,
    body: {
      errorCode: 'SECRET_KEY_NOT_SET',
      errorMessage: expect.stringMatching(/--secret-key-file.*OTAOPS_SECRET_KEY_FILE.*openssl/),
    },
  };
  const url = receiver.url;
  for (const body of [
    { name: 'given', url, secret: SECRET },
    { name: 'made', url },
  ]) {
    expect(await http.call('POST', '/v1.0/callbacks', { body })).toMatchObject(refused);
  }
  for (const body of [{ secret: SECRET }, { newSecret: true }]) {
    expect(await http.call('PATCH', '/v1.0/callbacks/carota', { body })).toMatchObject(refused);
  }
  const body = { enabled: true };
  expect((await http.call('PATCH', '/v1.0/callbacks/carota', { body })).status).toBe(200);
  expect(await secrets()).toEqual(before);
  await adapter.stop();
});

test('the database itself rejects a secret that is not encrypted', async () => {
  for (const column of ['secret', 'old_secret']) {
    const plain = database.query(`update callbacks set ${column} = $1`, [SECRET]);
    await expect(plain).rejects.toThrow(/violates check constraint/);
  }
});

test('a new key listed before the old one re-encrypts everything; then the old one can be removed', async () => {
  const [before] = await secrets();
  await start([second, first]);
  const [after] = await secrets();
  expect(after).not.toBe(before);
  await adapter.stop();
  await start([second]);
  expect(await secrets()).toEqual([after]);
  expect(await deliver()).toBe(true);
  await adapter.stop();
});

test('a secret whose key is lost does not prevent others from being encrypted with the new key', async () => {
  await start([third]);
  const url = receiver.url;
  const add = (name: string) => http.call('POST', '/v1.0/callbacks', { body: { name, url } });
  expect((await add('other')).status).toBe(201);
  await adapter.stop();
  await start([first, third]);
  const rows = await database.query<{ name: string; secret: string }>(
    'select name, secret from callbacks order by name',
  );
  const keyOf = (text: string) => new SecretBox([Buffer.from(text, 'base64')]);
  expect(rows.map(({ name, secret }) => [name, keyOf(first).isCurrent(secret)])).toEqual([
    ['carota', false],
    ['other', true],
  ]);
  expect(keyOf(second).isCurrent(rows[0]?.secret ?? '')).toBe(true);
  expect((await http.call('DELETE', '/v1.0/callbacks/other')).status).toBe(204);
  await adapter.stop();
});

test('a call-back fails with the reason if the key of its secret is lost, until it gets a new secret', async () => {
  await start([third]);
  await http.trigger('no key', [one.vin]);
  const link = await connectVehicle(adapter.mqttUrl, one);
  await link.send(
    eventBytes(one, {
      messageId: newDeviceMessageId(),
      correlationId: '',
      refId: 'no key',
      status: 'received',
      timestamp: Math.floor(Date.now() / 1000),
    }),
  );
  await link.end();
  const failure = await eventually(
    async () => (await http.call('GET', '/v1.0/callbacks/carota')).body.failure as string | null,
    (reason) => reason !== null,
  );
  expect(failure).toMatch(/sealed with key [0-9a-f]{8}, which --secret-key does not have/);
  const body = { secret: SECRET };
  expect((await http.call('PATCH', '/v1.0/callbacks/carota', { body })).status).toBe(200);
  expect(await deliver()).toBe(true);
  await adapter.stop();
});

test('a sealed secret belongs to its receiver and cannot be changed', () => {
  const box = new SecretBox([Buffer.from(first, 'base64')]);
  const sealed = box.seal(SECRET, 'a');
  expect(box.open(sealed, 'a')).toBe(SECRET);
  expect(() => box.open(sealed, 'b')).toThrow('it was not sealed for this owner');
  const [head, bytes] = [sealed.slice(0, 19), Buffer.from(sealed.slice(19), 'base64')];
  for (let place = 0; place < bytes.length; place++) {
    const changed = Buffer.from(bytes);
    changed[place] = (changed[place] ?? 0) ^ 1;
    expect(() => box.open(head + changed.toString('base64'), 'a')).toThrow();
  }
  expect(() => box.open(sealed.slice(0, -8), 'a')).toThrow();
  expect(box.seal(SECRET, 'a')).not.toBe(sealed);
});

test('an unencrypted value is not accepted as a secret, and without a key nothing is encrypted', () => {
  expect(() => new SecretBox([Buffer.from(first, 'base64')]).open(SECRET, 'a')).toThrow(
    'it is not sealed',
  );
  expect(() => new SecretBox([]).seal(SECRET, 'a')).toThrow('no key');
});
