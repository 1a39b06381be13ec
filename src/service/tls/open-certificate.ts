/** Opens the certificate that a server’s settings name, with its metrics and log. */
import { type Logger } from 'pino';
import { Gauge, type Registry } from 'prom-client';
import { BadSettings } from '../bad-settings.js';
import { UnusableCertificate } from './certificate.js';
import {
  type CertificateFiles,
  type CertificateListeners,
  readCertificate,
  ServerCertificate,
} from './server-certificate.js';

export interface TlsSettings {
  /** PEM file of the server’s certificate and intermediate CAs; undefined: plain HTTP. */
  readonly tlsCert?: string | undefined;
  /** PEM file of its key. */
  readonly tlsKey?: string | undefined;
  /** How long browsers must insist on HTTPS for this host, seconds; 0: no such header. */
  readonly hstsSeconds?: number | undefined;
}

/** A year. */
export const DEFAULT_HSTS_SECONDS = 365 * 24 * 60 * 60;

/** Metric that `otaops doctor` and alerts read. */
const EXPIRES = 'otaops_tls_certificate_expires_timestamp_seconds';

/** @param registry where the metrics are shown; without a certificate they have no value */
export function watchCertificate(registry: Registry, log: Logger): CertificateListeners {
  const registers = [registry];
  // Without a label, the metric would have the value 0 before there is a certificate.
  const labelNames = ['listener'] as const;
  const expiry = new Gauge({
    name: EXPIRES,
    help: 'When the certificate in use, or one in its chain, expires, Unix time.',
    labelNames,
    registers,
  });
  const stale = new Gauge({
    name: 'otaops_tls_certificate_files_unusable',
    help: '1 while the files cannot be used and the server keeps its earlier certificate.',
    labelNames,
    registers,
  });
  const listener = 'http';
  return {
    onLoaded: (expires) => {
      expiry.set({ listener }, expires / 1000);
      stale.set({ listener }, 0);
      log.info({ expires: new Date(expires) }, 'the certificate of the HTTP interface is loaded');
    },
    onProblem: (error) => {
      stale.set({ listener }, error ? 1 : 0);
      if (error)
        log.warn({ err: error }, 'the new certificate is unusable; keeping the earlier one');
      else log.info('the files of the certificate are usable again');
    },
  };
}

/** Refuses files that cannot be used before anything else is opened. @throws BadSettings */
export async function checkCertificate(settings: TlsSettings): Promise<void> {
  await withFiles(settings, readCertificate);
}

/** @returns undefined: plain HTTP @throws BadSettings */
export function openCertificate(
  settings: TlsSettings,
  listeners: CertificateListeners,
): Promise<ServerCertificate | undefined> {
  return withFiles(settings, (files) => ServerCertificate.open(files, listeners));
}

async function withFiles<T>(
  { tlsCert, tlsKey }: TlsSettings,
  work: (files: CertificateFiles) => Promise<T>,
): Promise<T | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new BadSettings('--tls-cert and --tls-key must be given together');
  }
  try {
    return await work({ certFile: tlsCert, keyFile: tlsKey });
  } catch (error) {
    if (!(error instanceof UnusableCertificate)) throw error;
    throw new BadSettings(`--tls-cert, --tls-key: ${error.message}`);
  }
}
