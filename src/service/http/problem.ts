/** Errors as answers: `application/problem+json` (RFC 9457) with the contract's fields (section 4). */
import { type ErrorCode, ERRORS, type FieldError, problemTitle } from '../../contract/index.js';

/** An error to be answered as a problem document. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly errors?: readonly FieldError[],
    /** HTTP status, if a standard requires another one than the code's own. */
    readonly status: number = ERRORS[code].status,
  ) {
    super(message);
  }
}

export const invalid = (errors: readonly FieldError[]) =>
  new Problem('INVALID', 'the request is not valid', errors);

export function problemBody({ status, code, message, errors }: Problem) {
  return {
    title: problemTitle(code),
    status,
    errorCode: code,
    errorMessage: message,
    ...(errors === undefined ? {} : { errors }),
  };
}
