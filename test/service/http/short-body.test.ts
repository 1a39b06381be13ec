/** A short request body is read without our own streams, with the limits and errors of any other body. */
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBytes } from '../../../src/service/http/json-body.js';
import { hasShortBody } from '../../../src/service/http/short-body.js';
import { must } from '../../uptane/support/must.js';

let server: Server;
let port: number;
let seconds: number | undefined;
let slow = 0;
/** Called with the bytes, or the error. */
let read: (outcome: Buffer | Error) => void = () => undefined;

const LIMIT = { maxBytes: 20_000, gzip: true };

beforeAll(async () => {
  server = createServer((incoming: IncomingMessage, response) => {
    const limit = { ...LIMIT, ...(seconds === undefined ? {} : { seconds }), onSlow: () => slow++ };
    readBytes(incoming, limit).then(
      (bytes) => {
        response.end(hasShortBody(incoming, limit) ? 'short' : 'long');
        read(bytes);
      },
      (error: unknown) => {
        response.writeHead(400).end();
        read(error as Error);
      },
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const outcome = () => new Promise<Buffer | Error>((resolve) => (read = resolve));

async function sending(head: string, body: string | Buffer): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(`POST / HTTP/1.1\r\nhost: a\r\n${head}\r\n\r\n`);
  socket.write(body);
  return socket;
}

test('a short body arrives complete, in one piece, in many, or empty', async () => {
  const content = Buffer.from(Array.from({ length: 19_999 }, (_, at) => at % 256));
  for (const pieces of [1, 7]) {
    const outgoing = request({ port, method: 'POST', headers: { 'content-length': 19_999 } });
    const reading = outcome();
    const answer = once(outgoing, 'response') as Promise<[IncomingMessage]>;
    const size = Math.ceil(content.length / pieces);
    for (let from = 0; from < content.length; from += size) {
      outgoing.write(content.subarray(from, from + size));
      await new Promise((resolve) => setImmediate(resolve));
    }
    outgoing.end();
    expect(await reading).toEqual(content);
    const [response] = await answer;
    const [chunk] = (await once(response, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('short');
  }
  const reading = outcome();
  const socket = await sending('content-length: 0', '');
  expect(await reading).toEqual(Buffer.alloc(0));
  socket.destroy();
});

test('a client that disconnects in the middle is reported as such', async () => {
  const reading = outcome();
  const socket = await sending('content-length: 10', 'half');
  await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  expect(await reading).toMatchObject({ code: 'UNREADABLE_BODY' });
});

test('a client that stops sending times out, once', async () => {
  seconds = 0.05;
  const reading = outcome();
  const socket = await sending('content-length: 10', 'half');
  expect(await reading).toMatchObject({ code: 'REQUEST_TIMEOUT' });
  expect(slow).toBe(1);
  seconds = undefined;
  socket.destroy();
});

test('a body that is long, compressed, of unknown length or over the limit is left to the stream', async () => {
  const of = (headers: Record<string, string>) => ({ headers }) as unknown as IncomingMessage;
  expect(hasShortBody(of({ 'content-length': '20000' }), LIMIT)).toBe(true);
  for (const headers of [
    { 'content-length': '20001' },
    { 'content-length': '10', 'content-encoding': 'gzip' },
    { 'transfer-encoding': 'chunked' },
    {},
  ] as Record<string, string>[]) {
    expect(hasShortBody(of(headers), LIMIT)).toBe(false);
  }
  expect(hasShortBody(of({ 'content-length': '70000' }), { ...LIMIT, maxBytes: 1e6 })).toBe(false);
  const reading = outcome();
  const socket = await sending('content-length: 20001', '');
  expect(must(await reading)).toMatchObject({ code: 'BODY_TOO_LARGE' });
  socket.destroy();
});
