/** Asks the server that this page came from; the session's cookie goes with each request. */

/** An answer that says what is wrong (RFC 9457 with the contract's fields). */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    /** HTTP status; 0: no answer came. */
    readonly status: number,
    readonly code: string,
    message: string,
    readonly errors: readonly FieldError[] = [],
  ) {
    super(message);
  }
}

export interface FieldError {
  /** JSON Pointer. */
  readonly path: string;
  readonly message: string;
}

interface ProblemBody {
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly errors?: readonly FieldError[];
}

/** What a form of another site cannot send. */
export const CONSOLE_HEADERS = { 'x-otaops-console': '1' } as const;

export type Query = Readonly<Record<string, string | number | undefined>>;

/** A path with its parts encoded: `at`/v1.0/ota/operations/${refId}``. */
export const at = (parts: TemplateStringsArray, ...values: readonly string[]): string =>
  String.raw({ raw: parts }, ...values.map(encodeURIComponent));

export function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)] as [string, string]],
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

/** @throws ApiError */
export async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return send<T>('GET', withQuery(path, query), undefined, signal);
}

/** @throws ApiError */
export async function send<T>(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const response = await fetch(path, {
    method,
    headers: {
      ...CONSOLE_HEADERS,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  }).catch((error: unknown) => {
    throw signal?.aborted ? error : new ApiError(0, 'NO_ANSWER', 'the server does not answer');
  });
  return readAnswer<T>(response.status, await response.text());
}

/** @throws ApiError */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- what it answers is its caller's to say
export function readAnswer<T>(status: number, text: string): T {
  const body = parse(text);
  if (status >= 200 && status < 300) return body as T;
  const { errorCode, errorMessage, errors } = (body ?? {}) as ProblemBody;
  throw new ApiError(
    status,
    errorCode ?? `HTTP_${status}`,
    errorMessage ?? `the server answered ${status}`,
    errors,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
