/** Limits of an HTTP server, each a setting (docs/deployment.md). */
import { type ConnectionLimits } from './connection-count.js';
import { type LoadLimits } from './loads.js';

export interface HttpLimits {
  readonly connections: ConnectionLimits;
  /** Timeout for the complete headers of a request, from its start or that of the connection, seconds. */
  readonly headersSeconds: number;
  /** In each such period at least {@link SLOWEST_BODY} bytes of a request's body must arrive, seconds. */
  readonly bodySeconds: number;
  readonly loads: LoadLimits;
  /**
   * Addresses and networks of proxies in front of the server. Their X-Forwarded-For header is trusted, and they may
   * have any number of connections.
   */
  readonly trustedProxies: readonly string[];
}

/** Bytes of a body that must arrive within `bodySeconds`, so that a client cannot hold a connection with single bytes. */
export const SLOWEST_BODY = 4 * 1024;

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  connections: { inAll: 20_000, perAddress: 10_000 },
  headersSeconds: 20,
  bodySeconds: 30,
  // TLS is usually terminated by a proxy on the same machine.
  trustedProxies: ['127.0.0.0/8', '::1/128'],
  loads: {
    stream: { perToken: 50, inAll: 2_000 },
    export: { perToken: 4, inAll: 16 },
    search: { perToken: 4, inAll: 8 },
    upload: { perToken: 8, inAll: 64 },
    // Each occupies a connection of the reading lane: lists, searches and the audit log need some, too.
    dossier: { perToken: 1, inAll: 2 },
  },
};

/** The metric of refusals, by limit. */
export const REFUSALS = {
  name: 'otaops_limit_refusals_total',
  help: 'Connections, requests and messages that a limit of this process has refused, by limit.',
};

/** Names of limits in the metric of refusals. */
export type HttpLimit =
  | 'http-connections'
  | 'http-connections-per-address'
  | 'http-slow-headers'
  | 'http-slow-body'
  | 'streams'
  | 'exports'
  | 'searches'
  | 'uploads'
  | 'artifact-quota'
  | 'script-quota'
  | 'dossiers'
  | 'sign-ins'
  | 'certificates';
