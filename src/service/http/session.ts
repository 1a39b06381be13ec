/**
 * `/v1.0/session`: a browser signs in with a token, which is then kept in a cookie that scripts cannot read. Requests that
 * another site could forge with the cookie are refused (OWASP, Cross-Site Request Forgery Prevention).
 */
import '@fastify/cookie';
import { type FastifyInstance, type FastifyRequest } from 'fastify';
import {
  CONSOLE_HEADER,
  cookieOf,
  type Grants,
  type ServerName,
  type Session,
  sessionApi,
} from '../../contract/index.js';
import { findToken, type Token } from '../access/index.js';
import { type Database } from '../database/index.js';
import { Problem } from './problem.js';
import { callerOf, serve } from './serve.js';

export interface SessionContext {
  readonly database: Database;
  readonly grants: Grants;
  /** Which server this is: cookies ignore ports, so two servers on one host need two cookies. */
  readonly server: ServerName;
  readonly version: string;
  /** Further facts for the browser. */
  readonly facts?: Pick<Session, 'approval'> | undefined;
}

/** Duration of a session, seconds. */
const LIFETIME = 24 * 60 * 60;
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The token of a request, from the header or a browser's cookie. */
export function secretOf(request: FastifyRequest, server: ServerName): string | undefined {
  const header = request.headers['authorization-token'];
  if (typeof header === 'string' && header !== '') return header;
  const secret = request.cookies[cookieOf(server)];
  if (secret === undefined) return undefined;
  if (!SAFE.has(request.method)) refuseForged(request);
  return secret;
}

/** @throws Problem 403 */
function refuseForged({ headers }: FastifyRequest): void {
  // Browsers state a request's origin (W3C Fetch Metadata); another port of this host is another origin.
  const site = headers['sec-fetch-site'];
  if (headers[CONSOLE_HEADER] !== '1' || (site !== undefined && site !== 'same-origin')) {
    const message = `a request by cookie needs the header ${CONSOLE_HEADER}: 1, and comes from this server’s own pages`;
    throw new Problem('FORGED_REQUEST', message);
  }
}

export function sessionRoutes(server: FastifyInstance, context: SessionContext): void {
  const name = cookieOf(context.server);
  const options = { path: '/', httpOnly: true, sameSite: 'strict' } as const;

  serve(server, sessionApi.signIn, async ({ request, reply, body }) => {
    refuseForged(request);
    const secret = body.token.trim();
    const token = await findToken(context.database, secret);
    if (!token) throw new Problem('UNAUTHORIZED', 'the token is invalid or was revoked');
    const secure = request.headers.origin?.startsWith('https://') ?? false;
    reply.setCookie(name, secret, { ...options, secure, maxAge: LIFETIME });
    return sessionBody(token, context);
  });

  serve(server, sessionApi.getSession, ({ request }) => sessionBody(callerOf(request), context));

  serve(server, sessionApi.signOut, ({ request, reply }) => {
    refuseForged(request);
    reply.clearCookie(name, options);
  });
}

const sessionBody = (token: Token, { grants, server, version, facts }: SessionContext) => ({
  name: token.name,
  role: token.role,
  permissions: [...(grants[token.role] ?? [])],
  server,
  version,
  ...facts,
});
