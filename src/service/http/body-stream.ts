/** The bytes of a request's body as a stream, decompressed if the route takes gzip, and within its limit. */
import { type IncomingMessage } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type BodyLimit } from '../../contract/index.js';
import { SLOWEST_BODY } from '../limits/index.js';
import { Problem } from './problem.js';

/** How long a client may continue to send an unread body, ms: many clients read the answer only after sending everything. */
const DRAINED_MS = 5_000;

/** How a body is read. */
export interface ReadingLimit extends BodyLimit {
  /** In each such period at least {@link SLOWEST_BODY} bytes must arrive, or all that is left, seconds; absent: no limit. */
  readonly seconds?: number;
  readonly onSlow?: () => void;
}

/**
 * The stream fails with a Problem if the client disconnects, the gzip is invalid or the body exceeds its limit. Decompressed
 * bytes are counted as they arrive, so a gzip bomb is stopped at the limit. A reader that stops early destroys the stream
 * (as `for await` and `pipeline` do), which releases everything; the connection stays open for the answer.
 *
 * @throws Problem 413, 415
 */
export function bodyStream(request: IncomingMessage, limit: ReadingLimit): Readable {
  const { maxBytes, gzip } = limit;
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding !== 'identity' && !(gzip && encoding === 'gzip')) {
    drain(request);
    const instead = gzip ? 'gzip or none' : 'none';
    const message = `content-encoding ${encoding.slice(0, 100)} is not supported; use ${instead}`;
    throw new Problem('UNSUPPORTED_CONTENT_ENCODING', message);
  }
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
    drain(request);
    throw tooLarge(maxBytes);
  }
  let bytes = 0;
  const body = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxBytes) done(tooLarge(maxBytes));
      else done(null, chunk);
    },
  });
  // The stream may fail before anyone reads it; the reader then gets the error.
  body.on('error', () => undefined);
  const breakOff = (error: Error) => body.destroy(unreadable(error.message));
  // Also if the client disconnects, which aborts the request.
  request.once('error', breakOff);
  const gunzip = encoding === 'gzip' ? createGunzip() : undefined;
  if (gunzip) {
    gunzip.once('error', breakOff);
    request.pipe(gunzip).pipe(body);
  } else request.pipe(body);
  const stopTiming = whenSlow(request, limit, () => {
    limit.onSlow?.();
    body.destroy(new Problem('REQUEST_TIMEOUT', 'the body did not arrive in time'));
  });
  body.once('close', () => {
    stopTiming();
    request.unpipe();
    gunzip?.destroy();
    request.removeListener('error', breakOff);
    if (!request.complete) drain(request);
  });
  if (request.destroyed && !request.complete) breakOff(new Error('the client has disconnected'));
  return body;
}

/**
 * Calls `onSlow` once the client has sent less than required. A period in which nothing was read, because the consumer of
 * the body was busy, does not count against the client.
 *
 * @returns stops the watch
 */
export function whenSlow(
  request: IncomingMessage,
  { seconds }: ReadingLimit,
  onSlow: () => void,
): () => void {
  if (seconds === undefined) return () => undefined;
  let arrived = 0;
  let isOurs = false;
  const count = (chunk: Buffer) => void (arrived += chunk.length);
  const paused = () => (isOurs = true);
  request.on('data', count).on('pause', paused);
  const timer = setInterval(() => {
    const isSlow = arrived < SLOWEST_BODY && !isOurs && !request.complete;
    arrived = 0;
    isOurs = request.isPaused();
    if (isSlow) onSlow();
  }, seconds * 1000).unref();
  return () => {
    clearInterval(timer);
    request.off('data', count).off('pause', paused);
  };
}

const tooLarge = (maxBytes: number) =>
  new Problem('BODY_TOO_LARGE', `the body is over the limit of ${maxBytes} bytes`);

export const unreadable = (message: string) =>
  new Problem('UNREADABLE_BODY', `the body cannot be read: ${message}`);

/** Reads and discards the rest for a while, then closes the connection. */
export function drain(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), DRAINED_MS);
  request.on('error', () => undefined);
  request.once('close', () => clearTimeout(timer));
  request.once('end', () => clearTimeout(timer));
  request.resume();
}
