/** Limits on what one client can take away from others: connections, time, streams, exports, searches. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from '../../../src/service/limits/index.js';
import { eventually, startTestAdapter, type TestAdapter } from '../../support/adapter.js';
import { byDepth } from '../../support/depth.js';
import { vehicleOf } from '../../support/messages.js';

let t: TestAdapter;
let sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets = [];
});

const start = async (limits: Partial<HttpLimits>) => {
  t = await startTestAdapter({ httpLimits: { ...DEFAULT_HTTP_LIMITS, ...limits } });
};
const refusals = (limit: string) => t.metric(`otaops_limit_refusals_total{limit="${limit}"}`);

function client(): Socket {
  const socket = connect(Number(new URL(t.adapter.httpUrl).port), '127.0.0.1');
  sockets.push(socket.on('error', () => undefined));
  return socket;
}
/** Everything that the server sends until it closes the connection. */
async function answerOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(socket, 'close');
  return text;
}

describe('slow requests', () => {
  beforeAll(() => start({ headersSeconds: 1, bodySeconds: 1 }));
  afterAll(() => t.stop());

  test('headers that arrive line by line, or not at all, time out', async () => {
    const slow = client();
    slow.write('GET /healthz HTTP/1.1\r\nhost: x\r\n');
    let number = 0;
    const dripping = setInterval(() => slow.write(`x-${++number}: y\r\n`), 100);
    const [answer] = await Promise.all([answerOf(slow), answerOf(client())]);
    clearInterval(dripping);
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*REQUEST_TIMEOUT/s);
    expect(await refusals('http-slow-headers')).toBe(2);
  });

  test('a body that arrives byte by byte times out, even after a fast start', async () => {
    const slow = client();
    slow.write(
      `POST /v1.0/ota/trigger HTTP/1.1\r\nhost: x\r\nauthorization-token: ${t.token}\r\n` +
        `content-type: application/json\r\ncontent-length: 1000000\r\n\r\n${' '.repeat(100_000)}`,
    );
    const dripping = setInterval(() => slow.write(' '), 100);
    const answer = await answerOf(slow);
    clearInterval(dripping);
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*REQUEST_TIMEOUT/s);
    expect(await refusals('http-slow-body')).toBe(1);
  });
});

describe('a separate server', () => {
  afterEach(() => t.stop());

  test('waits for a body that is slow because the server is', async () => {
    await start({ bodySeconds: 0.2 });
    const lines = Array.from({ length: byDepth({ quick: 20_000, full: 60_000 }) }, (_, n) => {
      const { vin, systemId } = vehicleOf(n, 'SLW');
      return JSON.stringify({ vin, system_id: systemId });
    });
    const { status, body } = await t.call('POST', '/v1.0/vehicles/import', {
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.join('\n'),
    });
    expect([status, body.rejectedCount]).toEqual([200, 0]);
  });

  test('limits the connections from one address', async () => {
    await start({ connections: { inAll: 4, perAddress: 3 }, trustedProxies: [] });
    const opened = [client(), client(), client()];
    await Promise.all(opened.map((socket) => once(socket, 'connect')));
    await answerOf(client());
    // A closed connection makes room.
    for (const socket of opened) socket.destroy();
    await eventually(
      () => refusals('http-connections-per-address').catch(() => 0),
      (number) => number > 0,
    );
  });
});

describe('streams, exports and searches', () => {
  beforeAll(() =>
    start({
      loads: {
        ...DEFAULT_HTTP_LIMITS.loads,
        stream: { perToken: 2, inAll: 3 },
        export: { perToken: 1, inAll: 2 },
        search: { perToken: 1, inAll: 1 },
      },
    }),
  );
  afterAll(() => t.stop());

  test('a token has a limited number of streams and long polls', async () => {
    const ending = new AbortController();
    const open = (token: string, path: string) =>
      fetch(t.adapter.httpUrl + path, {
        headers: { 'authorization-token': token },
        signal: ending.signal,
      });
    const [viewer, operator] = [await t.tokenFor('viewer'), await t.tokenFor('operator')];
    const polling = open(viewer, '/v1.0/ota/events?wait=30').catch(() => undefined);
    expect((await open(viewer, '/v1.0/ota/events/stream')).status).toBe(200);
    await eventually(
      async () => (await t.call('GET', '/v1.0/live', { token: viewer })).status,
      (status) => status === 429,
    );
    const refused = await t.call('GET', '/v1.0/ota/events', { token: viewer });
    expect([refused.status, refused.body.errorCode]).toEqual([429, 'TOO_MANY_REQUESTS']);
    expect(refused.headers.get('retry-after')).toBe('1');
    // Another token has its own limit, until all together have too many.
    expect((await open(operator, '/v1.0/live')).status).toBe(200);
    expect((await t.call('GET', '/v1.0/ota/events', { token: operator })).status).toBe(429);
    expect(await refusals('streams')).toBeGreaterThan(2);
    ending.abort();
    await polling;
    await eventually(
      async () => (await t.call('GET', '/v1.0/ota/events', { token: viewer })).status,
      (status) => status === 200,
    );
  });

  test('exports of one token are limited, even while one is not being read', async () => {
    // More than the buffers on the way can hold.
    const vins = Array.from({ length: 60_000 }, (_, n) => vehicleOf(n, 'EXP').vin);
    await t.trigger('exported', vins);
    const [viewer, operator] = [await t.tokenFor('viewer'), await t.tokenFor('operator')];
    const exporting = (token: string, path: string) =>
      fetch(t.adapter.httpUrl + path, { headers: { 'authorization-token': token } });
    const statusOf = async (token: string) => {
      const answer = await exporting(token, '/v1.0/audit/export');
      await answer.arrayBuffer();
      return answer.status;
    };
    const path = '/v1.0/ota/operations/exported/export?format=ndjson';
    const held = await exporting(viewer, path);
    expect(held.status).toBe(200);
    for (const other of [path, '/v1.0/audit/export', '/v1.0/audit/verification']) {
      const { status, body } = await t.call('GET', other, { token: viewer });
      expect([other, status, body.errorCode]).toEqual([other, 429, 'TOO_MANY_REQUESTS']);
    }
    expect(await statusOf(operator)).toBe(200);
    expect(await refusals('exports')).toBe(3);
    await held.body?.cancel();
    await eventually(
      () => statusOf(viewer),
      (status) => status === 200,
    );
  });

  test('searches of one token are limited, lists that an index finds are not', async () => {
    const one = vehicleOf(1, 'SRC');
    await t.register(one);
    await t.trigger('search', [one.vin]);
    const path = '/v1.0/ota/operations/search/vehicles';
    const statuses = async (query: string) => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => t.call('GET', `${path}${query}`)),
      );
      return new Set(answers.map(({ status }) => status));
    };
    expect(await statuses('?text=reason')).toEqual(new Set([200, 429]));
    expect(await statuses('')).toEqual(new Set([200]));
    expect((await t.call('GET', `${path}?text=reason`)).status).toBe(200);
  });
});
