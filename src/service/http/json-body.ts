/** Request bodies: JSON, optionally gzip, within a limit; what is no JSON is told by line and column. */
import { type IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { visit, printParseErrorCode } from 'jsonc-parser';
import { Problem } from './problem.js';

/** Largest body, before and after decompression, in bytes. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** @throws Problem 400, 413, 415 */
export async function readJson(
  request: IncomingMessage,
  maxBytes: number = MAX_BODY_BYTES,
): Promise<unknown> {
  const text = decodeUtf8(await readBytes(request, maxBytes));
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Problem(400, 'NOT_JSON', `the body is not JSON: ${whereJsonBreaks(text)}`);
  }
}

/** The request's bytes as they are, decompressed where it says gzip. @throws Problem 415 */
export function bodyStream(request: IncomingMessage): NodeJS.ReadableStream {
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding === 'identity') return request;
  if (encoding !== 'gzip') {
    const message = `content-encoding ${encoding} is not supported; use gzip or none`;
    throw new Problem(415, 'UNSUPPORTED_CONTENT_ENCODING', message);
  }
  return pipeline(request, createGunzip(), () => undefined);
}

/** A body as it is, within a limit. @throws Problem 400, 413, 415 */
export async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of bodyStream(request)) {
      bytes += (chunk as Buffer).length;
      // A gzip bomb is given up as soon as it passes the limit, not when it has unfolded.
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(
      400,
      'UNREADABLE_BODY',
      `the body cannot be read: ${(error as Error).message}`,
    );
  }
  return Buffer.concat(chunks);
}

const tooLarge = (maxBytes: number) =>
  new Problem(413, 'BODY_TOO_LARGE', `the body is over the limit of ${maxBytes} bytes`);

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Problem(400, 'NOT_UTF8', 'the body is not UTF-8');
  }
}

/** e.g. `InvalidSymbol at line 3, column 14`. */
function whereJsonBreaks(text: string): string {
  let first: string | undefined;
  const stop = new Error('stop');
  try {
    visit(
      text,
      {
        onError: (error, _offset, _length, line, character) => {
          first = `${printParseErrorCode(error)} at line ${line + 1}, column ${character + 1}`;
          throw stop;
        },
      },
      { disallowComments: true, allowTrailingComma: false },
    );
  } catch (error) {
    // A text nested too deep for the scanner is still answered.
    if (error !== stop) return 'it is nested too deep';
  }
  return first ?? 'it cannot be parsed';
}
