/** The content of a logout token with a valid signature (OpenID Connect Back-Channel Logout 1.0, sections 2.4 and 2.6). Pure. */
import { type Claims, providerSessionOf, subjectOf } from './claims.js';

export interface LogoutToken {
  /** `jti` */
  readonly id: string;
  /** `sub`; undefined: `session` is there. */
  readonly subject: string | undefined;
  /** `sid`; undefined: all sessions of the subject. */
  readonly session: string | undefined;
  /** From then on its age alone refuses it, ms. */
  readonly usableUntil: number;
}

/** The token is not a logout token. */
export class NoLogoutToken extends Error {
  override readonly name = 'NoLogoutToken';
}

/** Maximum age, seconds: providers send them at once. */
export const LOGOUT_TOKEN_SECONDS = 5 * 60;
/** How long its id is kept beyond that, for clocks that differ, seconds. */
const MARGIN_SECONDS = 60;

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** An ID token has another type, if it has one. */
const TYPES: readonly (string | undefined)[] = [undefined, 'logout+jwt', 'JWT'];
const MAX_ID = 1_000;

/** @param claims verified @param type of its header @throws NoLogoutToken */
export function logoutTokenOf(claims: Claims, type: string | undefined): LogoutToken {
  if (!TYPES.includes(type)) throw new NoLogoutToken(`the token is of type ${type}`);
  // Section 2.4: so that a logout token is never accepted as an ID token, or vice versa.
  if ('nonce' in claims) throw new NoLogoutToken('the token has a nonce, as ID tokens have');
  const { events, jti, iat } = claims;
  if (!isObject(events) || !isObject(events[EVENT])) {
    throw new NoLogoutToken('the token is not about a back-channel logout');
  }
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_ID) {
    throw new NoLogoutToken('the token has no id');
  }
  const [subject, session] = [subjectOf(claims), providerSessionOf(claims)];
  const isOther = (name: string, value: unknown) => name in claims && value === undefined;
  if (isOther('sub', subject) || isOther('sid', session)) {
    throw new NoLogoutToken('the subject or the session is not one');
  }
  if (subject === undefined && session === undefined) {
    throw new NoLogoutToken('the token names neither a subject nor a session');
  }
  const usableUntil = (Number(iat) + LOGOUT_TOKEN_SECONDS + MARGIN_SECONDS) * 1000;
  return { id: jti, subject, session, usableUntil };
}

const isObject = (value: unknown): value is Claims =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
