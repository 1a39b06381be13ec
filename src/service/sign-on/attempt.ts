/**
 * A sign-on that a browser has started. All values that the provider’s answer must match are derived from one random secret,
 * which exists only in a cookie of that browser: an answer injected into another browser (login CSRF), or one with another
 * state or nonce, matches no secret there.
 */
import { createHash, randomBytes } from 'node:crypto';

export interface Attempt {
  readonly secret: string;
  /** ms; as the browser claims. */
  readonly startedAt: number;
  /** Whether the person must sign in again. */
  readonly again: boolean;
  /** Path of a page of the console. */
  readonly returnTo: string;
}

/** Time limit for the sign-in at the provider, seconds. */
export const ATTEMPT_SECONDS = 10 * 60;

export const newAttempt = (returnTo: string, again: boolean, startedAt: number): Attempt => ({
  secret: randomBytes(32).toString('base64url'),
  startedAt,
  again,
  returnTo,
});

/** Neither can be derived from the other, nor the secret from them. */
const derived = (purpose: string, { secret }: Attempt) =>
  createHash('sha256').update(`${purpose} ${secret}`).digest('base64url');

export const stateOf = (attempt: Attempt): string => derived('state', attempt);
export const nonceOf = (attempt: Attempt): string => derived('nonce', attempt);
/** RFC 7636, section 4.1: 43 characters. */
export const verifierOf = (attempt: Attempt): string => derived('code verifier', attempt);

/** As the cookie has it. */
export const attemptText = ({ secret, startedAt, again, returnTo }: Attempt): string =>
  [
    secret,
    Math.trunc(startedAt),
    again ? 'again' : 'first',
    Buffer.from(returnTo).toString('base64url'),
  ].join('.');

const TEXT = /^([\w-]{43})\.(\d{1,15})\.(again|first)\.([\w-]{1,4000})$/;

/** @returns undefined: not one of ours */
export function readAttempt(text: string | undefined): Attempt | undefined {
  const [, secret, startedAt, which, returnTo] = TEXT.exec(text ?? '') ?? [];
  if (secret === undefined || returnTo === undefined) return undefined;
  return {
    secret,
    startedAt: Number(startedAt),
    again: which === 'again',
    returnTo: Buffer.from(returnTo, 'base64url').toString(),
  };
}

/**
 * The address of a page of the console. The path comes from an address given to the browser, and from a cookie, so it must
 * not lead anywhere else.
 */
export function consoleAddress(consoleUrl: string, path = '/console/'): string {
  const home = `${consoleUrl}/console/`;
  if (!URL.canParse(path, home)) return home;
  const { href, origin, pathname } = new URL(path, home);
  return origin === consoleUrl && pathname.startsWith('/console/') ? href : home;
}
