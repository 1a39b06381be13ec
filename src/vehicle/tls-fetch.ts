/**
 * `fetch` over TLS with a client certificate, which the `fetch` of Node.js does not support. It follows no redirects, which
 * could send the certificate elsewhere. Each request uses a separate connection with the current certificate.
 */
import { request as httpsRequest } from 'node:https';
import { type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { type ClientTls } from './client-tls.js';

/** Statuses without a body (WHATWG Fetch, section 2.2.3). */
const WITHOUT_BODY = new Set([101, 204, 205, 304]);

export const tlsFetch =
  (tls: ClientTls): typeof fetch =>
  async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.protocol !== 'https:') return fetch(input, init);
    const { method = 'GET', headers, body, signal } = init;
    if (body !== undefined && body !== null && typeof body !== 'string') {
      throw new TypeError('only texts are sent with a client certificate');
    }
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      httpsRequest(
        url,
        {
          method,
          headers: Object.fromEntries(new Headers(headers)),
          agent: false,
          ...tls.options,
          ...(signal ? { signal } : {}),
        },
        resolve,
      )
        .on('error', reject)
        .end(body ?? undefined);
    });
    const { statusCode = 0, statusMessage = '' } = response;
    const pairs = Object.entries(response.headersDistinct).flatMap(([name, values = []]) =>
      values.map((value): [string, string] => [name, value]),
    );
    const content = WITHOUT_BODY.has(statusCode) ? null : Readable.toWeb(response);
    return new Response(content as ReadableStream<Uint8Array> | null, {
      status: statusCode,
      statusText: statusMessage,
      headers: pairs,
    });
  };
