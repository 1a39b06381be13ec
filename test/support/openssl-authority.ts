/** Certificates made by OpenSSL, a foreign implementation: authorities, servers, vehicles, revocation lists. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './servers.js';

/** Paths of PEM files. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface VehicleCertificate {
  /** OpenSSL's `-subj`; default: the system_id as CN. */
  readonly subject?: string;
  /** Lines with its extensions. */
  readonly extensions?: readonly string[];
  /** As OpenSSL's `ca -startdate` has them: `20200101000000Z`. */
  readonly from?: string;
  readonly until?: string;
  /** OpenSSL's `-newkey`; default: a key on P-256. */
  readonly newKey?: string;
  /** Digest of the signature; default: SHA-256. */
  readonly digest?: string;
  /** An authority issued by this one, which signs instead of it. */
  readonly issuer?: Pair;
}

export class OpensslAuthority {
  readonly folder = temporaryDirectory('authority');
  readonly ca = join(this.folder, 'ca.pem');
  readonly crl = join(this.folder, 'crl.pem');
  #number = 0;

  constructor(name = 'Test Authority') {
    const { folder } = this;
    writeFileSync(join(folder, 'index.txt'), '');
    writeFileSync(join(folder, 'crlnumber'), '01\n');
    writeFileSync(join(folder, 'ca.cnf'), CONFIGURATION);
    openssl(folder, 'req', '-x509', ...NEW_KEY, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', `/CN=${name}`, '-days', '30', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'); // prettier-ignore
    this.writeCrl();
  }

  server(host = '127.0.0.1'): Pair {
    return this.issue('server', {
      subject: '/CN=server',
      extensions: [`subjectAltName=IP:${host},DNS:localhost`, 'extendedKeyUsage=serverAuth'],
    });
  }

  issue(systemId: string, given: VehicleCertificate = {}): Pair {
    const {
      subject = `/CN=${systemId}`,
      extensions = ['extendedKeyUsage=clientAuth'],
      from,
      until,
      newKey,
      digest = 'sha256',
      issuer,
    } = given;
    const name = `${++this.#number}`;
    const { folder } = this;
    openssl(folder, 'req', ...(newKey === undefined ? NEW_KEY : ['-newkey', newKey, '-nodes']), '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject); // prettier-ignore
    writeFileSync(join(folder, `${name}.ext`), extensions.join('\n'));
    openssl(folder, 'ca', '-config', 'ca.cnf', '-batch', '-notext', '-md', digest, ...(issuer ? ['-cert', issuer.cert, '-keyfile', issuer.key] : []), '-in', `${name}.csr`, '-out', `${name}.pem`, '-extfile', `${name}.ext`, ...(from === undefined ? [] : ['-startdate', from]), ...(until === undefined ? ['-days', '10'] : ['-enddate', until])); // prettier-ignore
    return { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  }

  /** As `openssl x509 -serial` prints it. */
  serialOf({ cert }: Pair): string {
    const printed = openssl(this.folder, 'x509', '-in', cert, '-noout', '-serial');
    return printed.trim().replace('serial=', '');
  }

  /** Revokes it in the list, the file `crl`. */
  revoke({ cert }: Pair): void {
    openssl(this.folder, 'ca', '-config', 'ca.cnf', '-revoke', cert);
    this.writeCrl();
  }

  writeCrl(): void {
    openssl(this.folder, 'ca', '-config', 'ca.cnf', '-gencrl', '-out', 'crl.pem', '-crldays', '7');
  }
}

/** @returns standard output @throws Error with OpenSSL's message */
export function openssl(cwd: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('openssl', args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/**
 * Runs an external client while servers in this process keep running.
 *
 * @returns standard output and standard error together
 */
export function runClient(
  program: string,
  args: readonly string[],
  input = '',
): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { timeout: 60_000 });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** The contents of a pair, for clients that take PEM. */
export const pemOf = ({ cert, key }: Pair) => ({
  cert: readFileSync(cert),
  key: readFileSync(key),
});

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

const CONFIGURATION = `
[ca]
default_ca = own
[own]
dir = .
database = index.txt
rand_serial = yes
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
crlnumber = crlnumber
default_md = sha256
policy = any
unique_subject = no
copy_extensions = none
[any]
countryName = optional
organizationName = optional
organizationalUnitName = optional
serialNumber = optional
commonName = optional
[req]
distinguished_name = dn
[dn]
`;
