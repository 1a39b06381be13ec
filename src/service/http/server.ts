/** The common base of both HTTP interfaces: JSON, tokens, problem documents, an OpenAPI document. */
import { type Socket } from 'node:net';
import { type Server as TlsServer } from 'node:tls';
import cookie from '@fastify/cookie';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { type Logger } from 'pino';
import { type TSchema } from '../../contract/typebox.js';
import {
  type Grants,
  PROBLEM_CONTENT_TYPE,
  type ServerName,
  type Session,
  type SessionApi,
} from '../../contract/index.js';
import { type Caller, findSession, findToken, mayDo, type SignInGuard } from '../access/index.js';
import { type AttemptLog } from '../audit/index.js';
import { WrongClock } from '../clock/index.js';
import { type Database, DatabaseError } from '../database/index.js';
import {
  clientAddress,
  DEFAULT_HTTP_LIMITS,
  type HttpLimit,
  type HttpLimits,
} from '../limits/index.js';
import { type OpenedSignOn } from '../sign-on/index.js';
import { DEFAULT_HSTS_SECONDS, type ServerCertificate } from '../tls/index.js';
import { bodyLimitOf } from './body-kinds.js';
import { type Access, AccessWatch } from './access-watch.js';
import { noteRefusal } from './audited.js';
import { consoleRoutes } from './console.js';
import { databaseProblem, isRefusedValue } from './database-problem.js';
import { readJson } from './json-body.js';
import { methodsByPath } from './other-methods.js';
import { Problem, problemBody } from './problem.js';
import { parseQuery } from './query-text.js';
import { frameworkProblem, refuseUnreadable } from './refusals.js';
import { requireFreshSignIn } from './fresh-sign-in.js';
import { guarded } from './guarded.js';
import { limitConnections, RequestLimits } from './request-limits.js';
import {
  findInScope,
  lookUpOf,
  refuseSpanning,
  type ScopeLookUps,
  UNCHECKED_RULES,
} from './scoped.js';
import { type Credentials, credentialsOf, INVALID_TOKEN, sessionRoutes } from './session.js';
import { signOnRoutes } from './sign-on.js';
import { validatorOf } from './validator.js';
import { type VehicleDoor } from './vehicle-door.js';

export type Server = FastifyInstance;

export interface ServerOptions {
  /** Holds the tokens. */
  readonly database: Database;
  /** The database's time, ms. */
  readonly clock: () => number;
  readonly log: Logger;
  /** Permissions of each role. */
  readonly grants: Grants;
  /** Which server this is. */
  readonly name: ServerName;
  /** How browsers sign in, with this server's roles. */
  readonly sessionApi: SessionApi;
  /** Further facts for a browser that signs in. */
  readonly facts?: Pick<Session, 'approval'>;
  readonly version: string;
  /** Makes its OpenAPI document. */
  readonly document: () => object;
  /** Called after each answered request; the route is a pattern, e.g. `/v1.0/tokens/:id`. */
  readonly onAnswered?: (method: string, route: string, status: number) => void;
  readonly limits?: HttpLimits | undefined;
  /** Port for vehicles with client certificates; absent: not opened. */
  readonly vehicles?: VehicleDoor | undefined;
  /** Refused attempts, for the audit log. */
  readonly attempts: AttemptLog;
  /** Undefined: plain HTTP. */
  readonly certificate?: ServerCertificate | undefined;
  /** See `TlsSettings`. */
  readonly hstsSeconds?: number | undefined;
  /** Undefined: browsers sign in with tokens only. */
  readonly signOn?: OpenedSignOn | undefined;
  /** Slows down guessing of tokens and sessions. */
  readonly signIns: SignInGuard;
  /** Called for each connection or request that a limit has refused. */
  readonly onRefused?: (limit: HttpLimit) => void;
  /** Called for each request value that only the database refused: a gap in our validation. */
  readonly onRefusedValue?: (route: string, sqlState: string) => void;
  /** Finds what paths name, for callers who are limited to vehicle models. */
  readonly scopes: ScopeLookUps;
}

/** Swagger UI sets styles from its script, and has its icons as data. */
const DOCS_POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'font-src': "'self'",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
};

/** Maximum length of an address, characters; all headers together may have four times as many bytes. */
const MAX_URL = 16 * 1024;

/** How often Node looks for requests whose headers are late, ms. */
const CHECKING_MS = 1_000;

/** A server without routes; add them, then await `ready()`. */
export async function createServer(options: ServerOptions): Promise<Server> {
  const limits = options.limits ?? DEFAULT_HTTP_LIMITS;
  const refused = options.onRefused ?? (() => undefined);
  const http = {
    maxHeaderSize: 4 * MAX_URL,
    headersTimeout: limits.headersSeconds * 1000,
    connectionsCheckingInterval: CHECKING_MS,
  };
  const { certificate } = options;
  const server = Fastify({
    loggerInstance: options.log as Logger & { msgPrefix?: string },
    logController: new LogController({ disableRequestLogging: true }),
    // No separate logger per request: only failures are logged.
    childLoggerFactory: (logger) => logger,
    // Each route has its own, which `bodyStream` enforces.
    bodyLimit: Number.MAX_SAFE_INTEGER,
    ...(certificate ? { https: { ...http, ...tlsOptions(certificate, limits) } } : { http }),
    routerOptions: {
      // A ref-id of 256 characters, percent-encoded.
      maxParamLength: 256 * 12,
      querystringParser: parseQuery,
    },
    // Bodies have a minimum rate instead, because an upload may take hours.
    requestTimeout: 0,
    trustProxy: [...limits.trustedProxies],
    clientErrorHandler: (error, socket) => {
      if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') refused('http-slow-headers');
      refuseUnreadable(error, socket);
    },
    frameworkErrors: (error, _request, reply) =>
      void answer(reply as FastifyReply, asProblem(error)),
  }) as unknown as Server;
  limitConnections(server, limits, refused);
  const { attempts, database, clock } = options;
  server.decorate('auditTrail', { attempts, database, clock });
  if (certificate) speakTls(server, certificate, options.hstsSeconds ?? DEFAULT_HSTS_SECONDS);
  server.decorate('requestLimits', new RequestLimits(limits, refused));
  const methodsOf = methodsByPath(server);

  server.setValidatorCompiler(({ schema, httpPart }) =>
    validatorOf(schema as TSchema, httpPart as Parameters<typeof validatorOf>[1]),
  );
  // Answers are our own and need no filtering: JSON.stringify is fast enough and drops no field.
  server.setSerializerCompiler(() => (data) => JSON.stringify(data));
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', (request: FastifyRequest) =>
    readJson(request.raw, bodyLimitOf(request)),
  );

  // Registered before our own hooks, which need the cookies.
  await server.register(cookie);
  server.addHook('onRequest', (request, _reply, done) => {
    const isTooLong = (request.raw.url ?? '').length > MAX_URL;
    done(isTooLong ? new Problem('URI_TOO_LONG', 'the address is too long') : undefined);
  });
  server.addHook('onRequest', (request, reply, done) => {
    const [path = ''] = request.url.split('?');
    const allowed = methodsOf(path, request.is404 ? undefined : request.routeOptions.url);
    const isAllowed = allowed?.includes(request.method) ?? true;
    if (allowed && !isAllowed) reply.header('allow', allowed.join(', '));
    done(
      isAllowed ? undefined : new Problem('METHOD_NOT_ALLOWED', `there is no ${asked(request)}`),
    );
  });
  const watch = new AccessWatch(options.database, options.clock);
  server.addHook('onClose', () => watch.stop());
  server.addHook('onRequest', async (request, reply) => {
    const access = await authorize(request, options);
    if (access) watch.add(reply.raw, access);
  });
  // When the server starts, not at the first request: checks that the rule of each route can be enforced.
  server.addHook('onRoute', ({ config }) => {
    const rule = config?.scope;
    if (rule !== undefined && !UNCHECKED_RULES.has(rule)) lookUpOf(options.scopes, rule);
  });
  // After validation, so that the path's parameters are valid.
  server.addHook('preHandler', (request) => findInScope(request, options.scopes));
  server.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    options.onAnswered?.(request.method, route, reply.statusCode);
    done();
  });
  server.setErrorHandler<FastifyError | DatabaseError>((error, request, reply) => {
    const problem = asProblem(error);
    noteRefusal(request, problem);
    if (problem.status >= 500) {
      request.log.error({ reqId: request.id, err: error }, 'request failed');
    }
    if (error instanceof DatabaseError && isRefusedValue(error)) {
      request.log.error(
        { reqId: request.id, err: error },
        'the database refused a value that had passed validation',
      );
      options.onRefusedValue?.(request.routeOptions.url ?? 'unknown', error.code ?? '');
    }
    return answer(reply, problem);
  });

  server.setNotFoundHandler((request, reply) =>
    answer(reply, new Problem('NOT_FOUND', `there is no ${asked(request)}`)),
  );

  await server.register(swagger, {
    mode: 'static',
    specification: { document: lazily(options.document) as never },
  });
  await server.register(swaggerUi, { routePrefix: '/docs', staticCSP: DOCS_POLICY });
  sessionRoutes(server, { ...options, server: options.name });
  signOnRoutes(server, { ...options, server: options.name });
  await consoleRoutes(server);
  return server;
}

/** A start does not wait for the document: it is made when it is first asked for, as JSON or YAML. */
function lazily(make: () => object): { toJSON(): object } {
  let made: object | undefined;
  return { toJSON: () => (made ??= make()) };
}

const tlsOptions = (certificate: ServerCertificate, { headersSeconds }: HttpLimits) => ({
  ...certificate.context,
  // A slow handshake gets no more time than slow headers.
  handshakeTimeout: headersSeconds * 1000,
});

function speakTls(server: Server, certificate: ServerCertificate, hstsSeconds: number): void {
  const secure = server.server as unknown as TlsServer;
  certificate.onChange((context) => secure.setSecureContext(context));
  endHandshakes(server, secure);
  if (hstsSeconds === 0) return;
  server.addHook('onRequest', (_request, reply, done) => {
    // RFC 6797: for this host, on all of its ports; not for its subdomains.
    reply.header('strict-transport-security', `max-age=${hstsSeconds}`);
    done();
  });
}

/** When stopping: closes connections without a complete handshake, for which the HTTP server would wait. */
function endHandshakes(server: Server, secure: TlsServer): void {
  const handshaking = new Map<string, Socket>();
  const keyOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;
  secure.on('connection', (socket: Socket) => {
    const key = keyOf(socket);
    handshaking.set(key, socket);
    socket.once('close', () => {
      if (handshaking.get(key) === socket) handshaking.delete(key);
    });
  });
  secure.on('secureConnection', (socket) => handshaking.delete(keyOf(socket)));
  server.addHook('preClose', (done) => {
    for (const socket of handshaking.values()) socket.destroy();
    done();
  });
}

/** How long answers in progress may take when the server stops, ms; then their connections are closed. */
const GRACE_MS = 2_000;

/** Accepts no more requests; resolves when those in progress are answered or their connections closed. */
export async function closeServer(server: Server): Promise<void> {
  const cut = setTimeout(() => server.server.closeAllConnections(), GRACE_MS);
  await server.close().finally(() => clearTimeout(cut));
}

const asked = ({ method, url }: FastifyRequest) => `${method} ${url.slice(0, 200)}`;

/** @returns the authentication of the caller; undefined: the route is open to anyone */
async function authorize(
  request: FastifyRequest,
  options: ServerOptions,
): Promise<Access | undefined> {
  const { permission, scope, freshSignIn } = request.routeOptions.config;
  if (options.vehicles?.isAt(request)) {
    await options.vehicles.admit(request);
    return undefined;
  }
  if (permission === undefined) return undefined;
  const credentials = credentialsOf(request, options.name);
  if (credentials === undefined) {
    throw new Problem('UNAUTHORIZED', 'the header authorization-token is missing');
  }
  const { caller, access, authenticatedAt } = await guarded(
    options.signIns,
    { kind: credentials.kind, address: clientAddress(request.ip), secret: credentials.secret },
    request.server.requestLimits.refused,
    () => find(credentials, options),
  );
  request.caller = caller;
  const { grants } = options;
  if (!mayDo(grants, caller.role, permission)) {
    const message = `a token with role ${caller.role} may not ${permission}`;
    throw new Problem('FORBIDDEN', message);
  }
  refuseSpanning(caller.scopes, scope);
  if (freshSignIn) requireFreshSignIn(authenticatedAt, options.clock());
  return access;
}

interface Found {
  readonly caller: Caller;
  readonly access: Access;
  /** See `FoundSession`. */
  readonly authenticatedAt: number | undefined;
}

/** @throws Problem 401 */
async function find(credentials: Credentials, { database, clock }: ServerOptions): Promise<Found> {
  if (credentials.kind === 'session') {
    const { secret, origin } = credentials;
    const found = await findSession(database, secret, origin, clock());
    if (!found) throw new Problem('UNAUTHORIZED', 'the session has ended; sign in again');
    const { caller, hash, authenticatedAt } = found;
    return { caller, access: { session: hash, scopes: caller.scopes }, authenticatedAt };
  }
  const token = await findToken(database, credentials.secret, clock());
  if (!token) throw new Problem('UNAUTHORIZED', INVALID_TOKEN);
  const { id: tokenId, scopes } = token;
  return { caller: token, access: { tokenId, scopes }, authenticatedAt: undefined };
}

function answer(reply: FastifyReply, problem: Problem) {
  const { retryAfterSeconds } = problem;
  if (retryAfterSeconds !== undefined) reply.header('retry-after', Math.ceil(retryAfterSeconds));
  return reply.code(problem.status).type(PROBLEM_CONTENT_TYPE).send(problemBody(problem));
}

function asProblem(error: FastifyError | Problem | DatabaseError): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof WrongClock) return new Problem('CLOCK_WRONG', error.message);
  const problem = error instanceof DatabaseError ? databaseProblem(error) : frameworkProblem(error);
  return problem ?? new Problem('INTERNAL_ERROR', 'internal error; see the server log');
}
