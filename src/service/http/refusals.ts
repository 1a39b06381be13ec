/** Refusals that are not ours: of the framework, and of Node's HTTP parser, as problems. */
import { type Socket } from 'node:net';
import { Problem, PROBLEM_CONTENT_TYPE, problemBody } from './problem.js';

const FRAMEWORK: Readonly<Record<string, readonly [status: number, code: string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'UNSUPPORTED_MEDIA_TYPE'],
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'BODY_TOO_LARGE'],
  FST_ERR_MAX_PARAM_LENGTH: [414, 'URI_TOO_LONG'],
};

/** @returns undefined where it is no refusal but a failure of ours */
export function frameworkProblem(error: {
  readonly code?: string;
  readonly statusCode?: number;
  readonly message: string;
}): Problem | undefined {
  const status = error.statusCode ?? 500;
  if (status < 400 || status >= 500) return undefined;
  const [known, code] = FRAMEWORK[error.code ?? ''] ?? [status, 'INVALID'];
  return new Problem(known, code, error.message);
}

/** How long a refused connection may go on sending before it is cut, ms. */
const LINGER = 1_000;

const refused = new WeakSet<Socket>();

/**
 * Answers on the bare connection what could not be read as HTTP, and closes it. What the client is still sending is
 * read and dropped first (RFC 9112, section 9.6): closing with unread bytes resets the connection, and a reset can
 * reach the client before it has read the answer.
 */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  // The parser reports each further chunk.
  if (refused.has(socket)) return;
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable)
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
      return new Problem(431, 'HEADERS_TOO_LARGE', 'the headers or the address are too long');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem(408, 'REQUEST_TIMEOUT', 'the request did not come in time');
    default:
      return new Problem(400, 'NOT_HTTP', 'this is not HTTP/1.1');
  }
}
