/** Certificates made with OpenSSL, as an administrator would do it. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends CertificatePair {
  /** PEM file of the CA certificate. */
  readonly file: string;
  /** A certificate for 127.0.0.1 and localhost, as texts. @param days from now until it expires */
  issue(name: string, days?: number): CertificatePair;
}

const openssl = (args: readonly string[]) =>
  execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** A CA in an existing folder. */
export function newAuthority(folder: string, name = 'Test CA'): Authority {
  const file = join(folder, 'ca.pem');
  const keyFile = join(folder, 'ca.key');
  openssl([
    ...['req', '-x509', ...KEY, '-days', '30', '-subj', `/CN=${name}`],
    ...['-keyout', keyFile, '-out', file],
  ]);
  let issued = 0;
  return {
    file,
    cert: readFileSync(file, 'utf8'),
    key: readFileSync(keyFile, 'utf8'),
    issue(subject, days = 20) {
      const at = (ending: string) => join(folder, `issued-${issued}.${ending}`);
      issued += 1;
      openssl(['req', ...KEY, '-subj', `/CN=${subject}`, '-keyout', at('key'), '-out', at('csr')]);
      writeFileSync(at('ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
      openssl([
        ...['x509', '-req', '-in', at('csr'), '-CA', file, '-CAkey', keyFile, '-CAcreateserial'],
        ...['-days', String(days), '-extfile', at('ext'), '-out', at('pem')],
      ]);
      return { cert: readFileSync(at('pem'), 'utf8'), key: readFileSync(at('key'), 'utf8') };
    },
  };
}
