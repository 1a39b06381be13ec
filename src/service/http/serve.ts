/** Implements a route of the contract: requests are validated by its schemas, answers have its shape. */
import { type IncomingHttpHeaders } from 'node:http';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import Type from '../../contract/typebox.js';
import {
  type AnswerOf,
  type BodyLimit,
  type BodyOf,
  type HeadersOf,
  type ParamsOf,
  type Permission,
  type QueryOf,
  type Route,
  type ScopeRule,
} from '../../contract/index.js';
import { type Caller } from '../access/index.js';
import { audited } from './audited.js';
import { takeBytes, takeForm, takeLines, takeSigned } from './body-kinds.js';
import { Problem } from './problem.js';
import { loadOf } from './request-limits.js';
import { placeholderOf } from './validator.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route's action in the audit log. */
    action?: string;
    /** Whether the audit log records every call, or refusals only. */
    isAudited?: boolean;
    /** Permission that the caller's token must grant; absent: open to anyone. */
    permission?: Permission;
    /** How it holds for a caller who is limited to vehicle models; absent: such a caller is refused. */
    scope?: ScopeRule;
    /** See `RouteShape`. */
    freshSignIn?: boolean;
    /** Limit on the body; absent: the route has none. */
    body?: BodyLimit;
  }
  interface FastifyRequest {
    caller?: Caller;
  }
}

/** A request to a route, all of it valid. */
export interface Call<R extends Route> {
  readonly params: ParamsOf<R>;
  /** With the defaults of its schema. */
  readonly query: QueryOf<R>;
  /** For a signed body they contain the signature, and are as unverified as the body. */
  readonly headers: R['body'] extends { signed: true } ? IncomingHttpHeaders : HeadersOf<R>;
  /** A signed one as received, not verified yet; absent for lines and bytes: see `linesIn` and `streamIn`. */
  readonly body: R['body'] extends { signed: true } ? Buffer | undefined : BodyOf<R>;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Types that a handler may return in an answer: JSON writes a Date as the text in the contract. */
export type Served<Shape> = Shape extends string
  ? string extends Shape
    ? Shape | Date
    : Shape
  : Shape extends readonly (infer Item)[]
    ? readonly Served<Item>[]
    : Shape extends object
      ? { readonly [Name in keyof Shape]: Served<Shape[Name]> }
      : Shape;

/** Result of a function that returns nothing. */
type Nothing = ReturnType<() => void>;

type Answering<R extends Route> = R['answer'] extends { kind: 'json' }
  ? Served<AnswerOf<R>>
  : R['answer'] extends { kind: 'empty' }
    ? Nothing
    : // It writes to the reply.
      unknown;

export type Handler<R extends Route> = (call: Call<R>) => Answering<R> | Promise<Answering<R>>;

/** The caller, set by the authorization hook. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new Problem('UNAUTHORIZED', 'a token is needed');
  return request.caller;
}

export function serve<R extends Route>(
  server: FastifyInstance,
  route: R,
  handler: Handler<NoInfer<R>>,
): void {
  const take = takerOf(route);
  if (!take) {
    register(server, route, handler);
    return;
  }
  // Bodies other than plain JSON are parsed in a separate scope: accepted only there, and nothing else is.
  server.register((scope, _options, done) => {
    take(scope);
    register(scope, route, handler);
    done();
  });
}

function takerOf({ body }: Route): ((scope: FastifyInstance) => void) | undefined {
  switch (body?.kind) {
    case 'lines':
      return takeLines;
    case 'bytes':
      return takeBytes;
    default:
      if (body?.form) return takeForm;
      return body?.signed ? takeSigned : undefined;
  }
}

function register<R extends Route>(scope: FastifyInstance, route: R, handler: Handler<R>): void {
  const { answer } = route;
  scope.route({
    method: route.method,
    url: route.path.replaceAll(/\{([\w-]+)\}/g, (_all, name: string) => `:${placeholderOf(name)}`),
    // Fastify answers HEAD by running the handler, and a stream might not end.
    exposeHeadRoute: route.method === 'GET' && answer.kind !== 'stream',
    config: {
      action: route.audit ?? route.id,
      isAudited: route.audit !== undefined,
      scope: route.scope,
      ...(route.permission === 'open' ? {} : { permission: route.permission }),
      ...(route.freshSignIn ? { freshSignIn: true } : {}),
      ...(route.body ? { body: { maxBytes: route.body.maxBytes, gzip: route.body.gzip } } : {}),
    },
    schema: {
      // Parameters that are not in a schema are refused, also if there is no schema.
      querystring: route.query ?? NO_QUERY,
      ...(route.params ? { params: route.params } : {}),
      ...(route.headers && !isSigned(route) ? { headers: route.headers } : {}),
      ...bodySchema(route),
    },
    handler: async (request, reply) => {
      const { params, query, headers, body } = request;
      const call = { params, query, headers, body, request, reply } as Call<R>;
      const load = loadOf(route, request);
      const work = audited(request, reply, async () => handler(call));
      const answered = await (load ? scope.requestLimits.within(load, reply, work) : work());
      if (answer.kind === 'stream') return answered;
      // A handler may have set another one.
      if (reply.statusCode === 200) reply.code(answer.status);
      return reply.send(answered);
    },
  });
}

const NO_QUERY = Type.Object({});

/** Without a valid signature, nothing of the request is examined. */
const isSigned = ({ body }: Route) => body?.kind === 'json' && body.signed === true;

function bodySchema(route: Route) {
  const { body } = route;
  if (body?.kind !== 'json' || isSigned(route)) return {};
  return { body: body.optional ? Type.Optional(body.schema) : body.schema };
}
