/** Allowed methods of a path that several routes match. */
import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { methodsByPath } from '../../../src/service/http/other-methods.js';

function serverOf(routes: readonly (readonly ['GET' | 'POST' | 'PUT', string])[]) {
  const server = Fastify({ exposeHeadRoutes: false });
  const methodsOf = methodsByPath(server);
  for (const [method, url] of routes) server.route({ method, url, handler: () => '' });
  return methodsOf;
}

const methodsOf = serverOf([
  ['GET', '/v/:vin/:file'],
  ['POST', '/v/:vin/manifest'],
  ['PUT', '/v/:vin'],
  ['POST', '/v/import'],
  ['GET', '/v'],
  ['GET', '/files/*'],
  ['POST', '/files/list'],
]);

test.each([
  ['a path without parameters', '/v/import', '/v/:vin', ['POST']],
  ['a more specific route than the one found', '/v/x/manifest', '/v/:vin/:file', ['POST']],
  ['the same where none was found', '/v/x/manifest', undefined, ['POST']],
  ['one with parameters, where none was found', '/v/x/y', undefined, ['GET']],
  ['a wildcard', '/files/a/b.css', undefined, ['GET']],
  ['a wildcard for nothing', '/files/', undefined, ['GET']],
  ['a wildcard for its own sign', '/files/*', undefined, ['GET']],
  ['a more specific route than a wildcard', '/files/list', '/files/*', ['POST']],
])('the other methods of %s', (_name, path, route, methods) => {
  expect(methodsOf(path, route)).toEqual(methods);
});

test('no other methods if the route found is the most specific, or the path does not exist', () => {
  expect(methodsOf('/v/x/timestamp.json', '/v/:vin/:file')).toBeUndefined();
  expect(methodsOf('/v/x/manifest', '/v/:vin/manifest')).toBeUndefined();
  expect(methodsOf('/files/a', '/files/*')).toBeUndefined();
  expect(methodsOf('/files', undefined)).toBeUndefined();
  expect(methodsOf('/w', undefined)).toBeUndefined();
});
