/** Errors as answers: `application/problem+json` (RFC 9457) with the contract's fields (section 4). */
import Type from 'typebox';
import { ERROR_CODES } from '../errors.js';

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

export const ProblemBody = Type.Object(
  {
    title: Type.String(),
    status: Type.Integer(),
    errorCode: Type.Enum(ERROR_CODES, { title: 'ErrorCode', description: 'Stable.' }),
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
