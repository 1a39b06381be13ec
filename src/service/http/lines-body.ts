/** Request bodies of many lines: CSV or NDJSON, streamed, optionally gzip. */
import { type Readable } from 'node:stream';
import { type FastifyRequest } from 'fastify';
import { type LineFormat } from '../lines.js';
import { bodyStream } from './json-body.js';
import { Problem } from './problem.js';
import { type Server } from './server.js';

const FORMATS: Readonly<Record<string, LineFormat>> = {
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
};

/** Content types of such bodies. */
export const LINE_TYPES = Object.keys(FORMATS);

/** In this scope they are taken, and nothing else. */
export function takeLines(scope: Server): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(LINE_TYPES, (request, _payload, done) => {
    try {
      done(null, bodyStream(request.raw));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** @throws Problem 415 */
export function linesIn(request: FastifyRequest): { input: Readable; format: LineFormat } {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  const format = FORMATS[type ?? ''];
  if (!format) throw new Problem(415, 'UNSUPPORTED_MEDIA_TYPE', 'send text/csv or NDJSON');
  return { input: request.body as Readable, format };
}
