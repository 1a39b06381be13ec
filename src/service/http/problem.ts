/** Errors as answers: `application/problem+json` (RFC 9457) with the contract's fields (section 4). */
import { type ErrorCode, ERRORS, type FieldError, problemTitle } from '../../contract/index.js';

/** An error to be answered as a problem document. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly errors: readonly FieldError[] | undefined;
  /** HTTP status, if a standard requires another one than the code's own. */
  readonly status: number;
  /** When the caller may retry (RFC 9110, section 10.2.3). */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    { errors, status = ERRORS[code].status, retryAfterSeconds }: ProblemDetails = {},
  ) {
    super(message);
    this.errors = errors;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

interface ProblemDetails {
  readonly errors?: readonly FieldError[];
  readonly status?: number;
  readonly retryAfterSeconds?: number;
}

export const invalid = (errors: readonly FieldError[]) =>
  new Problem('INVALID', 'the request is not valid', { errors });

export function problemBody({ status, code, message, errors }: Problem) {
  return {
    title: problemTitle(code),
    status,
    errorCode: code,
    errorMessage: message,
    ...(errors === undefined ? {} : { errors }),
  };
}
