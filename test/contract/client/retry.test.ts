/** The client of our HTTP interfaces: when it repeats a request. */
import { describe, expect, test } from 'vitest';
import { Client, NoAnswer } from '../../../src/contract/index.js';
import { send } from './foreign-server.js';
import { failureOf, hangUp, IT, routes, serversOfFile, thing } from './things.js';

const { server, clientOf } = await serversOfFile();

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
  ] as const)('depends on the route: %s is sent %i times', async (name, times) => {
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
