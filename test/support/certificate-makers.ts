/** Two independent certificate generators, so that no parser is tested only against its own generator. */
import { execFileSync } from 'node:child_process';
import { constants, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export type Usage = 'digitalSignature' | 'keyEncipherment' | 'keyCertSign' | 'cRLSign';

export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  /** DER in hexadecimal. */
  readonly value: string;
}

/** A certificate to be generated; omitted extensions are absent. */
export interface Wanted {
  readonly name: string;
  readonly keys: KeyPair;
  /** Absent: self-signed. */
  readonly issuer?: Made;
  readonly digest?: 'sha256' | 'sha384' | 'sha1' | 'md5' | undefined;
  /** Signed by RSASSA-PSS. */
  readonly pss?: boolean | undefined;
  readonly version?: 1 | 3 | undefined;
  /** basicConstraints. */
  readonly constraints?: { readonly authority: boolean; readonly pathLength?: number } | undefined;
  readonly usage?: readonly Usage[] | undefined;
  /** extendedKeyUsage, OIDs. */
  readonly purposes?: readonly string[] | undefined;
  readonly others?: readonly Extension[] | undefined;
}

export interface Made {
  readonly certificate: X509Certificate;
  readonly keys: KeyPair;
}

export type Maker = (wanted: Wanted) => Made;

const pemOf = ({ privateKey }: KeyPair) =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const opensslConstraints = ({ authority, pathLength }: NonNullable<Wanted['constraints']>) =>
  `basicConstraints = critical, CA:${authority ? 'TRUE' : 'FALSE'}` +
  (pathLength === undefined ? '' : `, pathlen:${pathLength}`);

/** With the command `openssl`, valid from now for 30 days. */
export const opensslMaker: Maker = (wanted) => {
  const { name, keys, issuer, digest = 'sha256', pss, version, constraints, usage } = wanted;
  const { purposes, others = [] } = wanted;
  const directory = mkdtempSync(join(tmpdir(), 'otaops-openssl-'));
  const file = (called: string, content: string) => {
    const path = join(directory, called);
    writeFileSync(path, content);
    return path;
  };
  try {
    const extensions = [
      ...(constraints ? [opensslConstraints(constraints)] : []),
      ...(usage ? [`keyUsage = critical, ${usage.join(', ')}`] : []),
      ...(purposes ? [`extendedKeyUsage = ${purposes.join(', ')}`] : []),
      ...others.map(
        ({ oid, critical, value }) => `${oid} = ${critical ? 'critical, ' : ''}DER:${value}`,
      ),
    ];
    const key = file('key.pem', pemOf(keys));
    const request = join(directory, 'request.pem');
    const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
    openssl('req', '-new', '-key', key, '-subj', `/CN=${name}`, '-out', request);
    const pem = openssl(
      ...['x509', '-req', '-in', request, '-days', '30', '-set_serial', '77', `-${digest}`],
      ...(pss ? ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'] : []),
      ...(issuer
        ? [
            ...['-CA', file('ca.pem', issuer.certificate.toString())],
            ...['-CAkey', file('ca-key.pem', pemOf(issuer.keys))],
          ]
        : ['-signkey', key]),
      ...(version === 1 ? [] : ['-extfile', file('extensions', extensions.join('\n'))]),
    );
    return { certificate: new X509Certificate(pem), keys };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

const DAY_MS = 24 * 60 * 60 * 1000;
const USAGE_BITS = { digitalSignature: 0x80, keyEncipherment: 0x20, keyCertSign: 0x04, cRLSign: 2 };
/** Algorithms by key and hash. */
const SIGNATURES = {
  ec: { sha1: '4.1', sha256: '4.3.2', sha384: '4.3.3', md5: '' },
  rsa: { sha1: '1.5', sha256: '1.11', sha384: '1.12', md5: '1.4' },
};
const HASHES = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1' };

function algorithmOf({ asymmetricKeyType }: KeyObject, { digest = 'sha256', pss }: Wanted) {
  if (asymmetricKeyType === 'ed25519') {
    return new pkijs.AlgorithmIdentifier({ algorithmId: '1.3.101.112' });
  }
  if (pss) {
    const algorithmId = digest === 'sha1' ? HASHES.sha1 : HASHES.sha256;
    const hashAlgorithm = new pkijs.AlgorithmIdentifier({ algorithmId });
    return new pkijs.AlgorithmIdentifier({
      algorithmId: '1.2.840.113549.1.1.10',
      algorithmParams: new pkijs.RSASSAPSSParams({
        hashAlgorithm,
        maskGenAlgorithm: new pkijs.AlgorithmIdentifier({
          algorithmId: '1.2.840.113549.1.1.8',
          algorithmParams: hashAlgorithm.toSchema(),
        }),
        saltLength: digest === 'sha1' ? 20 : 32,
      }).toSchema(),
    });
  }
  const isRsa = asymmetricKeyType === 'rsa';
  return new pkijs.AlgorithmIdentifier({
    algorithmId: isRsa
      ? `1.2.840.113549.1.${SIGNATURES.rsa[digest]}`
      : `1.2.840.10045.${SIGNATURES.ec[digest]}`,
    ...(isRsa ? { algorithmParams: new asn1js.Null() } : {}),
  });
}

function extensionsOf({ constraints, usage, purposes, others = [] }: Wanted): pkijs.Extension[] {
  const extension = (extnID: string, critical: boolean, extnValue: ArrayBuffer) =>
    new pkijs.Extension({ extnID, critical, extnValue });
  const bits = (usage ?? []).reduce((sum, name) => sum | USAGE_BITS[name], 0);
  const limit =
    constraints?.pathLength === undefined ? {} : { pathLenConstraint: constraints.pathLength };
  return [
    ...(constraints
      ? [
          extension(
            '2.5.29.19',
            true,
            new pkijs.BasicConstraints({ cA: constraints.authority, ...limit }).toSchema().toBER(),
          ),
        ]
      : []),
    ...(usage
      ? [
          extension(
            '2.5.29.15',
            true,
            new asn1js.BitString({ valueHex: Uint8Array.of(bits).buffer }).toBER(),
          ),
        ]
      : []),
    ...(purposes
      ? [
          extension(
            '2.5.29.37',
            false,
            new pkijs.ExtKeyUsage({ keyPurposes: [...purposes] }).toSchema().toBER(),
          ),
        ]
      : []),
    ...others.map(({ oid, critical, value }) =>
      extension(oid, critical, Uint8Array.from(Buffer.from(value, 'hex')).buffer),
    ),
  ];
}

function named(name: string): pkijs.RelativeDistinguishedNames {
  const value = new asn1js.Utf8String({ value: name });
  return new pkijs.RelativeDistinguishedNames({
    typesAndValues: [new pkijs.AttributeTypeAndValue({ type: '2.5.4.3', value })],
  });
}

/** With pkijs and Node, valid from yesterday for 30 days. */
export const ownMaker: Maker = (wanted) => {
  const { name, keys, issuer, digest = 'sha256', pss, version = 3 } = wanted;
  const signingKey = (issuer?.keys ?? keys).privateKey;
  const certificate = new pkijs.Certificate();
  certificate.version = version - 1;
  certificate.serialNumber = new asn1js.Integer({
    valueHex: Uint8Array.of(1, ...randomBytes(8)).buffer,
  });
  certificate.subject = named(name);
  certificate.issuer = issuer
    ? pkijs.Certificate.fromBER(issuer.certificate.raw).subject
    : named(name);
  certificate.notBefore.value = new Date(Date.now() - DAY_MS);
  certificate.notAfter.value = new Date(Date.now() + 30 * DAY_MS);
  certificate.subjectPublicKeyInfo = pkijs.PublicKeyInfo.fromBER(
    keys.publicKey.export({ type: 'spki', format: 'der' }),
  );
  if (version === 3) certificate.extensions = extensionsOf(wanted);
  certificate.signature = certificate.signatureAlgorithm = algorithmOf(signingKey, wanted);
  const signed = Buffer.from(certificate.encodeTBS().toBER());
  const padding = pss
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
  const hash = signingKey.asymmetricKeyType === 'ed25519' ? null : digest;
  const signature = sign(hash, signed, { key: signingKey, ...padding });
  certificate.signatureValue = new asn1js.BitString({
    valueHex: Uint8Array.from(signature).buffer,
  });
  return {
    certificate: new X509Certificate(Buffer.from(certificate.toSchema(true).toBER())),
    keys,
  };
};

/** The same signed part with a different signature value. */
export function withSignature(certificate: X509Certificate, signature: Buffer): X509Certificate {
  const structure = pkijs.Certificate.fromBER(certificate.raw);
  structure.signatureValue = new asn1js.BitString({ valueHex: Uint8Array.from(signature).buffer });
  return new X509Certificate(Buffer.from(structure.toSchema().toBER()));
}
