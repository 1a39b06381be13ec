/** Errors as answers: `application/problem+json` (RFC 9457) with the contract's fields (section 4). */
import Type from 'typebox';
import { type FieldError } from '../../contract/index.js';

/** An answer that says what is wrong with the request. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    readonly status: number,
    /** Stable, upper snake case. */
    readonly code: string,
    message: string,
    readonly errors?: readonly FieldError[],
  ) {
    super(message);
  }
}

export const invalid = (errors: readonly FieldError[]) =>
  new Problem(400, 'INVALID', 'the request is not valid', errors);

export const notFound = (code: string, message: string) => new Problem(404, code, message);

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

export const ProblemBody = Type.Object(
  {
    title: Type.String(),
    status: Type.Integer(),
    errorCode: Type.String({ description: 'Stable, upper snake case.' }),
    errorMessage: Type.String(),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          path: Type.String({ description: 'JSON Pointer (RFC 6901) to the field.' }),
          message: Type.String(),
        }),
      ),
    ),
  },
  { title: 'Problem', description: 'RFC 9457 problem details.' },
);

export function problemBody({ status, code, message, errors }: Problem) {
  return {
    title: code.toLowerCase().replaceAll('_', ' '),
    status,
    errorCode: code,
    errorMessage: message,
    ...(errors === undefined ? {} : { errors }),
  };
}
