/** Routes of a small interface, and servers that serve it as a test specifies. */
import { type ServerResponse } from 'node:http';
import Type from 'typebox';
import { afterAll } from 'vitest';
import {
  Client,
  type ClientOptions,
  empty,
  json,
  jsonBody,
  linesBody,
  pageOf,
  PageQuery,
  routesOf,
  stream,
} from '../../../src/contract/index.js';
import { sendJson, startForeignServer } from './foreign-server.js';

const Params = Type.Object({ id: Type.String() });
const Thing = Type.Object({ name: Type.String() });
const Answer = json(Thing, 'It.');
const shared = { permission: 'any', scope: 'none', summary: 'Do something' } as const;
export const routes = routesOf('Things', {
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
    body: linesBody('Lines.', { csv: 'id\n1\n', ndjson: '{"id":1}\n' }),
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

export const TOKEN = 'otaops_secret';
export const IT = { params: { id: 'a' } };
export const thing = sendJson({ name: 'it' });
export const hangUp = (response: ServerResponse) => void response.destroy();

export const failureOf = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it succeeded');
};

export const readerOf = ({ body }: Response) => (body as ReadableStream<Uint8Array>).getReader();

/** To be called once, at the top level of a test file: two servers for the whole file, and clients of the first. */
export async function serversOfFile() {
  const server = await startForeignServer();
  const other = await startForeignServer();
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
  return { server, other, clientOf };
}
