/** The client of our HTTP interfaces, against foreign and hostile answers. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type ApiError } from '../../../src/contract/index.js';
import { type ForeignServer, send, sendJson } from './foreign-server.js';
import { failureOf, IT, routes, serversOfFile } from './things.js';

const { server, clientOf } = await serversOfFile();

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
  ])('without a problem document are reported by status: %s', async (_what, body) => {
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
  ])('that are not JSON are reported: %s', async (_what, type, body, message) => {
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
  ])('ends with an error at an invalid page: %s', async (_what, answers) => {
    server.answer(...answers);
    await expect(namesOf()).rejects.toThrow('the answer is not the next page of a list');
  });
});
