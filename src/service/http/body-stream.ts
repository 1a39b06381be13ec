/** The body of a request as a stream, decompressed if it is gzip. */
import { type IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Problem } from './problem.js';

/** How long a client may continue to send an unread body, ms: many clients read the answer only after sending everything. */
const DRAINED_MS = 5_000;

/**
 * The stream fails with a Problem if the client disconnects or the gzip is invalid. A reader that stops early destroys it
 * (as `for await` and `pipeline` do), which releases everything; the connection survives, so that the answer can be sent.
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
  // It may fail before it is read; a later reader gets the error.
  body.on('error', () => undefined);
  const breakOff = (error: Error) => body.destroy(unreadable(error.message));
  // Also if the client disconnects, which aborts the request.
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
  if (request.destroyed && !request.complete) breakOff(new Error('the client has disconnected'));
  return body;
}

const unreadable = (message: string) =>
  new Problem('UNREADABLE_BODY', `the body cannot be read: ${message}`);

/** Reads and discards the rest for a while, then closes the connection. */
function drain(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), DRAINED_MS);
  request.on('error', () => undefined);
  request.once('close', () => clearTimeout(timer));
  request.once('end', () => clearTimeout(timer));
  request.resume();
}
