/**
 * Reads a request body of a few kilobytes, such as a vehicle's manifest, without the streams of `bodyStream`, which cost as
 * much as the rest of such a request. Limits and errors are the same.
 */
import { type IncomingMessage } from 'node:http';
import { drain, type ReadingLimit, unreadable, whenSlow } from './body-stream.js';
import { Problem } from './problem.js';

/** bytes */
const SHORT = 64 * 1024;

/** Whether the length is stated, short and within the limit, and nothing has to be decompressed. */
export function hasShortBody({ headers }: IncomingMessage, { maxBytes }: ReadingLimit): boolean {
  const length = headers['content-length'];
  if (length === undefined || headers['content-encoding'] !== undefined) return false;
  return Number(length) <= Math.min(SHORT, maxBytes);
}

/** @returns at most as many bytes as the header states, which Node's parser ensures @throws Problem 400, 408 */
export function shortBody(request: IncomingMessage, limit: ReadingLimit): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const take = (chunk: Buffer) => void chunks.push(chunk);
    const end = () => {
      release();
      const [only = Buffer.alloc(0)] = chunks;
      resolve(chunks.length > 1 ? Buffer.concat(chunks) : only);
    };
    const fail = (error: Error) => {
      release();
      if (!request.complete) drain(request);
      reject(error);
    };
    // Also if the client disconnects, which aborts the request.
    const breakOff = (error: Error) => fail(unreadable(error.message));
    const stopTiming = whenSlow(request, limit, () => {
      limit.onSlow?.();
      fail(new Problem('REQUEST_TIMEOUT', 'the body did not arrive in time'));
    });
    const release = () => {
      stopTiming();
      request.off('data', take).off('end', end).off('error', breakOff);
    };
    request.on('data', take).on('end', end).on('error', breakOff);
    if (request.destroyed && !request.complete) {
      breakOff(new Error('the client has disconnected'));
    }
  });
}
