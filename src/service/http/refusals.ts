/** Refusals by the framework and by Node's HTTP parser, as problem documents. */
import { type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type ErrorCode, PROBLEM_CONTENT_TYPE } from '../../contract/index.js';
import { invalid, Problem, problemBody } from './problem.js';

const FRAMEWORK: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_MAX_PARAM_LENGTH: 'URI_TOO_LONG',
};

const NOT_ENCODED = 'the path of the address must be percent-encoded UTF-8 (RFC 3986, section 2.1)';

/** @returns undefined if it is an internal failure rather than a refusal */
export function frameworkProblem(error: {
  readonly code?: string;
  readonly statusCode?: number;
  readonly message: string;
}): Problem | undefined {
  const status = error.statusCode ?? 500;
  if (status < 400 || status >= 500) return undefined;
  // No route is known yet, hence no parameter either: the path is at fault as a whole.
  if (error.code === 'FST_ERR_BAD_URL') return invalid([{ path: '', message: NOT_ENCODED }]);
  const code = FRAMEWORK[error.code ?? ''];
  return code === undefined
    ? new Problem('INVALID', error.message, { status })
    : new Problem(code, error.message);
}

/** How long a refused connection may continue to send before it is closed, ms. */
const LINGER = 1_000;

const refused = new WeakSet<Socket>();

/**
 * Answers a request that is not valid HTTP directly on the connection, and closes it. Data that the client is still sending
 * is read and discarded first (RFC 9112, section 9.6): closing with unread bytes resets the connection, and the reset may
 * reach the client before it has read the answer.
 */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  // The parser reports each further chunk.
  if (refused.has(socket)) return;
  // Without a complete TLS handshake, no answer can be sent.
  const isUnprotected = socket instanceof TLSSocket && socket.getProtocol() === null;
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable || isUnprotected)
    return void socket.destroy();
  refused.add(socket);
  const problem = parserProblem(error);
  const body = JSON.stringify(problemBody(problem));
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${problem.code}`,
      `content-type: ${PROBLEM_CONTENT_TYPE}`,
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  );
  const cut = setTimeout(() => socket.destroy(), LINGER);
  socket.once('end', () => socket.destroySoon()).once('close', () => clearTimeout(cut));
}

function parserProblem({ code }: NodeJS.ErrnoException): Problem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new Problem('HEADERS_TOO_LARGE', 'the headers or the address are too long');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem('REQUEST_TIMEOUT', 'the request was not received in time');
    default:
      return new Problem('NOT_HTTP', 'this is not HTTP/1.1');
  }
}
