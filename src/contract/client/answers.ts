/** What an answer says. Something else than our servers may have given it, so nothing in it is believed. */
import { isErrorCode } from '../errors.js';
import { type RouteShape } from '../http/index.js';
import { type FieldError } from '../values/validate.js';
import { ApiError } from './failures.js';

/** Far more than any problem of ours has, bytes. */
const MAX_PROBLEM = 256 * 1024;
/** Maximum length of an error message for people, characters. */
const MAX_MESSAGE = 4_000;

/** Whether it is one of those that the route declares. */
export const isAnswer = ({ otherAnswers = [] }: RouteShape, { ok, status }: Response): boolean =>
  ok || otherAnswers.some((other) => other.status === status);

/**
 * The JSON of an answer; undefined if the route has none.
 *
 * @param maxBytes after decompression
 * @throws ApiError if it is not JSON, or larger
 */
export async function valueOf(
  { answer }: RouteShape,
  response: Response,
  maxBytes: number,
): Promise<unknown> {
  if (answer.kind === 'empty' || response.status === 204) {
    await response.body?.cancel();
    return undefined;
  }
  const text = await limitedText(response, maxBytes);
  const { status, headers } = response;
  if (text === undefined) {
    throw new ApiError(status, `HTTP_${status}`, `the answer is larger than ${maxBytes} bytes`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    const type = headers.get('content-type') ?? 'no content-type';
    const what = text === '' ? 'the answer is empty' : `the answer is not JSON (${type})`;
    throw new ApiError(status, `HTTP_${status}`, `${what}: is this the right address?`);
  }
}

export async function refusalOf(response: Response): Promise<ApiError> {
  const { status, statusText, headers, type } = response;
  if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    await response.body?.cancel();
    const target = headers.get('location');
    const where = target === null ? 'another address' : target.slice(0, MAX_MESSAGE);
    const message = `the server redirects to ${where}, which is not followed: it would be given the token`;
    return new ApiError(status, `HTTP_${status}`, message);
  }
  const problem = problemIn((await limitedText(response, MAX_PROBLEM)) ?? '');
  const { code = '', message = `the server answered ${status} ${statusText}`.trimEnd() } = problem;
  return new ApiError(
    status,
    isErrorCode(code) ? code : `HTTP_${status}`,
    message,
    problem.errors,
    retryAfter(headers),
  );
}

interface ProblemFields {
  readonly code?: string;
  readonly message?: string;
  readonly errors?: readonly FieldError[];
}

function problemIn(text: string): ProblemFields {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof found !== 'object' || found === null) return {};
  const { errorCode, errorMessage, errors } = found as Readonly<Record<string, unknown>>;
  return {
    ...(typeof errorCode === 'string' ? { code: errorCode } : {}),
    ...(typeof errorMessage === 'string' ? { message: errorMessage.slice(0, MAX_MESSAGE) } : {}),
    errors: Array.isArray(errors) ? errors.filter(isFieldError) : [],
  };
}

function isFieldError(value: unknown): value is FieldError {
  if (typeof value !== 'object' || value === null) return false;
  const { path, message } = value as Readonly<Record<string, unknown>>;
  return typeof path === 'string' && typeof message === 'string';
}

/** Seconds, or a time beside the server's own Date, so that our clock does not matter (RFC 9110, section 10.2.3). */
function retryAfter(headers: Headers): number | undefined {
  const wanted = headers.get('retry-after');
  if (wanted === null) return undefined;
  if (/^\d+$/.test(wanted)) return Number(wanted) * 1_000;
  const ms = Date.parse(wanted) - Date.parse(headers.get('date') ?? '');
  return ms >= 0 ? ms : undefined;
}

/** undefined if it is longer; then the rest is not read. */
async function limitedText(response: Response, maxBytes: number): Promise<string | undefined> {
  if (!response.body) return '';
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > maxBytes) {
      await reader.cancel();
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}
