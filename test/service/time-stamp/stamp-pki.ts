/** Certificates and time stamps by OpenSSL, as right or wrong as a test needs them. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  childrenOf,
  contextTag,
  der,
  type Element,
  integer,
  octets,
  oid,
  readDer,
  sequence,
  TAG,
} from '../../../src/asn1/index.js';
import { timeStampRequest } from '../../../src/service/time-stamp/time-stamp-request.js';
import { OID } from '../../../src/x509/index.js';
import { temporaryDirectory } from '../../support/servers.js';

/** Paths of PEM files. */
export interface Holder {
  readonly cert: string;
  readonly key: string;
}

interface Wanted {
  readonly subject: string;
  /** undefined: self-signed. */
  readonly issuer?: Holder;
  readonly extensions: readonly string[];
  /** OpenSSL's `-newkey`; default: EC on P-256. */
  readonly newKey?: string;
  /** Used instead of a new key. */
  readonly key?: string;
  readonly days?: number;
  readonly digest?: string;
  readonly serial?: number;
}

export const AUTHORITY = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'];
export const SIGNER = [
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=critical,timeStamping',
];

const folder = temporaryDirectory('stamp-pki');
const openssl = (...args: string[]) =>
  execFileSync('openssl', args, { stdio: 'pipe', cwd: folder });
let number = 0;

export function certify(wanted: Wanted): Holder {
  const { subject, issuer, extensions, newKey = 'ec', days = 30, digest = 'sha256' } = wanted;
  const name = `${++number}`;
  const key = wanted.key ?? `${name}.key`;
  const curve = newKey === 'ec' ? ['-pkeyopt', 'ec_paramgen_curve:P-256'] : [];
  const keyOptions = wanted.key
    ? ['-new', '-key', key]
    : ['-newkey', newKey, ...curve, '-nodes', '-keyout', key];
  const config = `[req]\ndistinguished_name = dn\nx509_extensions = ext\n[dn]\n[ext]\n`;
  writeFileSync(join(folder, `${name}.cnf`), `${config}${extensions.join('\n')}\n`);
  const signedBy = issuer ? ['-CA', issuer.cert, '-CAkey', issuer.key] : [];
  openssl(
    ...['req', '-x509', '-config', `${name}.cnf`, ...keyOptions, '-subj', `/CN=${subject}`],
    ...[...signedBy, '-days', `${days}`, `-${digest}`],
    ...['-set_serial', `${wanted.serial ?? 1000 + number}`, '-out', `${name}.pem`],
  );
  return { cert: `${name}.pem`, key };
}

export const certificateOf = ({ cert }: Holder): X509Certificate =>
  new X509Certificate(readFileSync(join(folder, cert)));

/** The answer of `openssl ts -reply`. @param chain certificates in the token beside the signer's */
export function reply(
  imprint: string,
  signer: Holder,
  chain: readonly Holder[],
  { signerDigest = 'sha256', idDigest = 'sha256' } = {},
): Buffer {
  const name = `${++number}`;
  const inFolder = (file: string) => join(folder, file);
  writeFileSync(inFolder(`${name}.tsq`), timeStampRequest(imprint, 1n));
  writeFileSync(inFolder(`${name}.chain`), Buffer.concat(chain.map(({ cert }) => readFileSync(inFolder(cert))))); // prettier-ignore
  writeFileSync(inFolder(`${name}.serial`), '01\n');
  writeFileSync(
    inFolder(`${name}.cnf`),
    `[ t ]
serial = ${inFolder(`${name}.serial`)}
signer_cert = ${inFolder(signer.cert)}
signer_key = ${inFolder(signer.key)}
certs = ${inFolder(`${name}.chain`)}
signer_digest = ${signerDigest}
ess_cert_id_alg = ${idDigest}
default_policy = 1.2.3.4.1
digests = sha256
`,
  );
  openssl('ts', '-reply', '-config', `${name}.cnf`, '-section', 't', '-queryfile', `${name}.tsq`, '-out', `${name}.tsr`); // prettier-ignore
  return readFileSync(inFolder(`${name}.tsr`));
}

/** A time stamp that `openssl ts` would not make: signed with `openssl cms`. @param time ms */
export function signTimeStamp(
  imprint: string,
  signer: Holder,
  chain: readonly Holder[],
  { time = Date.now(), options = ['-cades'] }: { time?: number; options?: readonly string[] } = {},
): Buffer {
  const name = `${++number}`;
  const digits = new Date(time).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  const info = sequence(
    integer(1n),
    oid('1.2.3.4.1'),
    sequence(sequence(oid(OID.sha256), der(TAG.null)), octets(Buffer.from(imprint, 'hex'))),
    integer(1n),
    der(TAG.generalizedTime, Buffer.from(digits)),
  );
  writeFileSync(join(folder, `${name}.info`), info);
  const chainFile = join(folder, `${name}.chain`);
  writeFileSync(
    chainFile,
    Buffer.concat(chain.map(({ cert }) => readFileSync(join(folder, cert)))),
  );
  openssl(
    ...['cms', '-sign', '-binary', '-nodetach', '-in', `${name}.info`, '-outform', 'DER'],
    ...['-econtent_type', '1.2.840.113549.1.9.16.1.4', '-md', 'sha256', ...options],
    ...['-signer', signer.cert, '-inkey', signer.key, '-out', `${name}.token`],
    ...(chain.length > 0 ? ['-certfile', chainFile] : []),
  );
  return sequence(sequence(integer(0n)), readFileSync(join(folder, `${name}.token`)));
}

/** The same answer with other certificates, which no signature covers. */
export function withCertificates(answer: Buffer, holders: readonly Holder[]): Buffer {
  const [status, token] = childrenOf(readDer(answer, TAG.sequence)) as [Element, Element];
  const [type, content] = childrenOf(token) as [Element, Element];
  const [signedData] = childrenOf(content) as [Element];
  const certificates = der(contextTag(0, true), ...holders.map((one) => certificateOf(one).raw));
  const parts = childrenOf(signedData).map(({ tag, bytes }) =>
    tag === contextTag(0, true) ? certificates : bytes,
  );
  const changed = der(contextTag(0, true), sequence(...parts));
  return sequence(status.bytes, sequence(type.bytes, changed));
}
