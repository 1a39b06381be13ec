/** Problems that uploads and deletions have in common. */
import { Problem } from '../../service/http/index.js';
import { Refusal } from '../../uptane/refusal.js';
import { RepositoryFault } from '../../uptane/repository/index.js';
import { QuotaExceeded } from '../artifacts/index.js';
import { type ServedRepository } from '../image-repository/index.js';
import { type CarotaContext } from './context.js';

/** @returns any other error unchanged */
export function quotaProblem({ metrics }: CarotaContext, error: unknown): unknown {
  if (!(error instanceof QuotaExceeded)) return error;
  metrics.limitRefused(error.limit);
  return new Problem('QUOTA_EXCEEDED', error.message);
}

/** @param users in words */
export const inUse = (what: string, users: readonly string[]): Problem =>
  new Problem('IN_USE', `${what} is used by ${users.join(', ')}`);

/** {@link ServedRepository.whileListed} with its errors as Problems. @throws Problem if the repository is busy for too long, or cannot be read */
export async function whileListed<T>(
  images: ServedRepository,
  ...how: [
    isMeant: (path: string, digests: readonly string[]) => boolean,
    work: (paths: readonly string[]) => Promise<T>,
  ]
): Promise<T> {
  try {
    return await images.whileListed(...how);
  } catch (error) {
    if (error instanceof RepositoryFault || error instanceof Refusal) {
      throw new Problem('REPOSITORY_UNAVAILABLE', error.message, { retryAfterSeconds: 5 });
    }
    throw error;
  }
}
