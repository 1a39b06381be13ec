/** `/v1.0/tokens`: tokens of an interface, for administrators. */
import Type from '../typebox.js';
import {
  empty,
  json,
  jsonBody,
  listOf,
  MAX_SCOPES,
  Nullable,
  optionalJsonBody,
  RoleName,
  routesOf,
  Time,
} from '../http/index.js';
import { Identifier, Text } from '../values/text.js';
import { Vin } from '../values/vin.js';

/** A token without its secret; `revokedAt` is null while it is valid. */
const tokenOf = <const Role extends string>(roles: readonly Role[]) =>
  Type.Object(
    {
      id: Type.String(),
      name: Type.String(),
      role: RoleName(roles),
      vin: Nullable(
        Type.String({ description: 'VIN of the vehicle to which the token belongs, if any.' }),
      ),
      scopes: Nullable(
        Type.Array(Type.String()),
        'Vehicle models to which the token is limited; null: not limited.',
      ),
      createdAt: Time,
      revokedAt: Nullable(Time),
      expiresAt: Nullable(Time, 'null: it does not expire.'),
      lastUsedAt: Nullable(Time, 'Accurate to a minute.'),
      replacedBy: Nullable(Type.String(), 'Id of its successor.'),
    },
    { title: 'Token' },
  );
const CreatedToken = Type.Object(
  {
    id: Type.String(),
    token: Type.String({ description: 'Shown only once; the server stores only its hash.' }),
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
  description: 'Lifetime, seconds.',
});

const newTokenOf = <const Role extends string>(roles: readonly Role[]) =>
  Type.Object(
    {
      name: Identifier('Name of the owner.'),
      role: RoleName(roles),
      vin: Type.Optional(Vin),
      scopes: Type.Optional(
        Type.Array(Identifier('A vehicle model.'), {
          minItems: 1,
          maxItems: MAX_SCOPES,
          uniqueItems: true,
          description: 'Vehicle models to which the token is limited; absent: not limited.',
        }),
      ),
      lifetime: Type.Optional(Lifetime),
    },
    { title: 'NewToken', additionalProperties: false },
  );
/** Properties of a new token, of any server. */
export type NewToken = Type.Static<ReturnType<typeof newTokenOf>>;

const RotationWish = Type.Object(
  {
    overlap: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_TOKEN_OVERLAP,
        description: `How long the old token remains valid, seconds; absent: ${DEFAULT_TOKEN_OVERLAP}.`,
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
      { title: 'ReplacedToken', description: 'The old token and its expiry.' },
    ),
  },
  { title: 'RotatedToken' },
);

/**
 * Routes by which an administrator makes, lists and revokes tokens.
 *
 * @param roles of the server
 */
export const tokenApiOf = <const Role extends string>(roles: readonly Role[]) =>
  routesOf('Tokens', {
    createToken: {
      method: 'POST',
      path: '/v1.0/tokens',
      permission: 'administer',
      scope: 'unscoped-only',
      freshSignIn: true,
      audit: 'create-token',
      summary: 'Create a token',
      body: jsonBody(
        newTokenOf(roles),
        'Owner and role. A token of role vehicle requires a VIN and is valid only for that vehicle; a token of another role may be limited to vehicle models.',
      ),
      answer: json(CreatedToken, 'The token, shown only once.', 201),
    },
    listTokens: {
      method: 'GET',
      path: '/v1.0/tokens',
      permission: 'administer',
      scope: 'unscoped-only',
      summary: 'List the tokens, without their secrets',
      answer: json(listOf(tokenOf(roles)), 'All tokens.'),
    },
    rotateToken: {
      method: 'POST',
      path: '/v1.0/tokens/{id}/rotation',
      permission: 'administer',
      scope: 'unscoped-only',
      freshSignIn: true,
      audit: 'rotate-token',
      summary: 'Create a successor of a token with the same rights',
      description:
        'The old token remains valid for the overlap, but never beyond its own expiry, so that programs can be switched one after another. By default, the successor has the lifetime of the old token.',
      params: Type.Object({ id: Text(64, 'Id of the token.', 1) }),
      body: optionalJsonBody(RotationWish, 'Overlap and lifetime; optional.'),
      answer: json(RotatedToken, 'The successor, shown only once.', 201),
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
/** The routes of any server. */
export type TokenApi = ReturnType<typeof tokenApiOf>;
