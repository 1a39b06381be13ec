/** `/v1.0/session`: a browser signs in with a token and keeps a session in a cookie that no script can read. */
import Type from '../typebox.js';
import {
  type AnswerOf,
  empty,
  json,
  jsonBody,
  Nullable,
  PERMISSIONS,
  RoleName,
  routesOf,
} from '../http/index.js';
import { Text } from '../values/text.js';

/** Our servers with a session: the OTA Adapter and the CarOTA Server. */
export const SERVER_NAMES = ['adapter', 'carota'] as const;
/** One of {@link SERVER_NAMES}. */
export type ServerName = (typeof SERVER_NAMES)[number];

/** Two servers on one host have two cookies, because cookies know no ports. */
export const cookieOf = (server: ServerName) => `otaops_${server}`;

/** Over TLS: browsers accept it only from this host, and send it to no other (RFC 6265bis, section 4.1.3.2). */
export const secureCookieOf = (server: ServerName) => `__Host-${cookieOf(server)}`;

/** During a sign-in at an OpenID Connect provider. */
export const signOnCookieOf = (server: ServerName) => `otaops_${server}_sign_on`;

/** The same over TLS. */
export const secureSignOnCookieOf = (server: ServerName) => `__Host-${signOnCookieOf(server)}`;

/** A form of another site cannot send it, and a script of another site is not allowed to. */
export const CONSOLE_HEADER = 'x-otaops-console';

const SignIn = Type.Object(
  { token: Text(1_000, 'A token of this server.', 1) },
  { title: 'SignIn', additionalProperties: false },
);
/** The signed-in caller, the server, and the caller's permissions there. */
const sessionOf = <const Name extends ServerName, const Role extends string>(
  server: Name,
  roles: readonly Role[],
) =>
  Type.Object(
    {
      name: Type.String({ description: 'Name of the token or the person.' }),
      role: RoleName(roles),
      permissions: Type.Array(Type.Enum([...PERMISSIONS], { title: 'Permission' })),
      scopes: Nullable(
        Type.Array(Type.String()),
        'Vehicle models that the caller is limited to; null: not limited.',
      ),
      server: Type.Unsafe<Name>(Type.Enum([server])),
      version: Type.String(),
      signedInBy: Type.Enum(['token', 'single-sign-on']),
      approval: Type.Optional(
        Type.Enum(['none', 'anyone', 'second-person'], {
          description: 'CarOTA Server: the rule for approving schedules.',
        }),
      ),
    },
    { title: 'Session' },
  );
/**
 * Routes by which a browser signs in and out, and learns who has signed in.
 *
 * @param server its name
 * @param roles of the server
 */
export const sessionApiOf = <const Name extends ServerName, const Role extends string>(
  server: Name,
  roles: readonly Role[],
) => {
  const session = sessionOf(server, roles);
  return routesOf('Session', {
    signIn: {
      method: 'POST',
      path: '/v1.0/session',
      permission: 'open',
      scope: 'none',
      audit: 'sign-in',
      summary: 'Sign in a browser, with a session in a cookie that scripts cannot read',
      description: `The session id is random and does not reveal the token. The session is valid for the host and port of the sign-in, and ends at sign-out, when the token is revoked, after 30 minutes without a request, and after 12 hours. Over TLS, the cookie’s name starts with __Host-. Requests with the cookie that change something require the header ${CONSOLE_HEADER}: 1.`,
      body: jsonBody(SignIn, 'The token.', { maxBytes: 4_096 }),
      answer: json(session, 'The signed-in caller.'),
      errors: ['UNAUTHORIZED', 'TOO_MANY_ATTEMPTS', 'FORGED_REQUEST'],
    },
    getSession: {
      method: 'GET',
      path: '/v1.0/session',
      permission: 'any',
      scope: 'none',
      summary: 'Get the signed-in caller and their permissions',
      answer: json(session, 'The signed-in caller.'),
    },
    signOut: {
      method: 'DELETE',
      path: '/v1.0/session',
      permission: 'open',
      scope: 'none',
      audit: 'sign-out',
      summary: 'Sign out: the session ends on the server',
      description: 'The session is that of the cookie; without one, no session ends.',
      answer: empty('Signed out.'),
      errors: ['FORGED_REQUEST'],
    },
  });
};
/** The routes of any server. */
export type SessionApi = ReturnType<typeof sessionApiOf>;
/** A session at any server. */
export type Session = AnswerOf<SessionApi['getSession']>;
