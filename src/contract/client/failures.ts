/** Why a request has brought no answer that can be used. */
import { type ErrorCode } from '../errors.js';
import { type FieldError } from '../values/validate.js';

/** The server has refused a request (RFC 9457 with the contract's fields), or answered with something that is no answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    /** One of ours, or `HTTP_<status>` where something else than our servers has answered. */
    readonly code: ErrorCode | `HTTP_${number}`,
    message: string,
    readonly errors: readonly FieldError[] = [],
    /** Time after which the server asks to be called again, ms, if stated. */
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }
}

/** No answer came: nothing listens there, the connection broke, or it took too long. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** The address is one to which no token may be sent. */
export class UnsafeAddress extends Error {
  override readonly name = 'UnsafeAddress';
}

/** The same, only because plain HTTP can be read on the way; it can be allowed. */
export class PlainHttpForbidden extends UnsafeAddress {}

/** A token has a character that cannot be sent in a header. Its message does not contain the token. */
export class InvalidToken extends TypeError {
  override readonly name = 'InvalidToken';
}
