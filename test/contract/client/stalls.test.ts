/** The client of our HTTP interfaces, against servers that stall or are not there. */
import { type ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { NoAnswer } from '../../../src/contract/index.js';
import { startForeignServer } from './foreign-server.js';
import { failureOf, IT, readerOf, routes, serversOfFile, thing } from './things.js';

const { server, clientOf } = await serversOfFile();

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
  ])('%s is abandoned, and asked again', async (_when, stalls) => {
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

  test('is asked again if it closes the connection during its answer', async () => {
    server.answer((response) => {
      half(response);
      setImmediate(() => response.destroy());
    }, thing);
    expect(await clientOf({ retries: 1 }).client.call(routes.get, IT)).toEqual({ name: 'it' });
  });

  test.each([
    ['before it answers', silent],
    ['in the middle of its answer', half],
  ])('is left when the caller aborts: %s', async (_when, stalls) => {
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

  test('gets no request if the caller has aborted before', async () => {
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
