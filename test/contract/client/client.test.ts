/** The client of our HTTP interfaces: its token, and what it sends. */
import { describe, expect, test } from 'vitest';
import { ApiError, Client } from '../../../src/contract/index.js';
import { send, sendJson, startForeignServer } from './foreign-server.js';
import { failureOf, IT, routes, serversOfFile, thing, TOKEN } from './things.js';

const { server, other, clientOf } = await serversOfFile();

describe('the token', () => {
  test.each([301, 302, 303, 307, 308])(
    'is not sent to the target of a redirect: %s',
    async (status) => {
      for (const target of [`${other.url}/things/a`, '/elsewhere', `${server.url}/things/b`]) {
        other.answer(thing);
        server.answer(send(status, '', { location: target }), thing);
        const { client, pauses } = clientOf({ retries: 3 });
        const failure = await failureOf(client.call(routes.get, IT));
        expect(failure).toMatchObject({ name: 'ApiError', status, code: `HTTP_${status}` });
        expect((failure as Error).message).toContain(`redirects to ${target}`);
        expect(server.asked).toHaveLength(1);
        expect(other.asked).toEqual([]);
        expect(pauses).toEqual([]);
      }
    },
  );

  test('is not redirected for a streamed answer or an upload either', async () => {
    other.answer(thing);
    server.answer(send(307, '', { location: other.url }));
    const { client } = clientOf();
    expect(await failureOf(client.open(routes.watch, {}))).toBeInstanceOf(ApiError);
    const content = { type: 'text/csv', body: 'vin' };
    expect(await failureOf(client.call(routes.importLines, { content }))).toBeInstanceOf(ApiError);
    expect(other.asked).toEqual([]);
  });

  test.each([
    'http://adapter.example',
    'http://127.0.0.1.evil.example',
    'http://localhost.evil.example',
    'http://evil.example/127.0.0.1',
    'http://evil.example?127.0.0.1',
    'http://evil.example#@127.0.0.1',
    'http://127.0.0.1@evil.example',
    'http://localhost:80@evil.example',
    'http://evil.example\\@127.0.0.1',
    'http://0.0.0.0:8080',
    'http://10.0.0.1',
    'http://128.0.0.1',
    'http://0x80000001',
    'http://[::]',
    'http://[::2]',
    'http://[fe80::1]',
    'http://[::ffff:10.0.0.1]',
    'http://[::127.0.0.1]',
    'http://ｅｖｉｌ.example',
    'ftp://127.0.0.1',
    'file:///etc/passwd',
    'ws://127.0.0.1',
  ])('is not sent to %s', (url) => {
    expect(() => new Client({ url, token: TOKEN })).toThrow(
      expect.objectContaining({ name: 'UnsafeAddress' }),
    );
  });

  test.each([
    'https://adapter.example',
    'http://localhost:8080',
    'http://LOCALHOST',
    'http://127.0.0.1:8080/',
    'http://127.8.9.10',
    'http://127.1',
    'http://2130706433',
    'http://0x7f.1',
    'http://[::1]:8080',
    'http://[0:0:0:0:0:0:0:1]',
  ])('may be sent to %s', (url) => {
    expect(() => new Client({ url, token: TOKEN })).not.toThrow();
  });

  test('is sent over plain HTTP if allowed; requests without a token always are', () => {
    const url = 'http://adapter.example';
    expect(() => new Client({ url, token: TOKEN, allowPlainHttp: true })).not.toThrow();
    expect(() => new Client({ url })).not.toThrow();
  });

  test('is never part of a URL, and no error message contains a password', () => {
    const url = 'https://me:hunter2@adapter.example';
    for (const allowPlainHttp of [false, true]) {
      try {
        new Client({ url, allowPlainHttp });
        expect.unreachable();
      } catch (error) {
        expect(String(error)).toMatch(/must not contain a user name or password/);
        expect(String(error)).not.toContain('hunter2');
      }
    }
    expect(() => new Client({ url: 'https://a.example?x=1' })).toThrow(/must not contain \?/);
    expect(() => new Client({ url: 'not a url' })).toThrow(TypeError);
    for (const token of ['a\r\nx-evil: 1', 'ü', 'a b', 'a\n']) {
      expect(() => new Client({ url: server.url, token })).toThrow(
        expect.objectContaining({
          name: 'InvalidToken',
          message: expect.stringMatching(
            /^the token must not contain .* \(at position \d\)$/,
          ) as string,
        }),
      );
    }
  });

  test('is sent with each request, including to the IPv6 loopback', async () => {
    const sixth = await startForeignServer('::1');
    try {
      for (const [to, url] of [
        [server, server.url],
        [server, `http://localhost:${server.port}`],
        [sixth, sixth.url],
      ] as const) {
        to.answer(thing);
        const { client } = clientOf({ url });
        expect(await client.call(routes.get, IT)).toEqual({ name: 'it' });
        expect(to.asked).toMatchObject([{ method: 'GET', url: '/things/a', token: TOKEN }]);
      }
    } finally {
      await sixth.stop();
    }
  });
});

describe('the request', () => {
  test('keeps the path prefix of a reverse proxy, and encodes path parameters', async () => {
    server.answer(thing);
    const { client } = clientOf({ url: `${server.url}/ota/` });
    await client.call(routes.get, { params: { id: 'a/../b?c#d %2e é' } });
    expect(server.asked[0]?.url).toBe('/ota/things/a%2F..%2Fb%3Fc%23d%20%252e%20%C3%A9');
  });

  test.each(['', '.', '..'])('rejects the path parameter %j', async (id) => {
    server.answer(thing);
    expect(await failureOf(clientOf().client.call(routes.get, { params: { id } }))).toBeInstanceOf(
      RangeError,
    );
    expect(server.asked).toEqual([]);
  });

  test('repeats a list-valued query parameter, and omits undefined or empty values', async () => {
    server.answer(sendJson({ items: [], nextCursor: null }));
    const query = { kind: ['a b', 'c&d=e', ''], limit: 5, text: '' };
    await clientOf().client.call(routes.list, { query });
    expect(server.asked[0]?.url).toBe('/things?kind=a+b&kind=c%26d%3De&limit=5');
  });

  test.each([NaN, Infinity, -Infinity])(
    'rejects %s, which JSON would turn into null',
    async (size) => {
      server.answer(thing);
      const { client } = clientOf({ retries: 3 });
      const put = client.call(routes.put, { ...IT, body: { size } });
      expect(await failureOf(put)).toEqual(new TypeError('size must be a number'));
      const list = client.call(routes.list, { query: { limit: size } });
      expect(await failureOf(list)).toEqual(new TypeError('limit must be a number'));
      expect(server.asked).toEqual([]);
    },
  );

  test('sends JSON as JSON, text under its media type, and a stream as it is read', async () => {
    server.answer(thing);
    const { client } = clientOf();
    await client.call(routes.put, { ...IT, body: { size: 3 } });
    await client.call(routes.importLines, { content: { type: 'text/csv', body: 'vin\nx' } });
    const lines = ['vin\n', 'a\n', 'b\n'];
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const line = lines.shift();
        if (line === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(line));
      },
    });
    await client.call(routes.importLines, { content: { type: 'application/x-ndjson', body } });
    expect(server.asked).toMatchObject([
      { contentType: 'application/json', body: '{"size":3}' },
      { contentType: 'text/csv', body: 'vin\nx' },
      { contentType: 'application/x-ndjson', body: 'vin\na\nb\n' },
    ]);
  });
});
