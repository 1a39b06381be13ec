/** `/v1.0/tokens`: tokens of this interface, for the administrator. */
import { type FastifyInstance } from 'fastify';
import { DEFAULT_TOKEN_OVERLAP, type TokenApi } from '../../contract/index.js';
import {
  createToken,
  expiryOf,
  listTokens,
  revokeToken,
  rotateToken,
  type Token,
  tokenFault,
} from '../access/index.js';
import { recordRequest } from '../audit/index.js';
import { type Database } from '../database/index.js';
import { invalid, Problem } from './problem.js';
import { serve } from './serve.js';

interface TokenContext {
  readonly database: Database;
  /** ms */
  readonly clock: () => number;
}

export function tokenRoutes(
  server: FastifyInstance,
  api: TokenApi,
  { database, clock }: TokenContext,
): void {
  serve(server, api.createToken, async ({ body }) => {
    const token = { ...body, vin: body.vin?.toUpperCase() };
    const fault = tokenFault(token);
    if (fault !== undefined) throw invalid([fault]);
    const now = clock();
    const { id, secret } = await database.transaction(async (tx) => {
      const made = await createToken(tx, token, now);
      const { name, role, vin, scopes, lifetime } = token;
      await recordRequest(tx, now, {
        subject: made.id,
        vin,
        detail: { name, role, scopes, lifetime },
      });
      return made;
    });
    return { id, token: secret, expiresAt: expiryOf(token.lifetime, now) };
  });

  serve(server, api.rotateToken, async ({ params: { id: oldId }, body }) => {
    const { overlap = DEFAULT_TOKEN_OVERLAP, lifetime } = body ?? {};
    const rotated = await rotateToken(database, oldId, { overlap, lifetime }, clock());
    if (rotated === 'unknown') throw notFound(oldId);
    if (rotated === 'ended') {
      const message = `token ${oldId} was revoked, has expired, or has a successor`;
      throw new Problem('TOKEN_ENDED', message);
    }
    const { id, secret, expiresAt, endsAt } = rotated;
    return { id, token: secret, expiresAt, replaces: { id: oldId, expiresAt: endsAt } };
  });

  serve(server, api.listTokens, async () => ({
    items: (await listTokens(database)).map(tokenBody),
  }));

  serve(server, api.revokeToken, async ({ params: { id } }) => {
    switch (await revokeToken(database, id, clock())) {
      case 'unknown':
        throw notFound(id);
      case 'last administrator':
        throw new Problem('LAST_ADMINISTRATOR', `${id} is the only token of role admin`);
      case 'revoked':
    }
  });
}

const notFound = (id: string) => new Problem('TOKEN_NOT_FOUND', `there is no token ${id}`);

const tokenBody = (token: Token) => ({
  id: token.id,
  name: token.name,
  role: token.role,
  vin: token.vin,
  scopes: token.scopes,
  createdAt: token.created_at,
  revokedAt: token.revoked_at,
  expiresAt: token.expires_at,
  lastUsedAt: token.last_used_at,
  replacedBy: token.replaced_by,
});
