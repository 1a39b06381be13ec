/** Transfers stay within limits of bytes, rate and time, or fail. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SLOWEST } from '../../src/uptane/limits.js';
import { type Refusal } from '../../src/uptane/refusal.js';
import { type Fetcher } from '../../src/uptane/transfer/fetcher.js';
import { HttpFetcher } from '../../src/uptane/transfer/http-fetcher.js';
import { transferToMemory } from '../../src/uptane/transfer/transfer.js';

const SUBJECT = { repository: 'image', role: 'snapshot' };

describe('in virtual time', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  type Piece = readonly [afterSeconds: number, bytes: number];
  let isAborted = false;

  /** Sends chunks after delays; after the last one, the end or nothing forever. */
  const sender = (pieces: readonly Piece[], ends = true, firstAfter = 0): Fetcher => ({
    async fetch(_path, signal) {
      isAborted = false;
      signal.addEventListener('abort', () => (isAborted = true));
      await seconds(firstAfter);
      return (async function* () {
        for (const [pause, bytes] of pieces) {
          await seconds(pause);
          yield Buffer.alloc(bytes, 'x');
        }
        if (!ends) await new Promise(() => undefined);
      })();
    },
  });
  const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * 1000));

  /** Result of a transfer, and its duration in seconds. */
  async function outcome(fetcher: Fetcher, bytes = 1_000_000, limit?: number) {
    const begun = Date.now();
    const limits = { bytes, rate: SLOWEST, seconds: limit };
    let after = 0;
    const result = transferToMemory(fetcher, 'x', limits, SUBJECT)
      .then(
        (file) => file?.length,
        (error: unknown) => (error as Refusal).code,
      )
      .finally(() => (after = Math.round((Date.now() - begun) / 1000)));
    for (let count = 0; count < 3_000; count += 1) await vi.advanceTimersByTimeAsync(100);
    return { result: await result, after, isAborted };
  }

  test('a server that never answers causes a timeout after 20 seconds', async () => {
    expect(await outcome(sender([], true, 1e6))).toEqual({
      result: 'slow',
      after: 20,
      isAborted: true,
    });
  });

  test('so does one that sends only headers', async () => {
    expect(await outcome(sender([], false))).toMatchObject({ result: 'slow', after: 20 });
  });

  test('so does one that stalls, 20 seconds after its last bytes', async () => {
    const stalled = sender(
      [
        [1, 5_000],
        [4, 900],
        [1, 50_000],
      ],
      false,
    );
    expect(await outcome(stalled)).toMatchObject({ result: 'slow', after: 26 });
  });

  test('a trickle just below the minimum rate is aborted at the end of the first window', async () => {
    const trickle = sender(Array.from({ length: 500 }, () => [1, 49] as const));
    expect(await outcome(trickle)).toMatchObject({ result: 'slow', after: 20 });
  });

  test('so is a trickle after a fast start', async () => {
    const pieces = [[0, 100_000] as const, ...Array.from({ length: 500 }, () => [1, 49] as const)];
    expect(await outcome(sender(pieces))).toMatchObject({ result: 'slow', after: 20 });
  });

  test('a trickle just above the minimum rate is accepted', async () => {
    const trickle = sender(Array.from({ length: 60 }, () => [1, 60] as const));
    expect(await outcome(trickle)).toMatchObject({ result: 3_600, after: 60 });
  });

  test('a small file that arrives late is accepted', async () => {
    expect(await outcome(sender([[10, 100]], true, 9))).toMatchObject({ result: 100, after: 19 });
  });

  test('a steady transfer that takes too long is aborted', async () => {
    const trickle = sender(Array.from({ length: 500 }, () => [1, 60] as const));
    expect(await outcome(trickle, 1_000_000, 100)).toMatchObject({ result: 'slow', after: 100 });
  });

  test('a file up to the limit is accepted, a longer one aborted at once', async () => {
    expect(
      await outcome(
        sender([
          [0, 600],
          [0, 400],
        ]),
        1_000,
      ),
    ).toMatchObject({ result: 1_000 });
    const endless = sender(
      [
        [0, 600],
        [1, 401],
      ],
      false,
    );
    expect(await outcome(endless, 1_000)).toEqual({ result: 'length', after: 1, isAborted: true });
  });

  test('time spent by the receiver does not count', async () => {
    const fetcher = sender([
      [0, 10],
      [0, 10],
      [0, 10],
    ]);
    const limits = { bytes: 100, rate: SLOWEST };
    const { transfer } = await import('../../src/uptane/transfer/transfer.js');
    const done = transfer(fetcher, 'x', limits, SUBJECT, async () => {
      await seconds(30);
    });
    await vi.advanceTimersByTimeAsync(100_000);
    expect(await done).toBe(true);
  });
});

describe('over HTTP', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  });

  async function fetcher(answer: RequestListener, base = ''): Promise<Fetcher> {
    const listening = (server = createServer(answer));
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    const { port } = listening.address() as AddressInfo;
    return new HttpFetcher(new URL(`http://127.0.0.1:${port}${base}`));
  }
  const take = (from: Fetcher, path = 'x') =>
    transferToMemory(from, path, { bytes: 100_000, rate: SLOWEST }, SUBJECT);
  const code = (from: Fetcher) =>
    take(from).then(
      () => 'taken',
      (error: unknown) => (error as Refusal).code,
    );

  test('a path is requested in its encoded form, below the base URL', async () => {
    const asked: (string | undefined)[] = [];
    const from = await fetcher((request, response) => {
      asked.push(request.url, request.headers['accept-encoding']);
      response.end('file');
    }, '/base/');
    expect((await take(from, 'a%2Fb/../%C3%A4.json'))?.toString()).toBe('file');
    expect(asked).toEqual(['/base/a%2Fb/../%C3%A4.json', 'identity']);
  });

  test.each([404, 403])('%i means that the file does not exist', async (status) => {
    const from = await fetcher((_request, response) => response.writeHead(status).end('no'));
    expect(await take(from)).toBeUndefined();
  });

  test.each([301, 302, 307, 308, 500, 503, 401, 204, 206])(
    '%i says nothing about the file',
    async (status) => {
      const from = await fetcher((_request, response) =>
        response.writeHead(status, { location: '/other' }).end(),
      );
      expect(await code(from)).toBe('network');
    },
  );

  test('compressed content is not decompressed', async () => {
    const bytes = gzipSync('file');
    const from = await fetcher((_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bytes),
    );
    expect(await take(from)).toEqual(bytes);
  });

  test('a broken connection does not end a file', async () => {
    const from = await fetcher((_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half of it');
      setImmediate(() => response.destroy());
    });
    expect(await code(from)).toBe('network');
  });

  test('nor does a broken connection in a chunked response', async () => {
    const from = await fetcher((_request, response) => {
      response.writeHead(200);
      response.write('half of it');
      setImmediate(() => response.destroy());
    });
    expect(await code(from)).toBe('network');
  });

  test('an endless response is aborted at the limit', async () => {
    let sent = 0;
    const from = await fetcher((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384))) sent += 16_384;
      };
      response.on('drain', more);
      more();
    });
    expect(await code(from)).toBe('length');
    expect(sent).toBeLessThan(50_000_000);
  });

  test.each([
    ['an answer that is no HTTP', 'hello\r\n\r\n'],
    ['endless headers', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(100_000)}`],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx'],
    ['nothing', ''],
  ])('%s', async (_what, text) => {
    const tcp = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(text);
    });
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    const { port } = tcp.address() as AddressInfo;
    expect(await code(new HttpFetcher(new URL(`http://127.0.0.1:${port}`)))).toBe('network');
    tcp.close();
  });

  test('connection refused', async () => {
    const from = await fetcher(() => undefined);
    server?.close();
    server = undefined;
    expect(await code(from)).toBe('network');
  });
});
