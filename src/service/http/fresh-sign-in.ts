/** Requires a recent sign-in at the provider (OpenID Connect Core 1.0, section 3.1.2.1, max_age). */
import { FRESH_SIGN_IN_SECONDS } from '../../contract/index.js';
import { Problem } from './problem.js';

/**
 * @param authenticatedAt when the person proved to the provider who they are, ms; undefined: by a token
 * @param now ms
 * @throws Problem 403
 */
export function requireFreshSignIn(authenticatedAt: number | undefined, now: number): void {
  if (authenticatedAt === undefined) return;
  if (now - authenticatedAt <= FRESH_SIGN_IN_SECONDS * 1000) return;
  const minutes = FRESH_SIGN_IN_SECONDS / 60;
  throw new Problem(
    'SIGN_IN_AGAIN',
    `this needs a sign-in at the OpenID Connect provider within the last ${minutes} minutes`,
  );
}
