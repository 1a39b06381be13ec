/** The adapter's HTTP interface as commands use it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from './usage-error.js';

export interface AdapterAddress {
  readonly url: string;
  readonly token: string | undefined;
  /** Where the first token of an adapter on this machine is. */
  readonly dataDir: string;
}

/** The adapter has refused a request. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Nothing answers at the address. */
export class AdapterUnreachable extends Error {
  override readonly name = 'AdapterUnreachable';
}

interface Problem {
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly errors?: readonly { path: string; message: string }[];
}

interface Upload {
  readonly contentType: string;
  readonly body: string | ReadableStream<Uint8Array>;
}

/** Values that are undefined are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** A path with its parts and query encoded: `path(['ota', 'operations', refId], { limit: 5 })`. */
export function path(parts: readonly string[], query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value));
  }
  const text = search.toString();
  return `/v1.0/${parts.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}

export class AdapterClient {
  readonly #url: string;
  readonly #token: string;

  private constructor(url: string, token: string) {
    this.#url = url.replace(/\/$/, '');
    this.#token = token;
  }

  /** With the given token, else with the one that the first start has left in the data directory. */
  static async connect({ url, token, dataDir }: AdapterAddress): Promise<AdapterClient> {
    const file = join(dataDir, 'token');
    const secret = token ?? (await readFile(file, 'utf8').catch(() => undefined))?.trim();
    if (secret === undefined) {
      throw new UsageError(`no token: give --token or OTAOPS_TOKEN (there is no ${file})`);
    }
    return new AdapterClient(url, secret);
  }

  /** @throws RequestRefused, AdapterUnreachable */
  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const upload = { contentType: 'application/json', body: JSON.stringify(body, onlyJson) };
    return answerOf<T>(await this.#send(method, path, body === undefined ? undefined : upload));
  }

  /** Sends a body that is no JSON. @throws RequestRefused, AdapterUnreachable */
  async upload<T>(path: string, upload: Upload): Promise<T> {
    return answerOf<T>(await this.#send('POST', path, upload));
  }

  /**
   * The answer as it comes, for what does not fit into memory or does not end.
   *
   * @throws RequestRefused, AdapterUnreachable
   */
  async stream(path: string, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const { body } = await this.#send('GET', path, undefined, signal);
    if (!body) throw new Error('the answer has no body');
    return body;
  }

  /**
   * The items of a list, page by page.
   *
   * @param most maximum number of items
   */
  async *items<T>(parts: readonly string[], query: Query, most: number): AsyncGenerator<T> {
    let left = most;
    for (let cursor: string | null | undefined; left > 0 && cursor !== null;) {
      const limit = Math.min(left, MAX_PAGE);
      const page: { items: T[]; nextCursor: string | null } = await this.request(
        'GET',
        path(parts, { ...query, limit, cursor }),
      );
      yield* page.items;
      left -= page.items.length;
      cursor = page.nextCursor;
    }
  }

  async #send(
    method: string,
    path: string,
    upload: Upload | undefined,
    signal?: AbortSignal,
  ): Promise<Response> {
    const response = await fetch(this.#url + path, {
      method,
      headers: {
        'authorization-token': this.#token,
        ...(upload ? { 'content-type': upload.contentType } : {}),
      },
      // A stream is sent as it is read, and answered when it has ended (WHATWG Fetch, 5.4).
      ...(upload ? { body: upload.body, duplex: 'half' as const } : {}),
      ...(signal ? { signal } : {}),
    }).catch((error: unknown) => {
      if (signal?.aborted) throw error;
      const cause = (error as Error).cause as Error | undefined;
      throw new AdapterUnreachable(
        `no adapter answers at ${this.#url}: ${(cause ?? (error as Error)).message}`,
      );
    });
    if (!response.ok) throw await refusalOf(response);
    return response;
  }
}

/** JSON has no NaN: `JSON.stringify` would write null, which often means “no limit”. */
function onlyJson(name: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new UsageError(`${name} must be a number`);
  }
  return value;
}

const MAX_PAGE = 1_000;

async function answerOf<T>(response: Response): Promise<T> {
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

async function refusalOf(response: Response): Promise<RequestRefused> {
  const text = await response.text();
  let problem: Problem;
  try {
    problem = JSON.parse(text) as Problem;
  } catch {
    // Something else than an adapter answers.
    return new RequestRefused(response.status, String(response.status), response.statusText);
  }
  const fields = (problem.errors ?? []).map(({ path, message }) => `\n  ${path} ${message}`);
  return new RequestRefused(
    response.status,
    problem.errorCode ?? String(response.status),
    `${problem.errorMessage ?? response.statusText}${fields.join('')}`,
  );
}
