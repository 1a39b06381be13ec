/**
 * The one client of our HTTP interfaces: console, command line, quickstart, benchmark and the CarOTA Server's calls to the
 * adapter. It runs in Node.js and in a browser.
 */
import { type ErrorCode, isErrorCode } from './errors.js';
import {
  type AnswerOf,
  type BodyOf,
  type HeadersOf,
  MAX_PAGE,
  type Page,
  type ParamsOf,
  pathOf,
  type QueryOf,
  type RouteShape,
} from './http/index.js';
import { type FieldError } from './values/validate.js';

/** The server has refused a request (RFC 9457 with the contract's fields). */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    /** One of ours, or `HTTP_<status>` where something else than our servers has answered. */
    readonly code: ErrorCode | `HTTP_${number}`,
    message: string,
    readonly errors: readonly FieldError[] = [],
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

export interface ClientOptions {
  /** e.g. `https://adapter.example`; `` in a browser: the page's own server. */
  readonly url: string;
  readonly token?: string | undefined;
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A token goes over plain HTTP to this machine alone, unless this is set. */
  readonly allowPlainHttp?: boolean;
  /** Until the answer is there in full, ms; absent: for ever. Streams are not limited. */
  readonly timeout?: number;
  /** How often what may be repeated is tried again where no answer came, or 429, 502, 503 or 504. */
  readonly retries?: number;
  /** Before the n-th repetition, ms. */
  readonly pause?: (repetition: number) => number;
  /** Waits so many ms. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

type Given<Name extends string, Value> = undefined extends Value
  ? { readonly [N in Name]?: Value }
  : { readonly [N in Name]: Value };
type Optional<Value> = Value extends undefined ? undefined : Partial<Value>;

/** What a request to a route brings. */
export type RequestOf<R extends RouteShape> = Given<'params', ParamsOf<R>> & {
  readonly query?: Optional<QueryOf<R>>;
  readonly headers?: Optional<HeadersOf<R>>;
} & (R['body'] extends { kind: 'lines' | 'bytes' }
    ? { readonly content: Content }
    : Given<'body', BodyOf<R>>);

/** Body of a request that is no JSON. */
export interface Content {
  readonly type: string;
  readonly body: string | Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array>;
}

/** The same, whatever the route. */
interface AnyRequest {
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: unknown;
  readonly content?: Content | undefined;
}

type ItemOf<R extends RouteShape> =
  AnswerOf<R> extends { items: readonly (infer Item)[] } ? Item : never;

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
const PASSING = new Set([429, 502, 503, 504]);
const REPEATABLE = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);
const PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

export class Client {
  readonly #options: ClientOptions;

  /** @throws UnsafeAddress, TypeError where the URL is none */
  constructor(options: ClientOptions) {
    if (options.url !== '') refuseUnsafe(options);
    this.#options = { ...options, url: options.url.replace(/\/$/, '') };
  }

  /**
   * The answer of a route.
   *
   * @throws ApiError, NoAnswer, and the signal's reason
   */
  async call<R extends RouteShape>(
    route: R,
    request: RequestOf<R>,
    signal?: AbortSignal,
  ): Promise<AnswerOf<R>> {
    const { timeout } = this.#options;
    const response = await this.#sendUntilAnswered(route, request as AnyRequest, timeout, signal);
    const text = await response.text().catch((error: unknown) => {
      throw asNoAnswer(error, this.#options.url, signal);
    });
    return (text === '' ? undefined : JSON.parse(text)) as AnswerOf<R>;
  }

  /**
   * The answer as it comes, for what does not fit into memory or does not end.
   *
   * @throws ApiError, NoAnswer, and the signal's reason
   */
  async open<R extends RouteShape>(
    route: R,
    request: RequestOf<R>,
    signal?: AbortSignal,
  ): Promise<Response> {
    return this.#sendUntilAnswered(route, request as AnyRequest, undefined, signal);
  }

  /**
   * The items of a list, page by page.
   *
   * @param most maximum number of items
   * @throws ApiError, NoAnswer, and the signal's reason
   */
  async *items<R extends RouteShape>(
    route: R,
    request: RequestOf<R>,
    most = Infinity,
    signal?: AbortSignal,
  ): AsyncGenerator<ItemOf<R>> {
    let left = most;
    for (let cursor: string | null | undefined; left > 0 && cursor !== null;) {
      const { query } = request as AnyRequest;
      const limit = Math.min(left, MAX_PAGE);
      const asked = { ...request, query: { ...query, limit, cursor } } as RequestOf<R>;
      const page = (await this.call(route, asked, signal)) as unknown as Page<ItemOf<R>>;
      yield* page.items;
      left -= page.items.length;
      cursor = page.nextCursor;
    }
  }

  async #sendUntilAnswered(
    route: RouteShape,
    request: AnyRequest,
    timeout: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const { retries = 0, pause = growingPause, sleep = sleepFor } = this.#options;
    const mayRepeat =
      (REPEATABLE.has(route.method) || route.repeatable === true) &&
      !(request.content?.body instanceof ReadableStream);
    for (let repetition = 0; ;) {
      try {
        return await this.#send(route, request, timeout, signal);
      } catch (error) {
        const isPassing =
          error instanceof NoAnswer || (error instanceof ApiError && PASSING.has(error.status));
        if (!mayRepeat || !isPassing || repetition >= retries) throw error;
        await sleep(pause(++repetition), signal);
      }
    }
  }

  async #send(
    route: RouteShape,
    { params, query, headers, body, content }: AnyRequest,
    timeout: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const { url, token } = this.#options;
    const sent =
      content ?? (body === undefined ? undefined : { type: JSON_TYPE, body: jsonOf(body) });
    const signals = [signal, timeout === undefined ? undefined : AbortSignal.timeout(timeout)];
    const given = signals.filter((one) => one !== undefined);
    const response = await fetch(`${url}${pathOf(route, params)}${queryText(query)}`, {
      method: route.method,
      // Whoever redirects us would be given the token.
      redirect: 'error',
      headers: {
        ...this.#options.headers,
        ...(token === undefined ? {} : { 'authorization-token': token }),
        ...headers,
        ...(sent === undefined ? {} : { 'content-type': sent.type }),
      },
      // A stream is sent as it is read, and answered when it has ended (WHATWG Fetch, section 5.4).
      ...(sent === undefined ? {} : { body: sent.body, duplex: 'half' as const }),
      ...(given.length === 0 ? {} : { signal: AbortSignal.any(given) }),
    }).catch((error: unknown) => {
      throw asNoAnswer(error, url, signal);
    });
    if (!response.ok) throw await refusalOf(response);
    return response;
  }
}

const JSON_TYPE = 'application/json';

/** @throws UnsafeAddress */
function refuseUnsafe({ url, token, allowPlainHttp = false }: ClientOptions): void {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') {
    throw new UnsafeAddress(`${url} is no address of HTTP`);
  }
  if (token === undefined || allowPlainHttp || protocol === 'https:') return;
  if (!LOOPBACK.test(hostname)) {
    throw new UnsafeAddress(`a token is not sent to ${url}: plain HTTP can be read on its way`);
  }
}

function asNoAnswer(error: unknown, url: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return error;
  const { cause, message } = error as Error;
  const why = cause instanceof Error ? cause.message : message;
  return new NoAnswer(`${url === '' ? 'the server' : url} does not answer: ${why}`);
}

async function refusalOf(response: Response): Promise<ApiError> {
  const { status, statusText } = response;
  const problem = problemIn(await response.text().catch(() => ''));
  const { errorCode = '', errorMessage, errors } = problem;
  return new ApiError(
    status,
    isErrorCode(errorCode) ? errorCode : `HTTP_${status}`,
    errorMessage ?? `the server answered ${status} ${statusText}`.trimEnd(),
    errors,
  );
}

interface ProblemFields {
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly errors?: readonly FieldError[];
}

/** Something else than our servers may have answered. */
function problemIn(text: string): ProblemFields {
  try {
    return (JSON.parse(text) ?? {}) as ProblemFields;
  } catch {
    return {};
  }
}

/** JSON has no NaN: `JSON.stringify` would write null, which often means “no limit”. @throws TypeError */
const jsonOf = (body: unknown): string =>
  JSON.stringify(body, (name, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new TypeError(`${name} must be a number`);
    }
    return value;
  });

/** What is undefined or an empty text is left out; a list is given once for each of its items. */
function queryText(query: Readonly<Record<string, unknown>> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) {
      if (one !== undefined && one !== '') search.append(name, String(one));
    }
  }
  return search.size === 0 ? '' : `?${search}`;
}

const growingPause = (repetition: number) =>
  Math.min(PAUSE_MS * 2 ** (repetition - 1), LONGEST_PAUSE_MS);

const sleepFor = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
