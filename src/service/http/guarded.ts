/** Checks a token or a session, unless guesses from the same address are being blocked. */
import { type Attempt, type SignInGuard } from '../access/index.js';
import { type HttpLimit } from '../limits/index.js';
import { Problem } from './problem.js';

/**
 * @param find throws a Problem 401 where the secret is wrong
 * @throws Problem 401, 429
 */
export async function guarded<T>(
  guard: SignInGuard,
  attempt: Attempt,
  refused: (limit: HttpLimit) => void,
  find: () => Promise<T>,
): Promise<T> {
  const wait = guard.waitMs(attempt);
  if (wait > 0) {
    refused('sign-ins');
    const message = 'too many wrong tokens came from this address';
    throw new Problem('TOO_MANY_ATTEMPTS', message, { retryAfterSeconds: wait / 1000 });
  }
  try {
    const found = await find();
    guard.succeeded(attempt);
    return found;
  } catch (error) {
    if (error instanceof Problem && error.code === 'UNAUTHORIZED') guard.failed(attempt);
    throw error;
  }
}
