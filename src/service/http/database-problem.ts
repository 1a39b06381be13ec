/** Converts a database error to the problem for the client: pure. */
import { type DatabaseError } from '../database/index.js';
import { Problem } from './problem.js';

/** Integrity violations that depend on the stored data: unique, foreign key, exclusion. */
const CONFLICTS = new Set(['23503', '23505', '23P01']);

/** Only the reading lane has a time limit. */
const STATEMENT_CANCELLED = '57014';

/**
 * Whether the database refused a value from the request: data exceptions and integrity violations (PostgreSQL appendix A,
 * classes 22 and 23). Validation should have found it, so each one is a bug.
 */
export const isRefusedValue = ({ code = '' }: DatabaseError): boolean => /^2[23]...$/.test(code);

/** @returns undefined for an error of our own code, which is an internal error and not an unavailable database */
export function databaseProblem(error: DatabaseError): Problem | undefined {
  if (isRefusedValue(error)) {
    return CONFLICTS.has(error.code ?? '')
      ? new Problem('CONFLICT', 'the request conflicts with stored data')
      : new Problem('INVALID', 'the request contains a value that cannot be stored');
  }
  if (error.code === STATEMENT_CANCELLED) {
    return new Problem('SEARCH_TIMEOUT', 'the search takes too long; narrow it');
  }
  const isOurs = error.cause instanceof TypeError || error.cause instanceof RangeError;
  if (error.isPermanent || isOurs) return undefined;
  return new Problem('DATABASE_UNAVAILABLE', 'the database is unavailable; retry later');
}
