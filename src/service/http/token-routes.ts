/** `/v1.0/tokens`: tokens of this interface, for the administrator. */
import Type from 'typebox';
import { Identifier, Text } from '../../contract/index.js';
import { createToken, listTokens, revokeToken, type Token } from '../access/index.js';
import { type Database } from '../database/index.js';
import { notFound } from './problem.js';
import { describeRoute, empty, json, Nullable, Time } from './route.js';
import { type Server } from './server.js';

interface TokenContext {
  readonly database: Database;
  /** ms */
  readonly clock: () => number;
  readonly roles: readonly string[];
}

const newToken = (roles: readonly string[]) =>
  Type.Object(
    {
      name: Identifier('Whose it is.'),
      role: Type.Enum([...roles]),
    },
    { additionalProperties: false },
  );
const TokenBody = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    role: Type.String(),
    createdAt: Time,
    revokedAt: Nullable(Time),
  },
  { title: 'Token' },
);
const CreatedToken = Type.Object({
  id: Type.String(),
  token: Type.String({ description: 'Told once; only its hash is kept.' }),
});
const IdParams = Type.Object({ id: Text(64, 'Id of the token.', 1) });
const tags = ['Tokens'];

export function tokenRoutes(server: Server, { database, clock, roles }: TokenContext): void {
  server.post<{ Body: Type.Static<ReturnType<typeof newToken>> }>(
    '/v1.0/tokens',
    describeRoute('administer', {
      tags,
      summary: 'Make a token',
      body: newToken(roles),
      response: { 201: json(CreatedToken, 'Made.') },
    }),
    async ({ body }, reply) => {
      const { id, secret } = await createToken(database, body, clock());
      return reply.code(201).send({ id, token: secret });
    },
  );

  server.get(
    '/v1.0/tokens',
    describeRoute('administer', {
      tags,
      summary: 'List tokens, not their secrets',
      response: { 200: json(Type.Object({ items: Type.Array(TokenBody) }), 'All tokens.') },
    }),
    async () => ({ items: (await listTokens(database)).map(tokenBody) }),
  );

  server.delete<{ Params: Type.Static<typeof IdParams> }>(
    '/v1.0/tokens/:id',
    describeRoute('administer', {
      tags,
      summary: 'Revoke a token; takes effect with the next request',
      params: IdParams,
      response: { 204: empty('Revoked.') },
    }),
    async ({ params: { id } }, reply) => {
      const known = await revokeToken(database, id, clock());
      if (!known) throw notFound('TOKEN_NOT_FOUND', `there is no token ${id}`);
      return reply.code(204).send();
    },
  );
}

function tokenBody({ id, name, role, created_at, revoked_at }: Token) {
  return { id, name, role, createdAt: created_at, revokedAt: revoked_at };
}
