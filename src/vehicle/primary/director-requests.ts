/** Requests of a Primary to the Director: vehicle version manifest, and time. */
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tooLong } from '../../uptane/checks/length.js';
import { Refusal } from '../../uptane/refusal.js';
import { LARGEST_SIGNED_TIME, timeRequest } from '../../uptane/time/signed-time.js';
import { type ClientTls } from '../client-tls.js';
import { SourceUnreachable } from '../update/equipment.js';

export interface DirectorRequestsOptions {
  /** URL of this vehicle, including its VIN. */
  readonly url: URL;
  /** Sent with each request, e.g. a credential. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly tls?: ClientTls | undefined;
  /** Timeout of a request including its answer, ms. */
  readonly limitMs?: number | undefined;
}

const LIMIT_MS = 30_000;
/** Maximum answer to a manifest, which is at most a problem document, bytes. */
const LONGEST_PROBLEM = 16 * 1024;
const LONGEST_DETAIL = 300;

/** The request has failed; a retry may succeed. */
export class TryLater extends Error {
  override readonly name = 'TryLater';
}

export class DirectorRequests {
  readonly #options: DirectorRequestsOptions;

  constructor(options: DirectorRequestsOptions) {
    this.#options = options;
  }

  /** @throws TryLater; SourceUnreachable if the Director rejects it; Refusal */
  async sendManifest(manifest: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#post('manifest', manifest, LONGEST_PROBLEM, signal);
  }

  /** @returns the signed time, not verified @throws TryLater; SourceUnreachable; Refusal */
  askTime(nonces: readonly string[], signal: AbortSignal): Promise<Uint8Array> {
    return this.#post('time', timeRequest(nonces), LARGEST_SIGNED_TIME, signal);
  }

  async #post(
    what: 'manifest' | 'time',
    body: Uint8Array,
    limit: number,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { limitMs = LIMIT_MS } = this.#options;
    const late = AbortSignal.timeout(limitMs);
    try {
      const ending = AbortSignal.any([signal, late]);
      const response = await this.#send(what, body, ending);
      const answer = await limited(response, limit, what);
      const { statusCode = 0 } = response;
      if (statusCode === 200 || statusCode === 204) return answer;
      const said = `the Director answers the ${what} with HTTP ${statusCode}${detailOf(answer)}`;
      const passes = statusCode >= 500 || statusCode === 429 || statusCode === 408;
      throw passes ? new TryLater(said) : new SourceUnreachable(said);
    } catch (error) {
      signal.throwIfAborted();
      const isFinal = error instanceof SourceUnreachable || error instanceof Refusal;
      if (isFinal || error instanceof TryLater) throw error;
      const reason = late.aborted ? `no answer in ${limitMs / 1000} s` : (error as Error).message;
      throw new TryLater(`the Director cannot be reached: ${reason}`);
    }
  }

  #send(what: string, body: Uint8Array, signal: AbortSignal): Promise<IncomingMessage> {
    const { url, headers, tls } = this.#options;
    const address = new URL(url);
    address.pathname = `${address.pathname.replace(/\/$/, '')}/${what}`;
    const request = address.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      request(
        address,
        {
          method: 'POST',
          headers: {
            ...headers,
            'content-type': 'application/json',
            'content-length': body.length,
            'accept-encoding': 'identity',
          },
          agent: false,
          ...tls?.options,
          signal,
        },
        resolve,
      )
        .on('error', reject)
        .end(body);
    });
  }
}

async function limited(response: IncomingMessage, limit: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    total += chunk.length;
    if (total > limit) {
      response.destroy();
      throw tooLong({ repository: 'director', role: what }, limit);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The message of a problem document (RFC 9457). */
function detailOf(answer: Buffer): string {
  try {
    const { errorMessage, detail } = JSON.parse(answer.toString()) as Record<string, unknown>;
    const text = errorMessage ?? detail;
    return typeof text === 'string' ? `: ${text.slice(0, LONGEST_DETAIL)}` : '';
  } catch {
    return '';
  }
}
