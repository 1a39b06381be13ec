/** Content that never changes, in whole or in part (RFC 9110, sections 13 and 14). */
import { type FastifyReply } from 'fastify';
import { Problem } from '../../service/http/index.js';
import { type ByteRange, requestedRange } from '../artifacts/index.js';

/** The content may be cached for a year. */
export const CACHE = 'public, max-age=31536000, immutable';

export interface ContentHeaders {
  readonly range?: string | undefined;
  readonly 'if-range'?: string | undefined;
  readonly 'if-none-match'?: string | undefined;
}

export interface Content {
  /** Names the content. */
  readonly digest: string;
  /** bytes */
  readonly size: number;
}

export interface ContentPart {
  /** bytes */
  readonly length: number;
  /** `undefined`: all of it. */
  readonly range: ByteRange | undefined;
}

/** Writes status and headers. @returns the content to send; `undefined`: the client already has it. @throws Problem */
export function answerContent(
  reply: FastifyReply,
  headers: ContentHeaders,
  { digest, size }: Content,
): ContentPart | undefined {
  const etag = `"${digest}"`;
  reply.headers({ etag, 'accept-ranges': 'bytes', 'cache-control': CACHE });
  const { 'if-none-match': ifNoneMatch, 'if-range': ifRange } = headers;
  if (ifNoneMatch === etag || ifNoneMatch === '*') {
    reply.code(304);
    return undefined;
  }
  // Ranges are GET's (RFC 9110, section 14.2).
  const asked = reply.request.method === 'HEAD' ? undefined : headers.range;
  const requested = requestedRange(asked, ifRange, etag, size);
  if (requested.kind === 'not satisfiable') {
    reply.header('content-range', `bytes */${size}`);
    throw new Problem('RANGE_NOT_SATISFIABLE', `the content has ${size} bytes`);
  }
  const range = requested.kind === 'part' ? requested.range : undefined;
  const length = range ? range.to - range.from + 1 : size;
  if (range) {
    reply.code(206).header('content-range', `bytes ${range.from}-${range.to}/${size}`);
  }
  reply.headers({ 'content-type': 'application/octet-stream', 'content-length': length });
  return { length, range };
}

/** The content cannot be sent after all; the error that replaces it must not be cached like the content. */
export function withdrawContent(reply: FastifyReply): void {
  for (const name of HEADERS) reply.removeHeader(name);
}

const HEADERS = [
  'etag',
  'accept-ranges',
  'cache-control',
  'content-range',
  'content-type',
  'content-length',
];
