/** Settings of TLS at the HTTP interfaces (docs/deployment.md). */
import { DEFAULT_HSTS_SECONDS } from '../../service/tls/open-certificate.js';
import { parseCount } from './parsers.js';
import { type Setting } from './settings.js';

export const CA: Setting<string> = {
  flag: '--ca <file>',
  description: 'PEM file of additional CAs to trust when calling other servers over HTTPS',
};
const TLS_CERT: Setting<string> = {
  flag: '--tls-cert <file>',
  description:
    'PEM file of the HTTP interface’s certificate and its intermediate CAs, read again when it changes (default: plain HTTP)',
};
const TLS_KEY: Setting<string> = {
  flag: '--tls-key <file>',
  description: 'PEM file of its key',
};
const HSTS_SECONDS: Setting<number> = {
  flag: '--hsts-seconds <seconds>',
  description:
    'with --tls-cert: how long browsers insist on HTTPS for this host, on all of its ports; 0: no such header',
  default: DEFAULT_HSTS_SECONDS,
  parse: parseCount,
};

export const TLS_SETTINGS = [TLS_CERT, TLS_KEY, HSTS_SECONDS, CA] as const;
