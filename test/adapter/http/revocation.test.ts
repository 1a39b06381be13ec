/** A token that is revoked, or a session that ends, reads nothing more: not even what it has begun to read elsewhere. */
import { rmSync } from 'node:fs';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Adapter, startAdapter } from '../../../src/adapter/index.js';
import { ADAPTER_SCHEMA } from '../../../src/adapter/schema.js';
import { startTestAdapter, type TestAdapter } from '../../support/adapter.js';
import { newDatabase, type TestDatabase } from '../../support/databases.js';
import { vehicleOf } from '../../support/messages.js';
import { readServerSentEvents } from '../../support/server-sent-events.js';
import { temporaryDirectory } from '../../support/servers.js';

const dataDir = temporaryDirectory('revocation');
let stored: TestDatabase;
let t: TestAdapter;
/** Another process of the group. */
let other: Adapter;
beforeAll(async () => {
  stored = await newDatabase(ADAPTER_SCHEMA);
  t = await startTestAdapter({ databaseUrl: stored.url });
  const settings = {
    host: '127.0.0.1',
    httpPort: 0,
    mqttPort: 0,
    dataDir,
    databaseUrl: stored.url,
  };
  other = await startAdapter(settings, pino({ level: 'silent' }));
});
afterAll(async () => {
  await other.stop();
  await t.stop();
  await stored.drop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Reads all that a browser or a program can keep open, at both adapters. */
async function readEverything(headers: Record<string, string>, urls: readonly string[]) {
  const endings: Promise<unknown>[] = [];
  for (const url of urls) {
    // It breaks off; on a busy machine it may come so late that it is not let in.
    const poll = fetch(`${url}/v1.0/ota/events?wait=30`, { headers });
    endings.push(
      poll.then(
        ({ status }) => expect(status).toBe(401),
        (error: unknown) => expect((error as Error).message).toBe('fetch failed'),
      ),
    );
    for (const path of ['/v1.0/ota/events/stream', '/v1.0/live']) {
      const reader = await readServerSentEvents(url + path, headers);
      expect(reader.status).toBe(200);
      endings.push(reader.ended);
    }
  }
  return endings;
}

test('a revoked token: event streams, live updates and long polls end at every adapter', async () => {
  const { body: made } = await t.call('POST', '/v1.0/tokens', {
    body: { name: 'gone', role: 'viewer' },
  });
  const headers = { 'authorization-token': made.token };
  const kept = await readServerSentEvents(`${other.httpUrl}/v1.0/ota/events/stream`, {
    'authorization-token': t.token,
  });
  const endings = await readEverything(headers, [t.adapter.httpUrl, other.httpUrl]);
  await t.call('DELETE', `/v1.0/tokens/${made.id}`);
  await Promise.all(endings);
  // Nobody else notices.
  await expect(Promise.race([kept.ended, Promise.resolve('open')])).resolves.toBe('open');
  kept.close();
});

test('a revoked token: an export breaks off', async () => {
  const vins = Array.from({ length: 60_000 }, (_, n) => vehicleOf(n, 'REV').vin);
  expect((await t.trigger('exported', vins)).status).toBe(202);
  const { body: made } = await t.call('POST', '/v1.0/tokens', {
    body: { name: 'exports', role: 'viewer' },
  });
  const headers = { 'authorization-token': made.token };
  const path = '/v1.0/ota/operations/exported/export?format=ndjson';
  const response = await fetch(t.adapter.httpUrl + path, { headers });
  expect(response.status).toBe(200);
  // It ends in the same moment, because it has the same token.
  const stream = await readServerSentEvents(`${t.adapter.httpUrl}/v1.0/ota/events/stream`, headers);
  await t.call('DELETE', `/v1.0/tokens/${made.id}`);
  await stream.ended;
  await expect(response.text()).rejects.toThrow('terminated');
});

test('a session that is signed out: what the browser still reads ends', async () => {
  const { headers: answered } = await t.call('POST', '/v1.0/session', {
    token: null,
    headers: { 'x-otaops-console': '1' },
    body: { token: t.token },
  });
  const [cookie = ''] = (answered.get('set-cookie') ?? '').split(';');
  const endings = await readEverything({ cookie }, [t.adapter.httpUrl]);
  await t.call('DELETE', '/v1.0/session', {
    token: null,
    headers: { cookie, 'x-otaops-console': '1' },
  });
  await Promise.all(endings);
});
