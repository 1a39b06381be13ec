/** JSON request bodies within the limit of their route; syntax errors are reported with line and column. */
import { isUtf8 } from 'node:buffer';
import { type IncomingMessage } from 'node:http';
import { mayBeUnstorable, unstorable } from '../storable-text.js';
import { bodyStream, type ReadingLimit } from './body-stream.js';
import { hasShortBody, shortBody } from './short-body.js';
import { jsonFault } from './json-fault.js';
import { parseLargeJson } from './large-json.js';
import { invalid, Problem } from './problem.js';

/** Larger bodies are parsed in pieces, bytes: smaller ones never block for long. */
const LARGE_BYTES = 256 * 1024;

/** @throws Problem 400, 413, 415 */
export async function readJson(request: IncomingMessage, limit: ReadingLimit): Promise<unknown> {
  const bytes = await readBytes(request, limit);
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new Problem('NOT_UTF8', 'the body is not UTF-8');
  const value = bytes.length > LARGE_BYTES ? await parseLargeJson(bytes) : parseJson(bytes);
  // Fastify would treat it as a missing body.
  if (value === null) throw invalid([{ path: '', message: 'must not be null' }]);
  const fault = mayBeUnstorable(bytes) ? unstorable(value) : undefined;
  if (fault) throw invalid([fault]);
  return value;
}

/** @throws Problem 400 */
function parseJson(bytes: Buffer): unknown {
  const text = new TextDecoder().decode(bytes);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Problem('NOT_JSON', `the body is not JSON: ${whereJsonBreaks(text)}`);
  }
}

/** The raw body. @throws Problem 400, 413, 415 */
export async function readBytes(request: IncomingMessage, limit: ReadingLimit): Promise<Buffer> {
  if (hasShortBody(request, limit)) return shortBody(request, limit);
  const chunks: Buffer[] = [];
  for await (const chunk of bodyStream(request, limit)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** e.g. `InvalidSymbol at line 3, column 14`. */
function whereJsonBreaks(text: string): string {
  const { name, offset } = jsonFault(text);
  const before = text.slice(0, offset).split('\n');
  return `${name} at line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}
