/**
 * `/v1.0/session/sign-on`: a browser signs in at an OpenID Connect provider (contract section 9). A browser opens these
 * addresses itself; it is redirected to the provider, or back to the console.
 */
import Type from '../typebox.js';
import { formBody, json, redirect, routesOf } from '../http/index.js';
import { Pattern } from '../values/pattern.js';
import { Text } from '../values/text.js';

const SignInWays = Type.Object(
  {
    singleSignOn: Type.Boolean({
      description: 'Whether a browser can sign in at an OpenID Connect provider.',
    }),
  },
  { title: 'SignInWays' },
);

/** Why a sign-on has failed: parameter `sign-on` of the console’s address. */
export const SIGN_ON_FAULTS = [
  /** The provider does not answer. */
  'unavailable',
  /** The provider has refused, or its answer does not pass a check. */
  'refused',
  /** The answer does not belong to a sign-on that this browser started lately. */
  'unexpected',
  /** The person has no role at this server. */
  'no-role',
] as const;
/** One of {@link SIGN_ON_FAULTS}. */
export type SignOnFault = (typeof SIGN_ON_FAULTS)[number];

/** Maximum age of a sign-in at the provider for actions that require a fresh one, seconds. */
export const FRESH_SIGN_IN_SECONDS = 300;

/** A page of the console, as path and query. */
const ConsolePath = Pattern(
  '^/console/[!-\\[\\]-~]*$',
  'must be the path of a page of the console, percent-encoded',
  {
    maxLength: 2_000,
    description: 'Page to which the browser is sent afterwards; absent: `/console/`.',
  },
);

const AuthorizationResponse = Type.Object({
  code: Type.Optional(Text(8_000, 'Authorization code (RFC 6749, section 4.1.2).')),
  state: Type.Optional(Text(1_000, 'As sent to the provider.')),
  iss: Type.Optional(Text(2_000, 'The issuer (RFC 9207).')),
  error: Type.Optional(Text(1_000, 'Error code of the provider (RFC 6749, section 4.1.2.1).')),
  error_description: Type.Optional(Text(4_000, 'Description of the error.')),
  error_uri: Type.Optional(Text(2_000, 'URL of a page about the error.')),
  // Of no use to us, but some providers send them.
  session_state: Type.Optional(Text(2_000, 'Not used.')),
  scope: Type.Optional(Text(2_000, 'Not used.')),
  authuser: Type.Optional(Text(1_000, 'Not used.')),
  hd: Type.Optional(Text(1_000, 'Not used.')),
  prompt: Type.Optional(Text(1_000, 'Not used.')),
});

const MAX_LOGOUT_TOKEN = 16 * 1024;

const BackChannelLogout = Type.Object(
  {
    logout_token: Pattern(
      '^[\\w-]+\\.[\\w-]+\\.[\\w-]*$',
      'must be a JSON Web Token in its compact form',
      { maxLength: MAX_LOGOUT_TOKEN, description: 'Logout token, signed by the provider.' },
    ),
  },
  { title: 'BackChannelLogout' },
);

const EndedSessions = Type.Object(
  { sessions: Type.Integer({ minimum: 0, description: 'Number of ended sessions.' }) },
  { title: 'EndedSessions' },
);

/** Routes by which a browser signs in and out at an OpenID Connect provider. */
export const signOnApi = routesOf('Session', {
  getSignInWays: {
    method: 'GET',
    path: '/v1.0/session/ways',
    permission: 'open',
    scope: 'none',
    summary: 'Get the ways in which a browser can sign in',
    description: 'A token always works.',
    answer: json(SignInWays, 'The available ways.'),
  },
  beginSignOn: {
    method: 'GET',
    path: '/v1.0/session/sign-on',
    permission: 'open',
    scope: 'none',
    summary: 'Send a browser to the OpenID Connect provider',
    description:
      'Authorization code with PKCE (RFC 7636). The values that the answer must match are stored in a cookie of the browser. If the provider does not answer, the browser is sent to the console, with the reason as the parameter `sign-on`.',
    query: Type.Object({
      returnTo: Type.Optional(ConsolePath),
      again: Type.Optional(
        Type.Boolean({
          description:
            'Require the person to sign in again, even with an existing session at the provider.',
        }),
      ),
    }),
    answer: redirect('To the provider, or to the console.'),
    errors: ['SIGN_ON_NOT_SET_UP'],
  },
  completeSignOn: {
    method: 'GET',
    path: '/v1.0/session/sign-on/callback',
    permission: 'open',
    scope: 'none',
    summary: 'Receive the answer of the OpenID Connect provider',
    description:
      'The browser gets a session of this server, as with `POST /v1.0/session`, and is sent to the console. If the answer is invalid, it gets no session, and the console shows the reason.',
    query: AuthorizationResponse,
    answer: redirect('To the console.'),
    errors: ['SIGN_ON_NOT_SET_UP', 'TOO_MANY_ATTEMPTS', 'DATABASE_UNAVAILABLE'],
  },
  leaveSignOn: {
    method: 'GET',
    path: '/v1.0/session/sign-on/end',
    permission: 'open',
    scope: 'none',
    summary: 'Send a browser to the provider’s sign-out',
    description:
      'OpenID Connect RP-Initiated Logout 1.0. `DELETE /v1.0/session` ends the session of this server.',
    answer: redirect('To the provider, or to the console if it offers no sign-out.'),
    errors: ['SIGN_ON_NOT_SET_UP'],
  },
  takeLogoutToken: {
    method: 'POST',
    path: '/v1.0/session/sign-on/back-channel-logout',
    permission: 'open',
    scope: 'none',
    audit: 'end-sessions',
    summary: 'End the sessions of a person who signed out at the provider',
    description:
      'OpenID Connect Back-Channel Logout 1.0; called by the provider. Ends the sessions of this server that were created from the provider’s session (`sid`), or all sessions of the person (`sub`), immediately on every process, including streams in progress. Each token is accepted once.',
    body: formBody(BackChannelLogout, 'The logout token; further fields are ignored.', 32 * 1024),
    answer: json(EndedSessions, 'The sessions have ended, or there were none.'),
    errors: ['SIGN_ON_NOT_SET_UP', 'LOGOUT_TOKEN_REFUSED', 'PROVIDER_UNAVAILABLE'],
  },
});
