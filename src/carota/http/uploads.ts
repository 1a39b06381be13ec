/** Problems that uploads and deletions have in common. */
import { Problem } from '../../service/http/index.js';
import { QuotaExceeded } from '../artifacts/index.js';
import { type CarotaContext } from './context.js';

/** @returns another error as it is */
export function quotaProblem({ metrics }: CarotaContext, error: unknown): unknown {
  if (!(error instanceof QuotaExceeded)) return error;
  metrics.limitRefused(error.limit);
  return new Problem('QUOTA_EXCEEDED', error.message);
}

/** @param users in words */
export const inUse = (what: string, users: readonly string[]): Problem =>
  new Problem('IN_USE', `${what} is used by ${users.join(', ')}`);
