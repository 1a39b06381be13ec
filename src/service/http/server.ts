/** An HTTP interface of ours: JSON in and out, tokens, problems as answers, its own OpenAPI document. */
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
import Type, { type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { checkOf } from '../../protocol/index.js';
import { findToken, type Grants, mayDo } from '../access/index.js';
import { type Database, DatabaseError } from '../database/index.js';
import { consoleRoutes } from './console.js';
import { MAX_BODY_BYTES, readJson } from './json-body.js';
import { secretOf, type ServerName, sessionRoutes } from './session.js';
import { invalid, Problem, PROBLEM_CONTENT_TYPE, problemBody } from './problem.js';

export type Server = FastifyInstance;

export interface ServerOptions {
  /** Where its tokens are. */
  readonly database: Database;
  readonly log: Logger;
  /** What each role may do. */
  readonly grants: Grants;
  /** Which server this is. */
  readonly name: ServerName;
  /** What a browser that signs in should know of it besides. */
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly title: string;
  readonly description: string;
  readonly version: string;
  /** Groups of routes in the OpenAPI document, in its order. */
  readonly tags: readonly string[];
  /** What this server posts to others, for the OpenAPI document. */
  readonly webhooks?: Readonly<Record<string, object>>;
  /** Hears of each request that was answered; the route as it is written, e.g. `/v1.0/tokens/:id`. */
  readonly onAnswered?: (method: string, route: string, status: number) => void;
}

/** A server without routes; `ready()` is to be awaited when it has them. */
export async function createServer(options: ServerOptions): Promise<Server> {
  const server = Fastify({
    loggerInstance: options.log as Logger & { msgPrefix?: string },
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    // A ref-id of 256 characters, percent-encoded.
    routerOptions: { maxParamLength: 256 * 12 },
    requestTimeout: 0,
    frameworkErrors: (error, _request, reply) =>
      void answer(reply as FastifyReply, asProblem(error)),
  }) as unknown as Server;

  server.setValidatorCompiler(({ schema, httpPart }) => validator(schema as TSchema, httpPart));
  // Answers are made by us and need no filter; JSON.stringify is quick enough and hides nothing.
  server.setSerializerCompiler(() => (data) => JSON.stringify(data));
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', (request: FastifyRequest) =>
    readJson(request.raw),
  );

  // Cookies are read before the first of our own hooks.
  await server.register(cookie);
  server.addHook('onRequest', (request) => authorize(request, options));
  server.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    options.onAnswered?.(request.method, route, reply.statusCode);
    done();
  });
  server.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = asProblem(error);
    if (problem.status >= 500) request.log.error({ err: error }, 'request failed');
    return answer(reply, problem);
  });
  server.setNotFoundHandler((request, reply) =>
    answer(reply, new Problem(404, 'NOT_FOUND', `there is no ${request.method} ${request.url}`)),
  );

  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: options.title,
        version: options.version,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
        description: options.description,
      },
      components: {
        securitySchemes: {
          token: { type: 'apiKey', in: 'header', name: 'authorization-token' },
        },
      },
      tags: [...options.tags, 'Session', 'Live', 'Service'].map((name) => ({ name })),
      ...(options.webhooks === undefined ? {} : { webhooks: options.webhooks }),
    },
  });
  await server.register(swaggerUi, { routePrefix: '/docs' });
  sessionRoutes(server, { ...options, server: options.name });
  await consoleRoutes(server);
  return server;
}

/**
 * Query parameters are text and are converted first; everything else must have its type. What is not
 * given has its default.
 */
function validator(schema: TSchema, httpPart: string | undefined) {
  const check = checkOf(schema);
  const isQuery = httpPart === 'querystring';
  // A million VINs are not searched for defaults that they do not have.
  const hasDefaults = JSON.stringify(schema).includes('"default":');
  const mayBeAbsent = httpPart === 'body' && Type.IsOptional(schema);
  return (data: unknown) => {
    if (mayBeAbsent && (data === undefined || data === null)) return { value: data };
    const filled = hasDefaults ? Value.Default(schema, data) : data;
    const value = isQuery ? Value.Convert(schema, filled) : filled;
    return check.matches(value) ? { value } : { error: invalid(check.errors(value)) };
  };
}

async function authorize(
  request: FastifyRequest,
  { database, grants, name }: ServerOptions,
): Promise<void> {
  const permission = request.routeOptions.config.permission;
  if (permission === undefined) return;
  const secret = secretOf(request, name);
  if (secret === undefined) {
    throw new Problem(401, 'UNAUTHORIZED', 'the header authorization-token is missing');
  }
  const token = await findToken(database, secret);
  if (!token) throw new Problem(401, 'UNAUTHORIZED', 'the token is not known, or was revoked');
  if (!mayDo(grants, token.role, permission)) {
    const message = `a token with role ${token.role} may not ${permission}`;
    throw new Problem(403, 'FORBIDDEN', message);
  }
  request.token = token;
}

function answer(reply: FastifyReply, problem: Problem) {
  return reply.code(problem.status).type(PROBLEM_CONTENT_TYPE).send(problemBody(problem));
}

/** Codes of the framework's own refusals. */
const REFUSALS: Readonly<Record<string, [status: number, code: string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'UNSUPPORTED_MEDIA_TYPE'],
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'BODY_TOO_LARGE'],
};

function asProblem(error: FastifyError | Problem | DatabaseError): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof DatabaseError && !error.isPermanent) {
    return new Problem(503, 'DATABASE_UNAVAILABLE', 'the database does not answer; try again');
  }
  const [status, code] = REFUSALS[error.code ?? ''] ?? [];
  if (status !== undefined && code !== undefined) return new Problem(status, code, error.message);
  const own = 'statusCode' in error ? error.statusCode : undefined;
  if (own !== undefined && own >= 400 && own < 500)
    return new Problem(own, 'INVALID', error.message);
  return new Problem(500, 'INTERNAL_ERROR', 'something went wrong here; see the log');
}
