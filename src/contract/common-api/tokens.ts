/** `/v1.0/tokens`: tokens of an interface, for the administrator. */
import Type from '../typebox.js';
import {
  empty,
  json,
  jsonBody,
  listOf,
  MAX_SCOPES,
  Nullable,
  optionalJsonBody,
  routesOf,
  Time,
} from '../http/index.js';
import { Identifier, Text } from '../values/text.js';
import { Vin } from '../values/vin.js';

/** A token without its secret; `revokedAt` is null while it is valid. */
export const Token = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    role: Type.String(),
    vin: Nullable(Type.String({ description: 'Whose it is, if that is a vehicle.' })),
    scopes: Nullable(
      Type.Array(Type.String()),
      'Vehicle models that it is limited to; null: not limited.',
    ),
    createdAt: Time,
    revokedAt: Nullable(Time),
    expiresAt: Nullable(Time, 'null: it does not expire.'),
    lastUsedAt: Nullable(Time, 'To a minute.'),
    replacedBy: Nullable(Type.String(), 'Id of its successor.'),
  },
  { title: 'Token' },
);
const CreatedToken = Type.Object(
  {
    id: Type.String(),
    token: Type.String({ description: 'Told once; only its hash is kept.' }),
    expiresAt: Nullable(Time, 'null: it does not expire.'),
  },
  { title: 'CreatedToken' },
);

/** Ten years, seconds. */
export const MAX_TOKEN_LIFETIME = 10 * 365 * 24 * 60 * 60;
/** A month, seconds. */
export const MAX_TOKEN_OVERLAP = 31 * 24 * 60 * 60;
/** A day, seconds. */
export const DEFAULT_TOKEN_OVERLAP = 24 * 60 * 60;

const Lifetime = Type.Integer({
  minimum: 60,
  maximum: MAX_TOKEN_LIFETIME,
  description: 'How long it holds, seconds.',
});

const newTokenOf = (roles: readonly string[]) =>
  Type.Object(
    {
      name: Identifier('Whose it is.'),
      role: Type.Unsafe<string>(Type.Enum([...roles])),
      vin: Type.Optional(Vin),
      scopes: Type.Optional(
        Type.Array(Identifier('A vehicle model.'), {
          minItems: 1,
          maxItems: MAX_SCOPES,
          uniqueItems: true,
          description: 'Vehicle models that it is limited to; absent: not limited.',
        }),
      ),
      lifetime: Type.Optional(Lifetime),
    },
    { title: 'NewToken', additionalProperties: false },
  );
/** What a token is to be. */
export type NewToken = Type.Static<ReturnType<typeof newTokenOf>>;

const RotationWish = Type.Object(
  {
    overlap: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_TOKEN_OVERLAP,
        description: `How long the old token holds on, seconds; absent: ${DEFAULT_TOKEN_OVERLAP}.`,
      }),
    ),
    lifetime: Type.Optional(Lifetime),
  },
  { title: 'TokenRotation', additionalProperties: false },
);
const RotatedToken = Type.Object(
  {
    ...CreatedToken.properties,
    replaces: Type.Object(
      { id: Type.String(), expiresAt: Time },
      { title: 'ReplacedToken', description: 'The old token, and when it ends.' },
    ),
  },
  { title: 'RotatedToken' },
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
      scope: 'unscoped-only',
      freshSignIn: true,
      audit: 'create-token',
      summary: 'Make a token',
      body: jsonBody(
        newTokenOf(roles),
        'Whose it is, and its role. One of role vehicle needs the VIN of the vehicle, and is good for that vehicle only; a token of another role may be limited to vehicle models.',
      ),
      answer: json(CreatedToken, 'The token, told once.', 201),
    },
    listTokens: {
      method: 'GET',
      path: '/v1.0/tokens',
      permission: 'administer',
      scope: 'unscoped-only',
      summary: 'List the tokens, without their secrets',
      answer: json(listOf(Token), 'All tokens.'),
    },
    rotateToken: {
      method: 'POST',
      path: '/v1.0/tokens/{id}/rotation',
      permission: 'administer',
      scope: 'unscoped-only',
      freshSignIn: true,
      audit: 'rotate-token',
      summary: 'Give a token a successor with the same rights',
      description:
        'The old one holds on for the overlap, but no longer than before, so that programs can be given the new one in turn. Without a lifetime the successor gets that of the old one.',
      params: Type.Object({ id: Text(64, 'Id of the token.', 1) }),
      body: optionalJsonBody(RotationWish, 'Overlap and lifetime; may be left out.'),
      answer: json(RotatedToken, 'The successor, told once.', 201),
      errors: ['TOKEN_NOT_FOUND', 'TOKEN_ENDED'],
    },
    revokeToken: {
      method: 'DELETE',
      path: '/v1.0/tokens/{id}',
      permission: 'administer',
      scope: 'unscoped-only',
      freshSignIn: true,
      audit: 'revoke-token',
      summary: 'Revoke a token: requests in progress end, further ones are refused',
      params: Type.Object({ id: Text(64, 'Id of the token.', 1) }),
      answer: empty('Revoked.'),
      errors: ['TOKEN_NOT_FOUND', 'LAST_ADMINISTRATOR'],
    },
  });
