/** The bytes of a request's body as a stream, decompressed where it says gzip. */
import { type IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Problem } from './problem.js';

/** For so long a caller may go on sending what nobody reads, ms: many look at an answer only when they have sent all. */
const DRAINED_MS = 5_000;

/**
 * Ends, or breaks with a Problem: a caller who has gone, or what is no gzip. Whoever leaves off reading destroys it (as
 * `for await` and `pipeline` do), and nothing of it stays open; the connection survives that, so the answer goes out.
 *
 * @throws Problem 415
 */
export function bodyStream(request: IncomingMessage): Readable {
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding !== 'identity' && encoding !== 'gzip') {
    const message = `content-encoding ${encoding.slice(0, 100)} is not supported; use gzip or none`;
    throw new Problem('UNSUPPORTED_CONTENT_ENCODING', message);
  }
  const body = new PassThrough();
  // It may break before anyone reads it; whoever then reads gets the error.
  body.on('error', () => undefined);
  const breakOff = (error: Error) => body.destroy(unreadable(error.message));
  // Also where the caller goes away: the request is aborted then.
  request.once('error', breakOff);
  const gunzip = encoding === 'gzip' ? createGunzip() : undefined;
  if (gunzip) {
    gunzip.once('error', breakOff);
    request.pipe(gunzip).pipe(body);
  } else request.pipe(body);
  body.once('close', () => {
    request.unpipe();
    gunzip?.destroy();
    request.removeListener('error', breakOff);
    if (!request.complete) drain(request);
  });
  if (request.destroyed && !request.complete) breakOff(new Error('the caller has gone'));
  return body;
}

const unreadable = (message: string) =>
  new Problem('UNREADABLE_BODY', `the body cannot be read: ${message}`);

/** Reads on for a while and keeps nothing; then the connection is cut. */
function drain(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), DRAINED_MS);
  request.on('error', () => undefined);
  request.once('close', () => clearTimeout(timer));
  request.once('end', () => clearTimeout(timer));
  request.resume();
}
