/** JSON request bodies, optionally compressed with gzip, within a limit; syntax errors are reported with line and column. */
import { type IncomingMessage } from 'node:http';
import { visit, printParseErrorCode } from 'jsonc-parser';
import { mayBeUnstorable, unstorable } from '../storable-text.js';
import { bodyStream } from './body-stream.js';
import { invalid, Problem } from './problem.js';

/** Largest body, before and after decompression, in bytes. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** @throws Problem 400, 413, 415 */
export async function readJson(
  request: IncomingMessage,
  maxBytes: number = MAX_BODY_BYTES,
): Promise<unknown> {
  const text = decodeUtf8(await readBytes(request, maxBytes));
  if (text === '') return undefined;
  const value = parseJson(text);
  // Fastify would treat it as a missing body.
  if (value === null) throw invalid([{ path: '', message: 'must not be null' }]);
  const fault = mayBeUnstorable(text) ? unstorable(value) : undefined;
  if (fault) throw invalid([fault]);
  return value;
}

/** @throws Problem 400 */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Problem('NOT_JSON', `the body is not JSON: ${whereJsonBreaks(text)}`);
  }
}

/** A body as it is, within a limit. @throws Problem 400, 413, 415 */
export async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const body = bodyStream(request);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
    body.destroy();
    throw tooLarge(maxBytes);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += (chunk as Buffer).length;
    // Decompression of a gzip bomb stops at the limit.
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

const tooLarge = (maxBytes: number) =>
  new Problem('BODY_TOO_LARGE', `the body is over the limit of ${maxBytes} bytes`);

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Problem('NOT_UTF8', 'the body is not UTF-8');
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
    // The scanner itself fails on deeply nested text.
    if (error !== stop) return 'it is nested too deep';
  }
  return first ?? 'it cannot be parsed';
}
