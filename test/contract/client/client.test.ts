/** The client of our HTTP interfaces, against foreign and hostile servers. */
import { type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import Type from 'typebox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ApiError,
  Client,
  type ClientOptions,
  empty,
  json,
  jsonBody,
  linesBody,
  NoAnswer,
  pageOf,
  PageQuery,
  routesOf,
  stream,
} from '../../../src/contract/index.js';
import { type ForeignServer, send, sendJson, startForeignServer } from './foreign-server.js';

const Params = Type.Object({ id: Type.String() });
const Thing = Type.Object({ name: Type.String() });
const Answer = json(Thing, 'It.');
const shared = { permission: 'any', summary: 'Do something' } as const;
const routes = routesOf('Things', {
  get: { ...shared, method: 'GET', path: '/things/{id}', params: Params, answer: Answer },
  list: {
    ...shared,
    method: 'GET',
    path: '/things',
    query: Type.Object({
      ...PageQuery.properties,
      kind: Type.Optional(Type.Array(Type.String())),
      text: Type.Optional(Type.String()),
    }),
    answer: json(pageOf(Thing), 'A page.'),
  },
  put: {
    ...shared,
    method: 'PUT',
    path: '/things/{id}',
    params: Params,
    body: jsonBody(Type.Object({ size: Type.Number() }), 'It.'),
    answer: Answer,
  },
  putOnce: {
    ...shared,
    method: 'PUT',
    path: '/secret',
    answer: Answer,
    repeatable: false,
  },
  post: { ...shared, method: 'POST', path: '/things', answer: Answer },
  postAgain: { ...shared, method: 'POST', path: '/again', answer: Answer, repeatable: true },
  patch: { ...shared, method: 'PATCH', path: '/things', answer: Answer },
  remove: {
    ...shared,
    method: 'DELETE',
    path: '/things/{id}',
    params: Params,
    answer: empty('Gone.'),
  },
  importLines: {
    ...shared,
    method: 'POST',
    path: '/import',
    body: linesBody('Lines.'),
    answer: Answer,
    repeatable: true,
  },
  watch: { ...shared, method: 'GET', path: '/watch', answer: stream('text/plain', 'Lines.') },
  ready: {
    ...shared,
    method: 'GET',
    path: '/ready',
    answer: Answer,
    otherAnswers: [{ status: 503, description: 'Not yet.', schema: Thing }],
  },
});

const TOKEN = 'otaops_secret';
const IT = { params: { id: 'a' } };
const thing = sendJson({ name: 'it' });
const hangUp = (response: ServerResponse) => void response.destroy();

let server: ForeignServer;
let other: ForeignServer;
beforeAll(async () => {
  server = await startForeignServer();
  other = await startForeignServer();
});
afterAll(async () => {
  await server.stop();
  await other.stop();
});

/** Delays are recorded, not waited for. */
function clientOf(options: Partial<ClientOptions> = {}) {
  const pauses: number[] = [];
  const client = new Client({
    url: server.url,
    token: TOKEN,
    sleep: (ms) => {
      pauses.push(ms);
      return Promise.resolve();
    },
    ...options,
  });
  return { client, pauses };
}

const failureOf = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it succeeded');
};

const readerOf = ({ body }: Response) => (body as ReadableStream<Uint8Array>).getReader();

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
      expect(() => new Client({ url: server.url, token })).toThrow(/the token has a character/);
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

describe('a retry', () => {
  const again = { retries: 3, backoff: { firstPauseMs: 100, longestPauseMs: 150 } };

  test.each([408, 429, 502, 503, 504])('happens after %s', async (status) => {
    server.answer(send(status), thing);
    const { client, pauses } = clientOf(again);
    expect(await client.call(routes.get, IT)).toEqual({ name: 'it' });
    expect(pauses).toHaveLength(1);
  });

  test.each([400, 401, 403, 404, 409, 410, 500, 501])(
    'does not happen after %s',
    async (status) => {
      server.answer(send(status), thing);
      const { client, pauses } = clientOf(again);
      expect(await failureOf(client.call(routes.get, IT))).toMatchObject({ status });
      expect(pauses).toEqual([]);
    },
  );

  test('happens up to the given number of attempts, with delays growing to the maximum', async () => {
    server.answer(hangUp);
    const { client, pauses } = clientOf(again);
    expect(await failureOf(client.call(routes.get, IT))).toBeInstanceOf(NoAnswer);
    expect(server.asked).toHaveLength(4);
    const [first = 0, second = 0, third = 0] = pauses;
    expect(pauses).toHaveLength(3);
    expect(first).toBeGreaterThanOrEqual(80);
    expect(first).toBeLessThanOrEqual(100);
    for (const pause of [second, third]) {
      expect(pause).toBeGreaterThanOrEqual(120);
      expect(pause).toBeLessThanOrEqual(150);
    }
  });

  test('happens only if requested', async () => {
    server.answer(hangUp);
    expect(await failureOf(clientOf().client.call(routes.get, IT))).toBeInstanceOf(NoAnswer);
    expect(server.asked).toHaveLength(1);
  });

  test.each([
    ['get', 2],
    ['put', 2],
    ['remove', 2],
    ['postAgain', 2],
    ['putOnce', 1],
    ['post', 1],
    ['patch', 1],
  ] as const)('of %s: it is sent %i times', async (name, times) => {
    server.answer(hangUp, name === 'remove' ? send(204) : thing);
    const { client } = clientOf(again);
    const request = { ...IT, ...(name === 'put' ? { body: { size: 1 } } : {}) };
    await client.call(routes[name] as typeof routes.post, request as object).catch(() => undefined);
    expect(server.asked).toHaveLength(times);
  });

  test('repeats an upload of a text, never of a stream', async () => {
    const { client } = clientOf(again);
    const type = 'text/csv';
    server.answer(hangUp, thing);
    await client.call(routes.importLines, { content: { type, body: 'vin' } });
    expect(server.asked).toHaveLength(2);
    server.answer(hangUp, thing);
    const body = new Blob(['vin']).stream();
    const failure = failureOf(client.call(routes.importLines, { content: { type, body } }));
    expect(await failure).toBeInstanceOf(NoAnswer);
    expect(server.asked).toHaveLength(1);
  });

  test.each([
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['less than our own pause', { 'retry-after': '0' }, undefined],
    ['an hour', { 'retry-after': '3600' }, 30_000],
    ['no number', { 'retry-after': 'soon' }, undefined],
    ['a negative one', { 'retry-after': '-5' }, undefined],
    [
      'a date, measured by the server’s own clock',
      { date: 'Wed, 21 Oct 2015 07:28:00 GMT', 'retry-after': 'Wed, 21 Oct 2015 07:28:09 GMT' },
      9_000,
    ],
    [
      'a date in the past',
      { date: 'Wed, 21 Oct 2015 07:28:00 GMT', 'retry-after': 'Wed, 21 Oct 2015 07:27:00 GMT' },
      undefined,
    ],
  ])('waits as Retry-After says: %s', async (_what, headers, pause) => {
    server.answer(send(503, '', headers), thing);
    const { client, pauses } = clientOf(again);
    await client.call(routes.get, IT);
    expect(pauses).toHaveLength(1);
    if (pause === undefined) expect(pauses[0]).toBeLessThanOrEqual(100);
    else expect(pauses[0]).toBe(pause);
  });

  test('can be aborted during its delay', async () => {
    server.answer(send(503, '', { 'retry-after': '20' }));
    const abort = new AbortController();
    const client = new Client({ url: server.url, retries: 5 });
    const asked = client.call(routes.get, IT, abort.signal);
    const reason = new Error('enough');
    while (server.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
    setImmediate(() => abort.abort(reason));
    expect(await failureOf(asked)).toBe(reason);
    expect(server.asked).toHaveLength(1);
  });
});

describe('error responses', () => {
  const refusal = async (...answers: Parameters<ForeignServer['answer']>) => {
    server.answer(...answers);
    return (await failureOf(clientOf().client.call(routes.get, IT))) as ApiError;
  };

  test('carry code, message and fields of a problem document', async () => {
    const problem = {
      title: 'Bad Request',
      status: 400,
      errorCode: 'INVALID',
      errorMessage: 'two fields are wrong',
      errors: [{ path: '/a', message: 'is missing' }],
    };
    const headers = { 'content-type': 'application/problem+json', 'retry-after': '3' };
    expect(await refusal(sendJson(problem, 400, headers))).toMatchObject({
      status: 400,
      code: 'INVALID',
      message: 'two fields are wrong',
      errors: [{ path: '/a', message: 'is missing' }],
      retryAfterMs: 3_000,
    });
  });

  test.each([
    ['HTML', '<html><body>502 Bad Gateway</body></html>'],
    ['nothing', ''],
    ['half a document', '{"errorCode": "INVA'],
    ['null', 'null'],
    ['a text', '"INVALID"'],
    ['a number', '5'],
    ['a list', '[{"errorCode": "INVALID"}]'],
    ['fields of another kind', '{"errorCode": 5, "errorMessage": {"a": 1}, "errors": "none"}'],
    ['a code that is none of ours', '{"errorCode": "constructor"}'],
    ['bytes that are no UTF-8', '\u0000\uFFFD'],
  ])('of something else: %s', async (_what, body) => {
    const failure = await refusal(send(418, body));
    expect(failure).toMatchObject({ status: 418, code: 'HTTP_418', errors: [] });
    expect(failure.message).toMatch(/^the server answered 418/);
  });

  test('omit malformed field errors', async () => {
    const errors = [null, 5, { path: 5 }, { path: '/a', message: 'is wrong' }, { path: '/b' }];
    const problem = { errorCode: 'INVALID', errorMessage: 'wrong', errors };
    const failure = await refusal(sendJson(problem, 400));
    expect(failure.errors).toEqual([{ path: '/a', message: 'is wrong' }]);
  });

  test('are read only up to the maximum length of a problem document', async () => {
    let sent = 0;
    const failure = await refusal((response) => {
      response.writeHead(500, { 'content-type': 'application/problem+json' });
      const chunk = Buffer.alloc(64 * 1024, ' ');
      const more = () => {
        while (!response.destroyed) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
      };
      more();
    });
    expect(failure).toMatchObject({ status: 500, code: 'HTTP_500' });
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });
});

describe('answers', () => {
  test.each([
    ['HTML', 'text/html', '<html>Welcome to this hotel</html>', /not JSON \(text\/html\)/],
    ['nothing', 'application/json', '', /the answer is empty/],
    ['half of it', 'application/json', '{"name": "i', /not JSON/],
  ])('of something else are told: %s', async (_what, type, body, message) => {
    server.answer(send(200, body, { 'content-type': type }));
    const failure = await failureOf(clientOf({ retries: 3 }).client.call(routes.get, IT));
    expect(failure).toMatchObject({ name: 'ApiError', status: 200, code: 'HTTP_200' });
    expect((failure as Error).message).toMatch(message);
    expect(server.asked).toHaveLength(1);
  });

  test('are bounded in memory, however well they compress', async () => {
    const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024, ' '));
    server.answer((response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    const { client } = clientOf({ maxAnswerBytes: 1024 * 1024 });
    const failure = await failureOf(client.call(routes.get, IT));
    expect((failure as Error).message).toBe('the answer is larger than 1048576 bytes');
  });

  test('may have any status that the route declares', async () => {
    server.answer(sendJson({ name: 'not yet' }, 503));
    const { client, pauses } = clientOf({ retries: 3 });
    expect(await client.call(routes.ready, {})).toEqual({ name: 'not yet' });
    expect(pauses).toEqual([]);
  });

  test('are undefined if the route declares no content', async () => {
    for (const answer of [send(204), send(200, 'something')]) {
      server.answer(answer);
      await expect(clientOf().client.call(routes.remove, IT)).resolves.toBeUndefined();
    }
  });

  test('decode characters that arrive in two chunks', async () => {
    const bytes = Buffer.from('{"name": "é"}');
    server.answer((response) => {
      response.writeHead(200);
      response.write(bytes.subarray(0, 11));
      setImmediate(() => response.end(bytes.subarray(11)));
    });
    expect(await clientOf().client.call(routes.get, IT)).toEqual({ name: 'é' });
  });
});

describe('a server that stalls', () => {
  /** Sends headers and half a body, then stalls. */
  const half = (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"name": ');
  };
  const silent = () => undefined;

  test.each([
    ['before it answers', silent],
    ['in the middle of its answer', half],
    [
      'in the middle of a problem',
      (response: ServerResponse) => void response.writeHead(400).write('{'),
    ],
  ])('%s is given up, and asked again', async (_when, stalls) => {
    server.answer(stalls, thing);
    // On a busy machine, even a good answer may be late.
    const { client, pauses } = clientOf({ timeout: 200, retries: 20 });
    expect(await client.call(routes.get, IT)).toEqual({ name: 'it' });
    expect(pauses.length).toBeGreaterThan(0);
    server.answer(stalls);
    const failure = await failureOf(clientOf({ timeout: 100 }).client.call(routes.get, IT));
    expect(failure).toBeInstanceOf(NoAnswer);
    expect((failure as Error).message).toBe(`${server.url} does not answer: not within 100 ms`);
  });

  test('causes a timeout before a stream starts, but not during it', async () => {
    server.answer(silent);
    const { client } = clientOf({ timeout: 200, retries: 20 });
    expect(await failureOf(client.open(routes.watch, {}))).toBeInstanceOf(NoAnswer);
    let end: () => void = () => undefined;
    server.answer((response) => {
      response.writeHead(200).write('a');
      end = () => response.end('b');
    });
    const response = await client.open(routes.watch, {});
    const reader = readerOf(response);
    const read = async () => new TextDecoder().decode((await reader.read()).value);
    expect(await read()).toBe('a');
    await new Promise((resolve) => setTimeout(resolve, 400));
    end();
    expect(await read()).toBe('b');
  });

  test('closes the connection during its answer', async () => {
    server.answer((response) => {
      half(response);
      setImmediate(() => response.destroy());
    }, thing);
    expect(await clientOf({ retries: 1 }).client.call(routes.get, IT)).toEqual({ name: 'it' });
  });

  test.each([
    ['before it answers', silent],
    ['in the middle of its answer', half],
  ])('is left when the caller has had enough: %s', async (_when, stalls) => {
    const abort = new AbortController();
    const reason = new Error('enough');
    server.answer((response) => {
      stalls(response);
      setImmediate(() => abort.abort(reason));
    });
    const { client, pauses } = clientOf({ retries: 3 });
    expect(await failureOf(client.call(routes.get, IT, abort.signal))).toBe(reason);
    expect(pauses).toEqual([]);
    expect(server.asked).toHaveLength(1);
  });

  test('gets no request if the caller aborted before', async () => {
    server.answer(thing);
    const reason = new Error('enough');
    const asked = clientOf().client.call(routes.get, IT, AbortSignal.abort(reason));
    expect(await failureOf(asked)).toBe(reason);
    expect(server.asked).toEqual([]);
  });

  test('is disconnected if the caller aborts during a stream', async () => {
    const abort = new AbortController();
    server.answer((response) => void response.writeHead(200).write('a'));
    const reader = readerOf(await clientOf().client.open(routes.watch, {}, abort.signal));
    await reader.read();
    abort.abort();
    await expect(reader.read()).rejects.toThrow(/abort/i);
  });
});

test('a refused connection is reported with address and cause', async () => {
  const gone = await startForeignServer();
  await gone.stop();
  const failure = await failureOf(clientOf({ url: gone.url }).client.call(routes.get, IT));
  expect((failure as Error).message).toBe(
    `${gone.url} does not answer: connect ECONNREFUSED 127.0.0.1:${gone.port}`,
  );
});

describe('a list', () => {
  const page = (names: readonly string[], nextCursor: unknown) =>
    sendJson({ items: names.map((name) => ({ name })), nextCursor });
  const namesOf = async (most?: number) => {
    const names: string[] = [];
    for await (const { name } of clientOf().client.items(
      routes.list,
      { query: { kind: ['x'] } },
      most,
    )) {
      names.push(name);
    }
    return names;
  };

  test('is fetched page by page, with the query on each request', async () => {
    server.answer(page(['a', 'b'], 'two'), page([], 'three'), page(['c'], null));
    expect(await namesOf()).toEqual(['a', 'b', 'c']);
    expect(server.asked.map(({ url }) => url)).toEqual([
      '/things?kind=x&limit=1000',
      '/things?kind=x&limit=1000&cursor=two',
      '/things?kind=x&limit=1000&cursor=three',
    ]);
  });

  test('ends at the requested number, even if the server sends more', async () => {
    server.answer(page(['a', 'b'], 'two'), page(['c', 'd', 'e'], 'three'));
    expect(await namesOf(3)).toEqual(['a', 'b', 'c']);
    expect(server.asked.map(({ url }) => url)).toEqual([
      '/things?kind=x&limit=3',
      '/things?kind=x&limit=1&cursor=two',
    ]);
    server.answer(page(['a'], null));
    expect(await namesOf(0)).toEqual([]);
    expect(server.asked).toEqual([]);
  });

  test.each([
    ['a page that names itself as the next', [page([], 'two'), page([], 'two')]],
    ['no cursor', [sendJson({ items: [] })]],
    ['a cursor that is no text', [page([], 5)]],
    ['no items', [sendJson({ nextCursor: null })]],
    ['a list alone', [sendJson([])]],
    ['nothing', [sendJson(null)]],
  ])('of something else does not go on for ever: %s', async (_what, answers) => {
    server.answer(...answers);
    await expect(namesOf()).rejects.toThrow('the answer is not the next page of a list');
  });
});
