/**
 * Files over HTTP (POUF, section 1): 200 with the file, 404 or 403 when there is none. No redirects, no compression:
 * hashes are over bytes as served.
 *
 * `node:http` instead of `fetch`, which decompresses bodies, follows redirects and resolves `..` in paths.
 */
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type Fetcher, Unreachable } from './fetcher.js';

/** No such file. S3 answers 403 to clients that may not list the bucket. */
const ABSENT = new Set([404, 403]);

/** PEM. */
export type TlsOptions = Partial<Record<'ca' | 'cert' | 'key', string>>;

export class HttpFetcher implements Fetcher {
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #tls: () => TlsOptions;

  /**
   * @param base `http:` or `https:`; a `/` at its end does not matter
   * @param headers sent with each request, e.g. a credential
   * @param tls called before each request: trusted CAs, and the client certificate
   */
  constructor(
    base: URL,
    headers: Readonly<Record<string, string>> = {},
    tls: () => TlsOptions = () => ({}),
  ) {
    this.#base = base;
    this.#headers = headers;
    this.#tls = tls;
  }

  async fetch(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
    const response = await this.#answer(path, signal);
    const { statusCode = 0 } = response;
    if (statusCode === 200) return body(response);
    response.destroy();
    if (ABSENT.has(statusCode)) return undefined;
    throw new Unreachable(`the server answers with status ${statusCode}`);
  }

  #answer(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { protocol, hostname, port, username, password, pathname } = this.#base;
    const request = protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      request(
        {
          protocol,
          // IPv6 addresses have no brackets here.
          hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
          port,
          path: `${pathname.replace(/\/$/, '')}/${path}`,
          headers: { ...this.#headers, 'accept-encoding': 'identity' },
          ...(username === '' ? {} : { auth: `${decode(username)}:${decode(password)}` }),
          // A new connection each time, to avoid reusing one that the server has just closed.
          agent: false,
          ...this.#tls(),
          signal,
        },
        resolve,
      )
        .on('error', (error) => reject(unreachable(error)))
        .end();
    });
  }
}

const decode = decodeURIComponent;

async function* body(response: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) yield chunk as Buffer;
  } catch (error) {
    throw unreachable(error as Error);
  }
}

const unreachable = (error: Error) =>
  new Unreachable(`the connection has failed: ${error.message}`);
