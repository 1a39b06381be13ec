/** Request bodies that are streams: many lines of CSV or NDJSON, optionally gzip, or any bytes at all. */
import { Readable } from 'node:stream';
import { type FastifyRequest } from 'fastify';
import Type from 'typebox';
import { type LineFormat } from '../lines.js';
import { bodyStream } from './body-stream.js';
import { Problem } from './problem.js';
import { type Server } from './server.js';

const FORMATS: Readonly<Record<string, LineFormat>> = {
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
};
const LINE_TYPES = Object.keys(FORMATS);

const ofTypes = (types: readonly string[], description: string) => ({
  content: Object.fromEntries(
    types.map((type) => [type, { schema: Type.Unknown({ description }) }]),
  ),
});

/** Body of a route, for its description. */
export const linesBody = (description: string) => ofTypes(LINE_TYPES, description);
export const bytesBody = (description: string) =>
  ofTypes(['application/octet-stream'], description);

/** In this scope lines are taken, and nothing else. */
export function takeLines(scope: Server): void {
  scope.removeAllContentTypeParsers();
  takeStream(scope, LINE_TYPES);
}

/** In this scope any content is taken as it is. */
export function takeBytes(scope: Server): void {
  scope.removeAllContentTypeParsers();
  takeStream(scope, '*');
}

function takeStream(scope: Server, types: '*' | string[]): void {
  scope.addContentTypeParser(types, (request, _payload, done) => {
    try {
      done(null, bodyStream(request.raw));
    } catch (error) {
      done(error as Error);
    }
  });
  // Also where the request was refused before anyone read it.
  scope.addHook('onResponse', ({ body }, _reply, done) => {
    if (body instanceof Readable) body.destroy();
    done();
  });
}

/** @throws Problem 400 */
export function streamIn({ body }: FastifyRequest): Readable {
  if (body === undefined) throw new Problem(400, 'BODY_MISSING', 'the body is missing');
  return body as Readable;
}

/** @throws Problem 400, 415 */
export function linesIn(request: FastifyRequest): { input: Readable; format: LineFormat } {
  const input = streamIn(request);
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  const format = FORMATS[type ?? ''];
  if (format) return { input, format };
  input.destroy();
  throw new Problem(415, 'UNSUPPORTED_MEDIA_TYPE', 'send text/csv or NDJSON');
}
