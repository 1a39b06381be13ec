/**
 * Posts a batch to a receiver. Each address is checked when connecting, so that no change in the DNS leads to a forbidden
 * address; redirects are not followed.
 */
import { lookup as dnsLookup } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { type AddressGuard } from './address-guard.js';

/** The receiver has not answered with 2xx. */
export class NotAccepted extends Error {
  override readonly name = 'NotAccepted';
  /** Seconds that the receiver asks us to wait (RFC 9110, Retry-After); undefined: it does not ask. */
  readonly retryAfter: number | undefined;
  /** HTTP status of its answer; undefined: no answer. */
  readonly status: number | undefined;

  constructor(message: string, status?: number, retryAfter?: number) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** The URL leads to an address that call-backs may not use. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
}

/** Timeout of a request. */
const TIMEOUT_MS = 15_000;
const MAX_RETRY_AFTER_SECONDS = 3_600;
/** Idle connections are closed after this time. */
const KEEP_ALIVE_MS = 10_000;

export interface Poster {
  /** @throws NotAccepted, ForbiddenAddress, Error where the connection fails */
  post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<void>;
  /** @throws ForbiddenAddress where the URL itself contains a forbidden address */
  check(url: string): void;
  close(): void;
}

export interface PosterOptions {
  readonly timeoutMs?: number;
  /** Resolves names; `dns.lookup` except in tests. */
  readonly resolve?: typeof dnsLookup;
  /** CAs of receivers, PEM; absent: the well-known ones. */
  readonly ca?: string[] | undefined;
}

export function createPoster(
  mayCall: AddressGuard,
  { timeoutMs = TIMEOUT_MS, resolve: resolveName = dnsLookup, ca }: PosterOptions = {},
): Poster {
  const lookup: LookupFunction = (hostname, options, done) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) {
        done(error, '', 0);
        return;
      }
      const allowed = addresses.filter(({ address }) => mayCall(address));
      const [first] = allowed;
      if (!first) {
        const found = addresses.map(({ address }) => address).join(', ');
        done(forbidden(hostname, found), '', 0);
      } else if (options.all) done(null, allowed);
      else done(null, first.address, first.family);
    });
  };
  const settings = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, maxSockets: 4 };
  const agents = {
    'http:': new http.Agent(settings),
    'https:': new https.Agent({ ...settings, ca }),
  };

  const check = (url: string) => checkAddress(url, mayCall);
  return {
    check,
    async post(url, headers, body) {
      check(url);
      const attempt = () => send(url, headers, body);
      // A receiver may close an idle connection just when it is reused.
      await attempt().catch((error: unknown) => {
        if (error instanceof StaleConnection) return attempt();
        throw error;
      });
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };

  function send(url: string, headers: Readonly<Record<string, string>>, body: string) {
    const { protocol } = new URL(url);
    const { request } = protocol === 'https:' ? https : http;
    const agent = agents[protocol as keyof typeof agents];
    return new Promise<void>((resolve, reject) => {
      const outgoing = request(url, {
        method: 'POST',
        agent,
        lookup,
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          ...headers,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        const isStale = outgoing.reusedSocket && error.code === 'ECONNRESET';
        reject(isStale ? new StaleConnection(error.message) : error);
      });
      outgoing.on('response', (response) => {
        // The answer's content is not needed, and may be endless.
        response.on('error', reject);
        response.resume();
        const { statusCode = 0 } = response;
        if (statusCode >= 200 && statusCode < 300) {
          response.on('end', resolve);
          return;
        }
        response.destroy();
        const redirect =
          statusCode >= 300 && statusCode < 400 ? ' (redirects are not followed)' : '';
        reject(
          new NotAccepted(
            `the receiver answered ${statusCode}${redirect}`,
            statusCode,
            retryAfter(response.headers['retry-after']),
          ),
        );
      });
      outgoing.end(body);
    });
  }
}

/** @throws ForbiddenAddress where the URL itself contains a forbidden address */
export function checkAddress(url: string, mayCall: AddressGuard): void {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  // Connecting to an address in the URL involves no lookup.
  if (isIP(host) !== 0 && !mayCall(host)) throw forbidden(url, host);
}

class StaleConnection extends Error {
  override readonly name = 'StaleConnection';
}

const forbidden = (host: string, address: string) =>
  new ForbiddenAddress(
    `${host} is ${address}: call-backs to this address are forbidden; --callback-allow permits a network`,
  );

function retryAfter(header: string | undefined): number | undefined {
  const seconds = Number(header);
  return header === undefined || !(seconds >= 0)
    ? undefined
    : Math.min(seconds, MAX_RETRY_AFTER_SECONDS);
}
