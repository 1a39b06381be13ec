/**
 * The one client of our HTTP interfaces: console, command line, quickstart, benchmark and the CarOTA Server's calls to the
 * adapter. It runs in Node.js and in a browser.
 */
import { type Backoff, backoffPause } from './backoff.js';
import { baseAddress } from './client/address.js';
import { isAnswer, refusalOf, valueOf } from './client/answers.js';
import { ApiError, NoAnswer } from './client/failures.js';
import { jsonOf, queryText } from './client/request-text.js';
import { checkToken } from './client/token.js';
import {
  type AnswerOf,
  type BodyOf,
  type HeadersOf,
  MAX_PAGE,
  type ParamsOf,
  pathOf,
  type QueryOf,
  type RouteShape,
} from './http/index.js';

export * from './client/failures.js';

/** Which server a {@link Client} calls, and how. */
export interface ClientOptions {
  /** e.g. `https://adapter.example`; `` in a browser: the page's own server. */
  readonly url: string;
  /** Sent as `authorization-token`; absent: none. */
  readonly token?: string | undefined;
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A token goes over plain HTTP to this machine alone, unless this is set. */
  readonly allowPlainHttp?: boolean | undefined;
  /**
   * Timeout of the complete answer, ms; absent: none. For streamed answers, until the stream starts; streamed requests are
   * not limited.
   */
  readonly timeout?: number;
  /** Maximum retries of repeatable requests after no answer, 408, 429, 502, 503 or 504; default 0. */
  readonly retries?: number;
  /** Delays before retries; default 250 ms to 5 s. A server's Retry-After is respected, up to 30 s. */
  readonly backoff?: Backoff;
  /** Largest answer that is read into memory, bytes after decompression; default 64 MiB. */
  readonly maxAnswerBytes?: number;
  /** Replaces the global one, e.g. to trust further CAs. */
  readonly fetch?: typeof fetch | undefined;
  /** Waits for this time, ms. @throws the signal's reason */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** Makes members that may be undefined optional. */
type Given<Name extends string, Value> = Readonly<
  undefined extends Value ? Partial<Record<Name, Value>> : Record<Name, Value>
>;
/** Omits undefined members. */
type Optional<Value> = Value extends undefined
  ? undefined
  : { readonly [Name in keyof Value]?: Value[Name] | undefined };

/** The parts of a request to a route: parameters of its path, query, headers, and its body. */
export type RequestOf<R extends RouteShape> = Given<'params', ParamsOf<R>> & {
  readonly query?: Optional<QueryOf<R>>;
  readonly headers?: Optional<HeadersOf<R>>;
} & (R['body'] extends { kind: 'lines' | 'bytes' }
    ? { readonly content: Content }
    : Given<'body', BodyOf<R>>);

/** Body of a request that is not JSON. */
export interface Content {
  /** Media type, e.g. `text/csv`. */
  readonly type: string;
  readonly body: string | Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array>;
}

/** The same for any route. */
interface AnyRequest {
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: unknown;
  readonly content?: Content | undefined;
}

/** An item of a list route. */
export type ItemOf<R extends RouteShape> =
  AnswerOf<R> extends { items: readonly (infer Item)[] } ? Item : never;

const PASSING = new Set([408, 429, 502, 503, 504]);
/** RFC 9110, section 9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);
const BACKOFF: Backoff = { firstPauseMs: 250, longestPauseMs: 5_000 };
const LONGEST_RETRY_AFTER_MS = 30_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const JSON_TYPE = 'application/json';

/** Calls the routes of one server. */
export class Client {
  readonly #options: ClientOptions;
  readonly #base: string;

  /** @throws UnsafeAddress, InvalidToken; TypeError if the URL is invalid */
  constructor(options: ClientOptions) {
    const { url, token = '' } = options;
    checkToken(token);
    this.#options = options;
    this.#base = url === '' ? '' : baseAddress(options);
  }

  /**
   * Calls a route.
   *
   * @param signal aborts the call
   * @returns the answer, parsed; undefined if the route declares no content
   * @throws ApiError, NoAnswer, and the signal's reason
   */
  async call<R extends RouteShape>(
    route: R,
    request: RequestOf<R>,
    signal?: AbortSignal,
  ): Promise<AnswerOf<R>> {
    const { maxAnswerBytes = MAX_ANSWER_BYTES } = this.#options;
    const read = (response: Response) => valueOf(route, response, maxAnswerBytes);
    return (await this.#exchange(route, request as AnyRequest, read, signal)) as AnswerOf<R>;
  }

  /**
   * Calls a route whose answer is a stream: one that does not fit into memory or does not end.
   *
   * @param signal aborts the call, also while the stream is read
   * @returns the answer with its headers, before its body is read
   * @throws ApiError, NoAnswer, and the signal's reason
   */
  async open<R extends RouteShape>(
    route: R,
    request: RequestOf<R>,
    signal?: AbortSignal,
  ): Promise<Response> {
    return this.#exchange(route, request as AnyRequest, (response) => response, signal);
  }

  /**
   * The items of a list, page by page.
   *
   * @param most maximum number of items; default: all
   * @throws ApiError, NoAnswer, and the signal's reason
   */
  async *items<R extends RouteShape>(
    route: R,
    request: RequestOf<R>,
    most = Infinity,
    signal?: AbortSignal,
  ): AsyncGenerator<ItemOf<R>> {
    const { query } = request as AnyRequest;
    let left = most;
    for (let cursor: string | null | undefined; left > 0 && cursor !== null;) {
      const limit = Math.min(left, MAX_PAGE);
      const asked = { ...request, query: { ...query, limit, cursor } } as RequestOf<R>;
      const page: unknown = await this.call(route, asked, signal);
      if (!isPage(page) || page.nextCursor === cursor) {
        throw new ApiError(200, 'HTTP_200', 'the answer is not the next page of a list');
      }
      yield* page.items.slice(0, left) as ItemOf<R>[];
      left -= page.items.length;
      cursor = page.nextCursor;
    }
  }

  /** Sends until it is answered, or may not be sent again. */
  async #exchange<T>(
    route: RouteShape,
    request: AnyRequest,
    read: (response: Response) => T | Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const { retries = 0, backoff = BACKOFF, sleep = sleepFor } = this.#options;
    const isRepeatable = route.repeatable ?? IDEMPOTENT.has(route.method);
    const mayRepeat = isRepeatable && !isStreamed(request);
    for (let failures = 1; ; failures++) {
      try {
        return await this.#exchangeOnce(route, request, read, signal);
      } catch (error) {
        if (!mayRepeat || failures > retries || !isPassing(error)) throw error;
        const { retryAfterMs = 0 } = error as Partial<ApiError>;
        const pause = backoffPause(backoff, failures, Math.random());
        await sleep(Math.max(pause, Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS)), signal);
      }
    }
  }

  async #exchangeOnce<T>(
    route: RouteShape,
    request: AnyRequest,
    read: (response: Response) => T | Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const address = this.#base + pathOf(route, request.params) + queryText(request.query);
    const init = this.#initOf(route, request);
    // As a bare function: a browser’s fetch accepts no other receiver.
    const { timeout, fetch: send = fetch } = this.#options;
    const late = new AbortController();
    const timer =
      timeout === undefined || isStreamed(request)
        ? undefined
        : setTimeout(() => late.abort(), timeout);
    const signals = signal ? [signal, late.signal] : [late.signal];
    try {
      signal?.throwIfAborted();
      const response = await send(address, { ...init, signal: AbortSignal.any(signals) });
      if (!isAnswer(route, response)) throw await refusalOf(response);
      return await read(response);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof ApiError) throw error;
      const why = late.signal.aborted ? `not within ${timeout} ms` : reasonOf(error as Error);
      throw new NoAnswer(`${this.#base || 'the server'} does not answer: ${why}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  #initOf(route: RouteShape, { headers, body, content }: AnyRequest): RequestInit {
    const { token, headers: always } = this.#options;
    const sent =
      content ?? (body === undefined ? undefined : { type: JSON_TYPE, body: jsonOf(body) });
    return {
      method: route.method,
      // A redirect would pass the token to its target.
      redirect: 'manual',
      headers: {
        ...always,
        ...(token === undefined ? {} : { 'authorization-token': token }),
        ...headers,
        ...(sent === undefined ? {} : { 'content-type': sent.type }),
      },
      // A stream is sent while it is read, and answered when it has ended (WHATWG Fetch, section 5.4).
      ...(sent === undefined ? {} : { body: sent.body, duplex: 'half' as const }),
    };
  }
}

const isStreamed = ({ content }: AnyRequest) => content?.body instanceof ReadableStream;

const isPassing = (error: unknown) =>
  error instanceof NoAnswer || (error instanceof ApiError && PASSING.has(error.status));

/** `fetch` says only that it failed; the cause says why. */
function reasonOf({ cause, message }: Error): string {
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}

function isPage(value: unknown): value is { items: unknown[]; nextCursor: string | null } {
  if (typeof value !== 'object' || value === null) return false;
  const { items, nextCursor } = value as Readonly<Record<string, unknown>>;
  return Array.isArray(items) && (nextCursor === null || typeof nextCursor === 'string');
}

const sleepFor = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
