/** Errors as answers: `application/problem+json` (RFC 9457) with the contract's fields (section 4). */
import Type from '../typebox.js';
import { ERROR_CODES, type ErrorCode } from '../errors.js';

/** Media type of an error (RFC 9457, section 3). */
export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/** The stable code of an error, as the catalogue in errors.ts has it. */
export const ErrorCodeName = Type.Enum(ERROR_CODES, { title: 'ErrorCode', description: 'Stable.' });

/** The error in one field of a request. */
export const FieldFault = Type.Object(
  {
    path: Type.String({ description: 'JSON Pointer (RFC 6901) to the field.' }),
    message: Type.String(),
  },
  { title: 'FieldFault' },
);

/** Body of an error: problem details (RFC 9457) with the fields of contract section 4. */
export const ProblemBody = Type.Object(
  {
    title: Type.String(),
    status: Type.Integer(),
    errorCode: ErrorCodeName,
    errorMessage: Type.String(),
    errors: Type.Optional(Type.Array(FieldFault)),
  },
  { title: 'Problem', description: 'RFC 9457 problem details.' },
);

/** `OPERATION_NOT_FOUND` → `operation not found` */
export const problemTitle = (code: ErrorCode): string => code.toLowerCase().replaceAll('_', ' ');
