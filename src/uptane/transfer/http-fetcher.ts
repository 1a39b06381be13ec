/**
 * Files over HTTP (POUF, section 1): 200 with the file, 404 or 403 when there is none. No redirects, no compression:
 * hashes are over bytes as served.
 *
 * `node:http` and not `fetch`: that one decompresses, follows, and resolves `..` in paths, all of which a repository
 * must have no say in.
 */
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type Fetcher, Unreachable } from './fetcher.js';

/** There is no such file. S3 and others say 403, so as not to tell who may not list. */
const ABSENT = new Set([404, 403]);

export class HttpFetcher implements Fetcher {
  readonly #base: URL;

  /** @param base `http:` or `https:`; a `/` at its end does not matter */
  constructor(base: URL) {
    this.#base = base;
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
          // An IPv6 address is without its brackets here.
          hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
          port,
          path: `${pathname.replace(/\/$/, '')}/${path}`,
          headers: { 'accept-encoding': 'identity' },
          ...(username === '' ? {} : { auth: `${decode(username)}:${decode(password)}` }),
          // A connection of its own each time: none that the server has just closed is used again.
          agent: false,
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
