/** `/v1.0/tokens`: tokens of an interface, for the administrator. */
import Type from 'typebox';
import { empty, json, jsonBody, listOf, Nullable, routesOf, Time } from '../http/index.js';
import { Identifier, Text } from '../values/text.js';
import { Vin } from '../values/vin.js';

/** A token without its secret; `revokedAt` is null while it is valid. */
export const Token = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    role: Type.String(),
    vin: Nullable(Type.String({ description: 'Whose it is, if that is a vehicle.' })),
    createdAt: Time,
    revokedAt: Nullable(Time),
  },
  { title: 'Token' },
);
const CreatedToken = Type.Object(
  {
    id: Type.String(),
    token: Type.String({ description: 'Told once; only its hash is kept.' }),
  },
  { title: 'CreatedToken' },
);

/**
 * Routes by which an administrator makes, lists and revokes tokens.
 *
 * @param roles of the server
 */
export const tokenApiOf = (roles: readonly string[]) =>
  routesOf('Tokens', {
    createToken: {
      method: 'POST',
      path: '/v1.0/tokens',
      permission: 'administer',
      audit: 'create-token',
      summary: 'Make a token',
      body: jsonBody(
        Type.Object(
          {
            name: Identifier('Whose it is.'),
            role: Type.Unsafe<string>(Type.Enum([...roles])),
            vin: Type.Optional(Vin),
          },
          { title: 'NewToken', additionalProperties: false },
        ),
        'Whose it is, and its role. One of role vehicle needs the VIN of the vehicle, and is good for that vehicle only.',
      ),
      answer: json(CreatedToken, 'The token, told once.', 201),
    },
    listTokens: {
      method: 'GET',
      path: '/v1.0/tokens',
      permission: 'administer',
      summary: 'List the tokens, without their secrets',
      answer: json(listOf(Token), 'All tokens.'),
    },
    revokeToken: {
      method: 'DELETE',
      path: '/v1.0/tokens/{id}',
      permission: 'administer',
      audit: 'revoke-token',
      summary: 'Revoke a token: requests in progress end, further ones are refused',
      params: Type.Object({ id: Text(64, 'Id of the token.', 1) }),
      answer: empty('Revoked.'),
      errors: ['TOKEN_NOT_FOUND', 'LAST_ADMINISTRATOR'],
    },
  });
