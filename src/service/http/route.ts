/** What routes are written with: permission and description, pages, and the common schemas. */
import { type FastifyRequest, type FastifySchema } from 'fastify';
import Type from 'typebox';
import { Identifier, Pattern, Vin } from '../../contract/index.js';
import { type Permission, type Token } from '../access/index.js';
import { Cursor, type ListCursor } from './cursor.js';
import { OPTIONAL_BODY } from './open-api.js';
import { Problem, ProblemBody } from './problem.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the caller's token must grant; absent: anyone may call. */
    permission?: Permission;
  }
  interface FastifyRequest {
    token?: Token;
  }
}

/** The caller's token, which the authorization hook has put there. */
export function callerOf(request: FastifyRequest): Token {
  if (!request.token) throw new Problem(401, 'UNAUTHORIZED', 'a token is needed');
  return request.token;
}

/** Route options: the permission, and the description from which the OpenAPI document is made. */
export function describeRoute(
  permission: Permission | undefined,
  schema: FastifySchema & { tags: string[]; summary: string; description?: string },
) {
  const response = schema.response as Record<string, unknown> | undefined;
  const mayBeAbsent = schema.body !== undefined && Type.IsOptional(schema.body);
  return {
    config: permission === undefined ? {} : { permission },
    schema: {
      // A parameter that no schema names is refused, also where there are none.
      querystring: NoQuery,
      ...schema,
      ...(mayBeAbsent ? { [OPTIONAL_BODY]: true } : {}),
      security: permission === undefined ? [] : [{ token: [] }],
      response: { ...response, '4xx': problem, '5xx': problem },
    },
  };
}

const NoQuery = Type.Object({});

const problem = {
  description: 'What is wrong.',
  content: { 'application/problem+json': { schema: ProblemBody } },
};

/** An answer without content. */
export const empty = (description: string) => Type.Null({ description });

export const json = (schema: Type.TSchema, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

const MAX_PAGE = 1_000;
export const PageQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: 100 }),
  cursor: Type.Optional(Cursor),
});

/** One page; `nextCursor` is null on the last one. */
export const pageOf = (item: Type.TSchema) =>
  Type.Object({
    items: Type.Array(item),
    nextCursor: Type.Union([Type.String(), Type.Null()]),
  });

export function page<Row, Item>(
  rows: readonly Row[],
  limit: number,
  cursor: ListCursor,
  position: (row: Row) => string,
  item: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const last = rows.length === limit ? rows.at(-1) : undefined;
  return {
    items: rows.map(item),
    nextCursor: last === undefined ? null : cursor.of(position(last)),
  };
}

/** One of a stream (WHATWG HTML, section 9.2). */
export const ServerSentEvent = Type.Object(
  {
    event: Type.Optional(Type.String()),
    id: Type.Optional(Type.String()),
    data: Type.Optional(Type.String({ description: 'JSON.' })),
  },
  { title: 'ServerSentEvent' },
);

export const Time = Type.String({ format: 'date-time' });
export const Nullable = <Schema extends Type.TSchema>(schema: Schema) =>
  Type.Union([schema, Type.Null()]);

export const VinPrefix = Pattern(
  '^[A-HJ-NPR-Za-hj-npr-z0-9]{1,17}$',
  'must be a VIN or the beginning of one: up to 17 of A-H J-N P R-Z 0-9',
  { description: 'A VIN, or its beginning.' },
);
export const VinParams = Type.Object({ vin: Vin });
export const RefIdParams = Type.Object({ refId: Identifier('ref-id of the operation.') });
export const RefIdVinParams = Type.Object({ ...RefIdParams.properties, vin: Vin });

/** Why something is done, in the caller's words; kept in the audit log. */
export const Reason = Pattern('^[^\\u0000]*$', 'must not contain the NUL character', {
  maxLength: 1_000,
});
export const WithReason = Type.Optional(
  Type.Object({ reason: Type.Optional(Reason) }, { additionalProperties: false }),
);
