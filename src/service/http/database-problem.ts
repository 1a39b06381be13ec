/** What an error of the database means for whoever asked: pure. */
import { type DatabaseError } from '../database/index.js';
import { Problem } from './problem.js';

/** Integrity violations that another state of the database would not have: unique, foreign key, exclusion. */
const CONFLICTS = new Set(['23503', '23505', '23P01']);

/**
 * Whether the database has refused a value that came with the request: data exceptions and integrity violations
 * (PostgreSQL appendix A, classes 22 and 23). Validation should have found it, so each is a gap to close.
 */
export const isRefusedValue = ({ code = '' }: DatabaseError): boolean => /^2[23]...$/.test(code);

/** Only a database that does not answer is unavailable: what our own code gets wrong is an internal error. */
export function databaseProblem(error: DatabaseError): Problem | undefined {
  if (isRefusedValue(error)) {
    return CONFLICTS.has(error.code ?? '')
      ? new Problem('CONFLICT', 'what is stored already does not allow it')
      : new Problem('INVALID', 'the request has a value that cannot be stored');
  }
  const isOurs = error.cause instanceof TypeError || error.cause instanceof RangeError;
  if (error.isPermanent || isOurs) return undefined;
  return new Problem('DATABASE_UNAVAILABLE', 'the database does not answer; try again');
}
