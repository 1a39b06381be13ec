/** Requirements for each certificate of a path (RFC 5280): strong, valid now, and without parts we do not understand. */
import { type X509Certificate } from 'node:crypto';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { CertificateRefused, nameOf } from './certificates.js';
import { algorithmOf, KeyRefused } from './keys.js';

/** OIDs of extensions (RFC 5280, 4.2.1). */
const KEY_USAGE = '2.5.29.15';
const BASIC_CONSTRAINTS = '2.5.29.19';
const EXTENDED_KEY_USAGE = '2.5.29.37';

/**
 * Extensions that may be critical: those that are checked, and those that only name or describe. Policies restrict a
 * path only if one is required, which policyConstraints does, and that extension is refused.
 */
const UNDERSTOOD = new Set([
  KEY_USAGE,
  BASIC_CONSTRAINTS,
  EXTENDED_KEY_USAGE,
  '2.5.29.14', // subjectKeyIdentifier
  '2.5.29.17', // subjectAltName
  '2.5.29.18', // issuerAltName
  '2.5.29.32', // certificatePolicies
  '2.5.29.35', // authorityKeyIdentifier
]);
/** They constrain subordinate certificates and are not supported, so they are refused even if not critical. */
const CONSTRAINTS = new Map([
  ['2.5.29.30', 'name constraints'],
  ['2.5.29.36', 'policy constraints'],
  ['2.5.29.54', 'inhibitAnyPolicy'],
]);

/** Purposes of extendedKeyUsage. */
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const ANY_PURPOSE = '2.5.29.37.0';

/** Bits of keyUsage. */
const DIGITAL_SIGNATURE = 0x80;
const KEY_CERT_SIGN = 0x04;

const SHA_2 = new Set([
  '2.16.840.1.101.3.4.2.1',
  '2.16.840.1.101.3.4.2.2',
  '2.16.840.1.101.3.4.2.3',
]);
const RSASSA_PSS = '1.2.840.113549.1.1.10';
/** Signatures of certificates: ECDSA and RSA with SHA-256, SHA-384 and SHA-512; Ed25519. */
const ACCEPTED_SIGNATURES = new Set([
  ...[2, 3, 4].map((hash) => `1.2.840.10045.4.3.${hash}`),
  ...[11, 12, 13].map((hash) => `1.2.840.113549.1.1.${hash}`),
  '1.3.101.112',
]);
/** Names for messages. */
const REFUSED_SIGNATURES = new Map([
  ['1.2.840.113549.1.1.4', 'MD5'],
  ['1.2.840.113549.1.1.5', 'SHA-1'],
  ['1.2.840.10045.4.1', 'SHA-1'],
  [RSASSA_PSS, 'RSASSA-PSS without SHA-2'],
]);

/** A certificate as both libraries see it: Node.js verifies signatures, pkijs exposes the parts that Node.js does not. */
export interface Certificate {
  readonly x509: X509Certificate;
  readonly structure: pkijs.Certificate;
  /** The part that its issuer signs (TBSCertificate), in base64. */
  readonly signedPart: string;
}

/**
 * Requires DER, so that OpenSSL, with which Node.js verifies the signature, and pkijs, which reads the extensions,
 * cannot see two different certificates in the same bytes.
 *
 * @throws CertificateRefused
 */
export function dissected(x509: X509Certificate): Certificate {
  const structure = parsed(x509);
  if (!structure || !Buffer.from(structure.toSchema().toBER()).equals(x509.raw)) {
    throw new CertificateRefused(`the certificate of ${nameOf(x509)} is not in DER`);
  }
  const signedPart = Buffer.from(structure.tbsView).toString('base64');
  return { x509, structure, signedPart };
}

/** Checks that apply to every certificate, including a trust anchor. @throws CertificateRefused */
export function checkCertificate(certificate: Certificate): void {
  const { version, extensions = [], subjectPublicKeyInfo } = certificate.structure;
  if (version !== 2) throw refused(certificate, `is of version ${version + 1}, not 3`);
  checkKey(certificate, subjectPublicKeyInfo);
  const seen = new Set<string>();
  for (const { extnID, critical } of extensions) {
    if (seen.has(extnID)) throw refused(certificate, `has the extension ${extnID} twice`);
    seen.add(extnID);
    const constraint = CONSTRAINTS.get(extnID);
    if (constraint !== undefined) {
      throw refused(certificate, `has ${constraint}, which are not supported`);
    }
    if (critical && !UNDERSTOOD.has(extnID)) {
      throw refused(certificate, `has the critical extension ${extnID}, which is not supported`);
    }
  }
}

/** Checks the signature algorithm; a trust anchor is trusted whatever its own signature. @throws CertificateRefused */
export function checkSignatureAlgorithm(certificate: Certificate): void {
  const { signature } = certificate.structure;
  const { algorithmId } = signature;
  if (ACCEPTED_SIGNATURES.has(algorithmId)) return;
  if (algorithmId === RSASSA_PSS && isPssWithSha2(signature)) return;
  throw refused(
    certificate,
    `is signed with ${REFUSED_SIGNATURES.get(algorithmId) ?? algorithmId}, which is not accepted`,
  );
}

/** Checks that it may sign scripts. @throws CertificateRefused */
export function checkSigner(certificate: Certificate): void {
  const { isAuthority, usage, purposes } = rightsOf(certificate);
  if (isAuthority)
    throw new CertificateRefused(`${nameOf(certificate.x509)} is an authority, not a signer`);
  if (!(usage & DIGITAL_SIGNATURE)) {
    throw refused(certificate, 'is not for signatures: its keyUsage lacks digitalSignature');
  }
  if (!purposes?.includes(CODE_SIGNING)) throw refused(certificate, 'is not for code signing');
}

/**
 * Checks that it may issue certificates, and that the authorities below it are within its path length.
 *
 * @param below number of authorities between it and the signer
 * @throws CertificateRefused
 */
export function checkAuthority(certificate: Certificate, below: number): void {
  const { isAuthority, pathLength, usage, purposes } = rightsOf(certificate);
  if (!isAuthority) {
    throw new CertificateRefused(
      `${nameOf(certificate.x509)} is not an authority: it may issue nothing`,
    );
  }
  if (!(usage & KEY_CERT_SIGN)) {
    throw refused(certificate, 'may issue nothing: its keyUsage lacks keyCertSign');
  }
  // Self-issued authorities count too, which is stricter than RFC 5280, 6.1.4 (l).
  if (below > pathLength) {
    throw refused(
      certificate,
      `allows ${pathLength} authorities below it (pathLenConstraint), the chain has ${below}`,
    );
  }
  if (purposes && !purposes.includes(CODE_SIGNING) && !purposes.includes(ANY_PURPOSE)) {
    throw refused(certificate, 'is not for code signing');
  }
}

interface Rights {
  readonly isAuthority: boolean;
  /** Number of authorities allowed below it. */
  readonly pathLength: number;
  /** Bits of keyUsage; none if the extension is missing. */
  readonly usage: number;
  /** Undefined: no restriction by extendedKeyUsage. */
  readonly purposes: readonly string[] | undefined;
}

function rightsOf(certificate: Certificate): Rights {
  const { extensions = [] } = certificate.structure;
  const valueOf = (oid: string) => {
    const extension = extensions.find(({ extnID }) => extnID === oid);
    return extension && decoded(extension.extnValue.valueBlock.valueHexView);
  };
  try {
    const [constraints, usage, purposes] = [
      valueOf(BASIC_CONSTRAINTS),
      valueOf(KEY_USAGE),
      valueOf(EXTENDED_KEY_USAGE),
    ];
    const { cA, pathLenConstraint = Infinity } = new pkijs.BasicConstraints(
      constraints && { schema: constraints },
    );
    if (typeof pathLenConstraint !== 'number' || pathLenConstraint < 0) throw new Error('range');
    return {
      isAuthority: cA,
      pathLength: pathLenConstraint,
      usage: usage ? firstByte(usage) : 0,
      purposes: purposes && new pkijs.ExtKeyUsage({ schema: purposes }).keyPurposes,
    };
  } catch {
    throw refused(certificate, 'has an extension that cannot be read');
  }
}

function firstByte(bits: asn1js.BaseBlock): number {
  if (!(bits instanceof asn1js.BitString)) throw new Error('not a bit string');
  return bits.valueBlock.valueHexView[0] ?? 0;
}

function decoded(der: Uint8Array): asn1js.BaseBlock {
  const { offset, result } = asn1js.fromBER(der);
  if (offset !== der.byteLength) throw new Error('not one value');
  return result;
}

function parsed({ raw }: X509Certificate): pkijs.Certificate | undefined {
  try {
    return pkijs.Certificate.fromBER(raw);
  } catch {
    return undefined;
  }
}

/** @param at ms. @throws CertificateRefused */
export function checkTime(certificate: Certificate, at: number): void {
  const { validFrom, validTo } = certificate.x509;
  const [from, to] = [timeOf(validFrom), timeOf(validTo)];
  if (Number.isNaN(from) || Number.isNaN(to)) {
    throw refused(certificate, 'has a time of validity that cannot be read');
  }
  if (at > to) throw refused(certificate, `expired on ${day(to)}`);
  if (!(at >= from)) {
    throw refused(certificate, `is valid from ${day(from)}; the clock says ${day(at)}`);
  }
}

/** Parses a time as OpenSSL prints it, ms. Always GMT (RFC 5280, 4.1.2.5). */
const timeOf = (text: string): number => (text.endsWith(' GMT') ? Date.parse(text) : NaN);
const day = (at: number) => new Date(at).toISOString().slice(0, 10);

function checkKey(certificate: Certificate, { algorithm }: pkijs.PublicKeyInfo): void {
  try {
    const { publicKey } = certificate.x509;
    algorithmOf(publicKey);
    // A curve must be named, not given by its parameters (RFC 5480, 2.1.1).
    const isNamed = algorithm.algorithmParams instanceof asn1js.ObjectIdentifier;
    if (publicKey.asymmetricKeyType === 'ec' && !isNamed) {
      throw new KeyRefused('the key must name its curve');
    }
  } catch (error) {
    const why = error instanceof KeyRefused ? error.message : 'the key cannot be read';
    throw new CertificateRefused(
      `the certificate of ${nameOf(certificate.x509)} is refused: ${why}`,
    );
  }
}

/** Hashes of message and mask (RFC 4055, 3.1); both default to SHA-1. */
function isPssWithSha2({ algorithmParams }: pkijs.AlgorithmIdentifier): boolean {
  try {
    const { hashAlgorithm, maskGenAlgorithm } = new pkijs.RSASSAPSSParams({
      schema: algorithmParams,
    });
    const mask = new pkijs.AlgorithmIdentifier({ schema: maskGenAlgorithm.algorithmParams });
    return SHA_2.has(hashAlgorithm.algorithmId) && SHA_2.has(mask.algorithmId);
  } catch {
    return false;
  }
}

const refused = (certificate: Certificate, why: string) =>
  new CertificateRefused(`the certificate of ${nameOf(certificate.x509)} ${why}`);
