/**
 * `/v1.0/session`: a browser signs in with a token, which it then keeps in a cookie that no script can read. What a
 * cookie alone could be made to do from another site is refused (OWASP, Cross-Site Request Forgery Prevention).
 */
import '@fastify/cookie';
import { type FastifyInstance, type FastifyRequest } from 'fastify';
import Type from 'typebox';
import { Text } from '../../contract/index.js';
import { findToken, type Grants, type Token } from '../access/index.js';
import { type Database } from '../database/index.js';
import { Problem } from './problem.js';
import { callerOf, describeRoute, empty, json } from './route.js';

export interface SessionContext {
  readonly database: Database;
  readonly grants: Grants;
  /** Which server this is; two on one host have two cookies, because cookies know no ports. */
  readonly server: ServerName;
  readonly version: string;
  /** What a browser should know of it besides. */
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
}

export type ServerName = 'adapter' | 'carota';

/** Seconds; whoever watches longer signs in once a day. */
const LIFETIME = 24 * 60 * 60;
/** A form of another site cannot send it, and a script of another site is not allowed to. */
const CONSOLE_HEADER = 'x-otaops-console';
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

const cookieOf = (server: ServerName) => `otaops_${server}`;

const SignIn = Type.Object(
  { token: Text(1_000, 'A token of this server.', 1) },
  { additionalProperties: false },
);
const Session = Type.Object(
  {
    name: Type.String({ description: 'Of the token.' }),
    role: Type.String(),
    permissions: Type.Array(Type.String()),
    server: Type.Enum(['adapter', 'carota']),
    version: Type.String(),
  },
  { title: 'Session', additionalProperties: true },
);
const tags = ['Session'];

/** The secret that a request brings: in the header, or in the cookie of a browser. */
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
  // Browsers say where a request comes from (W3C Fetch Metadata); another port of this host is another origin.
  const site = headers['sec-fetch-site'];
  if (headers[CONSOLE_HEADER] !== '1' || (site !== undefined && site !== 'same-origin')) {
    const message = `a request by cookie needs the header ${CONSOLE_HEADER}: 1, and comes from this server’s own pages`;
    throw new Problem(403, 'FORGED_REQUEST', message);
  }
}

export function sessionRoutes(server: FastifyInstance, context: SessionContext): void {
  const name = cookieOf(context.server);
  const options = { path: '/', httpOnly: true, sameSite: 'strict' } as const;

  server.post<{ Body: Type.Static<typeof SignIn> }>(
    '/v1.0/session',
    describeRoute(undefined, {
      tags,
      summary: 'Sign in a browser: the token becomes a cookie that scripts cannot read',
      description: `With the cookie, whatever changes something needs the header ${CONSOLE_HEADER}: 1.`,
      body: SignIn,
      response: { 200: json(Session, 'Who it is.') },
    }),
    async (request, reply) => {
      refuseForged(request);
      const secret = request.body.token.trim();
      const token = await findToken(context.database, secret);
      if (!token) throw new Problem(401, 'UNAUTHORIZED', 'the token is not known, or was revoked');
      const secure = request.headers.origin?.startsWith('https://') ?? false;
      reply.setCookie(name, secret, { ...options, secure, maxAge: LIFETIME });
      return sessionBody(token, context);
    },
  );

  server.get(
    '/v1.0/session',
    describeRoute('any', {
      tags,
      summary: 'Who is signed in, and what he may do',
      response: { 200: json(Session, 'Who it is.') },
    }),
    (request) => sessionBody(callerOf(request), context),
  );

  server.delete(
    '/v1.0/session',
    describeRoute(undefined, {
      tags,
      summary: 'Sign out',
      response: { 204: empty('Signed out.') },
    }),
    async (request, reply) => {
      refuseForged(request);
      return reply.clearCookie(name, options).code(204).send();
    },
  );
}

const sessionBody = (token: Token, { grants, server, version, facts }: SessionContext) => ({
  name: token.name,
  role: token.role,
  permissions: grants[token.role] ?? [],
  server,
  version,
  ...facts,
});
