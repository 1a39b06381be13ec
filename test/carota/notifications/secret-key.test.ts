/** The secret key of the CarOTA Server: what works without one, and how it is changed. */
import { rmSync } from 'node:fs';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CAROTA_SCHEMA } from '../../../src/carota/schema.js';
import { newSecretKey, SecretBox } from '../../../src/service/secrets/index.js';
import { newDatabase, type TestDatabase } from '../../support/databases.js';
import { takingTurns } from '../../support/depth.js';
import { temporaryDirectory } from '../../support/servers.js';
import { MODEL, startTestCarota, type TestCarota } from '../support/test-carota.js';

const RULES = '/v1.0/notification-rules';
/** Nothing listens on this port. */
const NO_ADAPTER = 'http://127.0.0.1:9';
const [first, second, third] = [newSecretKey(), newSecretKey(), newSecretKey()];

let stored: TestDatabase;
let client: pg.Client;
let dataDir: string;
let token: string | undefined;
let carota: TestCarota;

async function start(secretKeys?: readonly string[]): Promise<void> {
  carota = await startTestCarota(NO_ADAPTER, {
    ...{ dataDir, databaseUrl: stored.url, callbackAllow: ['127.0.0.0/8'], secretKeys },
    ...(token === undefined ? {} : { tokenOf: token }),
  });
  token ??= carota.token;
}
const add = (name: string, channel = 'webhook') =>
  carota.call('POST', RULES, {
    body: { name, events: ['stop'], channel, url: 'http://127.0.0.1:9/hook' },
  });
/** Names of the rules that this key decrypts. */
async function openedBy(key: string): Promise<string[]> {
  const box = new SecretBox([Buffer.from(key, 'base64')]);
  const { rows } = await client.query<{ name: string; sealed: string }>(
    'select name, sealed from notification_rules order by name',
  );
  return rows.filter(({ sealed }) => box.isCurrent(sealed)).map(({ name }) => name);
}
const statusAt = async (url: string) => {
  const response = await fetch(new URL(url, carota.carota.httpUrl));
  await response.body?.cancel();
  return response.status;
};

beforeEach(async () => {
  stored = await newDatabase(CAROTA_SCHEMA);
  client = new pg.Client(stored.url);
  await client.connect();
  dataDir = temporaryDirectory('carota-key');
  token = undefined;
});
afterEach(async () => {
  await carota.stop(true);
  await client.end();
  await stored.drop();
  rmSync(dataDir, { recursive: true, force: true });
});

test('without a key, the server accepts no rule, and names the missing setting; everything else works', async () => {
  await start();
  for (const channel of ['webhook', 'slack']) {
    expect(await add('refused', channel)).toMatchObject({
      status: 409,
      body: {
        errorCode: 'SECRET_KEY_NOT_SET',
        errorMessage: expect.stringMatching(/--secret-key-file.*OTAOPS_SECRET_KEY_FILE.*openssl/),
      },
    });
  }
  expect((await carota.call('GET', RULES)).body.items).toEqual([]);
  const vehicle = { body: { model: MODEL } };
  expect((await carota.call('PUT', '/v1.0/vehicles/5YJSA1E40FF345678', vehicle)).status).toBe(200);
});

test('without a key, artifact URLs are valid at one server only, also after its restart', async () => {
  await start();
  const { url } = await carota.upload(Buffer.from('an artifact'));
  expect(await statusAt(url)).toBe(200);
  await carota.stop(true);
  await start();
  expect(await statusAt(url)).toBe(200);
  await carota.stop(true);
  await start([first]);
  expect(await statusAt(url)).toBe(403);
});

const isTurn = takingTurns(2);

test.runIf(isTurn())(
  'a new key in front of the old one takes over rules and URLs; then the old key can be removed',
  async () => {
    await start([first]);
    expect((await add('a')).status).toBe(201);
    const { url } = await carota.upload(Buffer.from('an artifact'));
    await carota.stop(true);

    await start([second, first]);
    expect(await openedBy(second)).toEqual(['a']);
    expect(await statusAt(url)).toBe(200);
    const { url: next } = await carota.upload(Buffer.from('another artifact'));
    await carota.stop(true);

    await start([second]);
    expect(await openedBy(second)).toEqual(['a']);
    expect(await statusAt(url)).toBe(403);
    expect(await statusAt(next)).toBe(200);
  },
);

test.runIf(isTurn())(
  'a rule whose key is lost states why it cannot send, and does not keep others from the new key',
  async () => {
    await start([first]);
    await add('lost');
    await carota.stop(true);
    await start([second]);
    await add('kept');
    await carota.stop(true);
    await start([third, second]);
    expect(await openedBy(third)).toEqual(['kept']);
    expect(await openedBy(first)).toEqual(['lost']);
    const { items } = (await carota.call('GET', RULES)).body;
    const { id } = items.find(({ name }: { name: string }) => name === 'lost');
    await carota.call('POST', `${RULES}/${id}/test`);
    await expect
      .poll(async () => (await carota.call('GET', '/v1.0/notifications')).body.items[0].failure, {
        timeout: 30_000,
      })
      .toMatch(/sealed with key [0-9a-f]{8}, which --secret-key does not have/);
  },
);

test('the database itself rejects a rule that is not encrypted', async () => {
  await start([first]);
  await add('a');
  await expect(client.query(`update notification_rules set sealed = '{}'`)).rejects.toThrow(
    /violates check constraint/,
  );
});
