/** `/v1.0/tokens`: tokens of this interface, for the administrator. */
import { type FastifyInstance } from 'fastify';
import { type tokenApiOf } from '../../contract/index.js';
import { createToken, listTokens, revokeToken, type Token, tokenFault } from '../access/index.js';
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
  api: ReturnType<typeof tokenApiOf>,
  { database, clock }: TokenContext,
): void {
  serve(server, api.createToken, async ({ body }) => {
    const token = { ...body, vin: body.vin?.toUpperCase() };
    const fault = tokenFault(token);
    if (fault !== undefined) throw invalid([{ path: '/vin', message: fault }]);
    const now = clock();
    const { id, secret } = await database.transaction(async (tx) => {
      const made = await createToken(tx, token, now);
      const { name, role, vin } = token;
      await recordRequest(tx, now, { subject: made.id, vin, detail: { name, role } });
      return made;
    });
    return { id, token: secret };
  });

  serve(server, api.listTokens, async () => ({
    items: (await listTokens(database)).map(tokenBody),
  }));

  serve(server, api.revokeToken, async ({ params: { id } }) => {
    switch (await revokeToken(database, id, clock())) {
      case 'unknown':
        throw new Problem('TOKEN_NOT_FOUND', `there is no token ${id}`);
      case 'last administrator':
        throw new Problem('LAST_ADMINISTRATOR', `${id} is the only token of role admin`);
      case 'revoked':
    }
  });
}

const tokenBody = ({ id, name, role, vin, created_at, revoked_at }: Token) => ({
  id,
  name,
  role,
  vin,
  createdAt: created_at,
  revokedAt: revoked_at,
});
