/**
 * `/v1.0/session`: a browser signs in with a token and gets a session, whose secret is kept in a cookie that scripts cannot
 * read. Requests that another site could forge with the cookie are refused (OWASP, Cross-Site Request Forgery Prevention).
 */
import { TLSSocket } from 'node:tls';
import '@fastify/cookie';
import { type FastifyInstance, type FastifyRequest } from 'fastify';
import {
  CONSOLE_HEADER,
  cookieOf,
  type Grants,
  secureCookieOf,
  type ServerName,
  type Session,
  type SessionApi,
} from '../../contract/index.js';
import {
  type Caller,
  createSession,
  endSession,
  findToken,
  isPerson,
  SESSION_SECONDS,
  type SessionHolder,
  type SessionOrigin,
  type SignInGuard,
} from '../access/index.js';
import { recordRequest } from '../audit/index.js';
import { type Database, type Queryable } from '../database/index.js';
import { clientAddress } from '../limits/index.js';
import { guarded } from './guarded.js';
import { Problem } from './problem.js';
import { callerOf, serve } from './serve.js';

export interface SessionContext {
  readonly database: Database;
  /** The database's time, ms. */
  readonly clock: () => number;
  readonly grants: Grants;
  readonly signIns: SignInGuard;
  /** Which server this is: cookies ignore ports, so two servers on one host need two cookies. */
  readonly server: ServerName;
  readonly sessionApi: SessionApi;
  readonly version: string;
  /** Further facts for the browser. */
  readonly facts?: Pick<Session, 'approval'> | undefined;
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The credentials of a request. */
export type Credentials =
  | { readonly kind: 'token'; readonly secret: string }
  | { readonly kind: 'session'; readonly secret: string; readonly origin: SessionOrigin };

/** A token in the header, or a session in the cookie of a browser. @throws Problem 403 */
export function credentialsOf(
  request: FastifyRequest,
  server: ServerName,
): Credentials | undefined {
  const header = request.headers['authorization-token'];
  if (typeof header === 'string' && header !== '') return { kind: 'token', secret: header };
  const session = sessionIn(request, server);
  if (session && !SAFE.has(request.method)) refuseForged(request);
  return session;
}

function sessionIn(request: FastifyRequest, server: ServerName): Credentials | undefined {
  const authority = authorityOf(request);
  // A cookie with the prefix cannot come from another port without TLS, nor from another host, so it takes precedence.
  const strict = request.cookies[secureCookieOf(server)];
  if (strict !== undefined) {
    return { kind: 'session', secret: strict, origin: { authority, secure: true } };
  }
  const plain = request.cookies[cookieOf(server)];
  // Over our own TLS, the other cookie never comes from us.
  if (plain === undefined || hasOwnTls(request)) return undefined;
  return { kind: 'session', secret: plain, origin: { authority, secure: false } };
}

const hasOwnTls = ({ raw }: FastifyRequest) => raw.socket instanceof TLSSocket;

/** Host and port that the browser has addressed. */
export const authorityOf = ({ headers }: FastifyRequest) => (headers.host ?? '').toLowerCase();

/** @throws Problem 403 */
function refuseForged({ headers }: FastifyRequest): void {
  // Browsers state a request's origin (W3C Fetch Metadata); another port of this host is another origin.
  const site = headers['sec-fetch-site'];
  if (headers[CONSOLE_HEADER] !== '1' || (site !== undefined && site !== 'same-origin')) {
    const message = `a request with a cookie must have the header ${CONSOLE_HEADER}: 1 and come from this server’s own pages`;
    throw new Problem('FORGED_REQUEST', message);
  }
}

/** Name, value and options of a session’s cookie. @param maxAge seconds */
export function sessionCookie(
  server: ServerName,
  secure: boolean,
  session: string,
  maxAge: number,
) {
  const name = secure ? secureCookieOf(server) : cookieOf(server);
  return [name, session, { ...COOKIE, secure, maxAge }] as const;
}

const COOKIE = { path: '/', httpOnly: true, sameSite: 'strict' } as const;

/** Ends all sessions of this browser. @returns their owner */
export async function endSessions(
  tx: Queryable,
  { cookies }: FastifyRequest,
  server: ServerName,
): Promise<SessionHolder | undefined> {
  const ended = [];
  for (const secret of [cookies[cookieOf(server)], cookies[secureCookieOf(server)]]) {
    if (secret !== undefined) ended.push(await endSession(tx, secret));
  }
  return ended.find((owner) => owner !== undefined);
}

/** For a rejected token. */
export const INVALID_TOKEN = 'the token is invalid, has expired or was revoked';

export function sessionRoutes(server: FastifyInstance, context: SessionContext): void {
  const { database, clock, signIns, sessionApi } = context;
  const names = { plain: cookieOf(context.server), strict: secureCookieOf(context.server) };

  serve(server, sessionApi.signIn, async ({ request, reply, body }) => {
    refuseForged(request);
    const secret = body.token.trim();
    const attempt = { kind: 'token', address: clientAddress(request.ip), secret } as const;
    const token = await guarded(signIns, attempt, server.requestLimits.refused, async () => {
      const found = await findToken(database, secret, clock());
      if (!found) throw new Problem('UNAUTHORIZED', INVALID_TOKEN);
      return found;
    });
    const secure = hasOwnTls(request) || (request.headers.origin?.startsWith('https://') ?? false);
    const origin = { authority: authorityOf(request), secure };
    const now = clock();
    const { role, scopes } = token;
    const session = await database.transaction(async (tx) => {
      await endSessions(tx, request, context.server);
      await recordRequest(tx, now, { by: token, detail: { role, ...(scopes ? { scopes } : {}) } });
      return createSession(tx, { tokenId: token.id }, origin, now);
    });
    reply.setCookie(...sessionCookie(context.server, secure, session, SESSION_SECONDS));
    return sessionBody(token, context);
  });

  serve(server, sessionApi.getSession, ({ request }) => sessionBody(callerOf(request), context));

  serve(server, sessionApi.signOut, async ({ request, reply }) => {
    refuseForged(request);
    await database.transaction(async (tx) => {
      const owner = await endSessions(tx, request, context.server);
      await recordRequest(tx, clock(), { by: owner ?? NOBODY });
    });
    reply.clearCookie(names.plain, COOKIE);
    if (request.cookies[names.strict] !== undefined) {
      reply.clearCookie(names.strict, { ...COOKIE, secure: true });
    }
  });
}

/** The actor of a sign-out without a session. */
const NOBODY = { id: '', name: '' };

const sessionBody = (caller: Caller, { grants, server, version, facts }: SessionContext) => ({
  name: caller.name,
  role: caller.role,
  permissions: [...(grants[caller.role] ?? [])],
  scopes: caller.scopes,
  server,
  version,
  signedInBy: isPerson(caller) ? ('single-sign-on' as const) : ('token' as const),
  ...facts,
});
