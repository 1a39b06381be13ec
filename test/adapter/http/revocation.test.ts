/** A revoked token, or an ended session, reads nothing more, not even in requests in progress at other adapters. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type FastifyRequest } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestAdapterPair, type TestAdapterPair } from '../../support/adapter-pair.js';
import { vehicleOf } from '../../support/messages.js';
import { readServerSentEvents } from '../../support/server-sent-events.js';

let t: TestAdapterPair;
beforeAll(async () => {
  t = await startTestAdapterPair();
});
afterAll(() => t.stop());

/** Fastify's channel of requests that have passed all checks. */
const HANDLED = 'tracing:fastify.request.handler:start';

/** Resolves once the server handles a request for the URL. */
function handled(url: URL): Promise<void> {
  return new Promise((resolve) => {
    const look = (message: unknown) => {
      const { request } = message as { request: FastifyRequest };
      if (request.raw.url !== url.pathname + url.search) return;
      if (String(request.socket.localPort) !== url.port) return;
      unsubscribe(HANDLED, look);
      resolve();
    };
    subscribe(HANDLED, look);
  });
}

/** Opens everything that a browser or a program can keep open, at each URL. */
async function readEverything(headers: Record<string, string>, urls: readonly string[]) {
  const endings: Promise<unknown>[] = [];
  for (const url of urls) {
    const address = new URL('/v1.0/ota/events?wait=30', url);
    const started = handled(address);
    endings.push(expect(fetch(address, { headers })).rejects.toThrow('fetch failed'));
    await started;
    for (const path of ['/v1.0/ota/events/stream', '/v1.0/live']) {
      const reader = await readServerSentEvents(url + path, headers);
      expect(reader.status).toBe(200);
      endings.push(reader.ended);
    }
  }
  return endings;
}

test('revoking a token ends its event streams, live updates and long polls at every adapter', async () => {
  const { body: made } = await t.call('POST', '/v1.0/tokens', {
    body: { name: 'gone', role: 'viewer' },
  });
  const headers = { 'authorization-token': made.token };
  const kept = await readServerSentEvents(`${t.other.httpUrl}/v1.0/ota/events/stream`, {
    'authorization-token': t.token,
  });
  const endings = await readEverything(headers, [t.adapter.httpUrl, t.other.httpUrl]);
  await t.call('DELETE', `/v1.0/tokens/${made.id}`);
  await Promise.all(endings);
  // Another token's stream stays open.
  await expect(Promise.race([kept.ended, Promise.resolve('open')])).resolves.toBe('open');
  kept.close();
});

test('revoking a token breaks off its export', async () => {
  const vins = Array.from({ length: 60_000 }, (_, n) => vehicleOf(n, 'REV').vin);
  expect((await t.trigger('exported', vins)).status).toBe(202);
  const { body: made } = await t.call('POST', '/v1.0/tokens', {
    body: { name: 'exports', role: 'viewer' },
  });
  const headers = { 'authorization-token': made.token };
  const path = '/v1.0/ota/operations/exported/export?format=ndjson';
  const response = await fetch(t.adapter.httpUrl + path, { headers });
  expect(response.status).toBe(200);
  // It ends at the same moment, because it has the same token.
  const stream = await readServerSentEvents(`${t.adapter.httpUrl}/v1.0/ota/events/stream`, headers);
  await t.call('DELETE', `/v1.0/tokens/${made.id}`);
  await stream.ended;
  await expect(response.text()).rejects.toThrow('terminated');
});

test('signing out ends the open streams of the browser', async () => {
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
