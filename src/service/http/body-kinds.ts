/** Request bodies other than plain JSON: lines of CSV or NDJSON, arbitrary bytes, signed JSON. */
import { Readable } from 'node:stream';
import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { type BodyLimit, FORM_TYPE, LINE_TYPES } from '../../contract/index.js';
import { type LineFormat } from '../lines.js';
import { bodyStream, type ReadingLimit } from './body-stream.js';
import { Problem } from './problem.js';
import { readBytes } from './json-body.js';

/** Media types of a body that a route without a body ignores. */
const IGNORED: BodyLimit = { maxBytes: 4_096, gzip: false };

/** The limit on a request's body, as stated by its route, and its minimum rate. */
export function bodyLimitOf({ routeOptions, server }: FastifyRequest): ReadingLimit {
  const { bodySeconds, refused } = server.requestLimits;
  const limit = routeOptions.config.body ?? IGNORED;
  return { ...limit, seconds: bodySeconds, onSlow: () => refused('http-slow-body') };
}

/** This scope accepts lines only. */
export function takeLines(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  takeStream(scope, Object.keys(LINE_TYPES));
}

/** This scope accepts any content, unparsed. */
export function takeBytes(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  takeStream(scope, '*');
}

/** This scope accepts JSON, unparsed. */
export function takeSigned(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('application/json', (request: FastifyRequest) =>
    readBytes(request.raw, bodyLimitOf(request)),
  );
}

/** This scope accepts the fields of a form. */
export function takeForm(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(FORM_TYPE, async (request: FastifyRequest) =>
    fieldsOf((await readBytes(request.raw, bodyLimitOf(request))).toString('latin1')),
  );
}

/** A repeated field becomes a list, which no schema of a text accepts. */
function fieldsOf(text: string): Record<string, string | string[]> {
  const fields = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(text)) {
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : [before, value].flat());
  }
  return Object.fromEntries(fields);
}

function takeStream(scope: FastifyInstance, types: '*' | string[]): void {
  scope.addContentTypeParser(types, (request, _payload, done) => {
    try {
      done(null, bodyStream(request.raw, bodyLimitOf(request)));
    } catch (error) {
      done(error as Error);
    }
  });
  // Also if the request is refused before its body is read.
  scope.addHook('onResponse', ({ body }, _reply, done) => {
    if (body instanceof Readable) body.destroy();
    done();
  });
}

/** @throws Problem 400 */
export function streamIn({ body }: FastifyRequest): Readable {
  if (body === undefined) throw new Problem('BODY_MISSING', 'the body is missing');
  return body as Readable;
}

/** @throws Problem 400, 415 */
export function linesIn(request: FastifyRequest): { input: Readable; format: LineFormat } {
  const input = streamIn(request);
  const [given = ''] = (request.headers['content-type'] ?? '').split(';');
  const type = given.trim().toLowerCase();
  const format = Object.hasOwn(LINE_TYPES, type)
    ? LINE_TYPES[type as keyof typeof LINE_TYPES]
    : undefined;
  if (format) return { input, format };
  input.destroy();
  throw new Problem('UNSUPPORTED_MEDIA_TYPE', 'send text/csv or NDJSON');
}
