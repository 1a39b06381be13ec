/** Live updates for browsers, whatever they watch. */
import Fastify from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TSchema } from 'typebox';
import { liveApiOf } from '../../src/contract/index.js';
import { liveRoute, type Server } from '../../src/service/http/index.js';
import { RequestLimits } from '../../src/service/http/request-limits.js';
import { DEFAULT_HTTP_LIMITS } from '../../src/service/limits/index.js';
import { parseQuery } from '../../src/service/http/query-text.js';
import { validatorOf } from '../../src/service/http/validator.js';
import { eventually } from '../support/adapter.js';
import { type EventReader, readServerSentEvents } from '../support/server-sent-events.js';

let server: Server;
let url: string;
let marks = new Map([
  ['list', '1'],
  ['thing:a', '1'],
]);
let isAway = false;
let looks = 0;
const stopping = new AbortController();

beforeAll(async () => {
  server = Fastify({
    forceCloseConnections: true,
    routerOptions: { querystringParser: parseQuery },
  });
  server.decorate('requestLimits', new RequestLimits(DEFAULT_HTTP_LIMITS, () => undefined));
  server.addHook('onRequest', (request, _reply, done) => {
    request.caller = { id: '1', name: 'console', role: 'viewer', vin: null, scopes: null };
    done();
  });
  server.setValidatorCompiler(({ schema }) => validatorOf(schema as TSchema, 'querystring'));
  liveRoute(server, liveApiOf(['thing']), {
    look: async (wanted) => {
      looks += 1;
      if (isAway || wanted.has('thing:poison')) throw new Error('away');
      return Array.from(marks, ([topic, fingerprint]) => ({ topic, model: null, fingerprint }));
    },
    stopping: stopping.signal,
  });
  url = await server.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => server.close());

const watch = (...topics: string[]) =>
  readServerSentEvents(`${url}/v1.0/live?${topics.map((one) => `topic=${one}`).join('&')}`, {});
const told = (reader: EventReader) =>
  reader.events.filter(({ event }) => event !== 'alive').map(({ event, data }) => event + data);
const until = (reader: EventReader, ...expected: string[]) =>
  eventually(
    async () => told(reader),
    (events) => events.join() === expected.join(),
  );

test('a stream starts with hello, followed by changes of lists and of its topics', async () => {
  const one = await watch('thing:a');
  const other = await watch('thing:b');
  await Promise.all([until(one, 'hello{}'), until(other, 'hello{}')]);
  marks = new Map([
    ['list', '1'],
    ['thing:a', '2'],
  ]);
  await until(one, 'hello{}', 'changed{"topics":["thing:a"]}');
  marks = new Map([
    ['list', '2'],
    ['thing:a', '2'],
  ]);
  await until(other, 'hello{}', 'changed{"topics":["list"]}');
  one.close();
  other.close();
  // Without watchers nothing is queried.
  await eventually(
    async () => {
      const before = looks;
      await new Promise((resolve) => setTimeout(resolve, 600));
      return looks - before;
    },
    (since) => since === 0,
  );
});

test('an unavailable database is reported, and everything is reloaded afterwards', async () => {
  const one = await watch();
  await until(one, 'hello{}');
  isAway = true;
  await until(one, 'hello{}', 'away{}');
  isAway = false;
  await until(one, 'hello{}', 'away{}', 'hello{}');
  one.close();
});

test('a topic that cannot be read is reported to its watchers; the others continue', async () => {
  const one = await watch('thing:a');
  await until(one, 'hello{}');
  const poisoned = await watch('thing:poison');
  marks = new Map([...marks, ['thing:a', '3']]);
  await until(one, 'hello{}', 'changed{"topics":["thing:a"]}');
  marks = new Map([...marks, ['list', '3']]);
  await until(one, 'hello{}', 'changed{"topics":["thing:a"]}', 'changed{"topics":["list"]}');
  expect(told(poisoned)).toEqual([]);
  poisoned.close();
  one.close();
});

test('a server that stops ends all streams', async () => {
  const one = await watch();
  await until(one, 'hello{}');
  stopping.abort();
  await one.ended;
});
