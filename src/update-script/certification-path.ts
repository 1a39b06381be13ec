/**
 * Certification paths. The chain of a signature is the path itself, in its order (RFC 7515, 4.1.6): nothing searches
 * for a path in it, so nothing in it can be left out, repeated or sorted, and the key that verifies is the key of the
 * certificate that was checked.
 */
import { type X509Certificate } from 'node:crypto';
import {
  type Certificate,
  checkAuthority,
  checkCertificate,
  checkSignatureAlgorithm,
  checkSigner,
  checkTime,
  dissected,
} from './certificate-profile.js';
import { CertificateRefused, nameOf } from './certificates.js';

/** Longer chains are refused. */
const MAX_PATH = 10;

/**
 * Validates a path issued by one of the trust anchors and returns the signer's certificate.
 *
 * @param chain the signer's certificate first, each issued by the next; the trust anchor may be last
 * @param at ms
 * @throws CertificateRefused
 */
export function trustedSigner(
  chain: readonly X509Certificate[],
  trustAnchors: readonly X509Certificate[],
  at: number,
): X509Certificate {
  const last = chain.at(-1);
  const endsInAnchor = chain.length > 1 && trustAnchors.some(({ raw }) => last?.raw.equals(raw));
  const path = checkedPath(endsInAnchor ? chain.slice(0, -1) : chain);
  const anchor = dissected(anchorOf(path.highest.x509, trustAnchors));
  checkCertificate(anchor);
  checkAuthority(anchor, path.all.length - 1);
  checkDistinct([...path.all, anchor]);
  checkTimes([...path.all, anchor], at);
  return path.signer.x509;
}

/**
 * Checks everything that needs neither a trust anchor nor the time.
 *
 * @returns the signer's certificate
 * @throws CertificateRefused
 */
export const checkPath = (chain: readonly X509Certificate[]): X509Certificate =>
  checkedPath(chain).signer.x509;

/** @param at ms. @throws CertificateRefused if one is not valid at that time */
export function checkValidity(chain: readonly X509Certificate[], at: number): void {
  checkTimes(chain.map(dissected), at);
}

/** @throws CertificateRefused */
export function checkLength({ length }: { readonly length: number }): void {
  if (length > MAX_PATH) {
    throw new CertificateRefused(
      `the chain has ${length} certificates; at most ${MAX_PATH} are accepted`,
    );
  }
}

interface Path {
  readonly signer: Certificate;
  /** Checks the last certificate, which a trust anchor must have issued. */
  readonly highest: Certificate;
  readonly all: readonly Certificate[];
}

function checkedPath(chain: readonly X509Certificate[]): Path {
  checkLength(chain);
  const all = chain.map(dissected);
  const [signer, ...authorities] = all;
  if (!signer) throw new CertificateRefused('the signature contains no certificate');
  checkDistinct(all);
  for (const certificate of all) {
    checkCertificate(certificate);
    checkSignatureAlgorithm(certificate);
  }
  checkSigner(signer);
  let highest = signer;
  for (const [below, authority] of authorities.entries()) {
    checkAuthority(authority, below);
    const fault = issueFault(highest.x509, authority.x509);
    if (fault !== undefined) throw new CertificateRefused(fault);
    highest = authority;
  }
  return { signer, highest, all };
}

/** Compares the signed parts, not all bytes: a different signature value is not a different certificate. */
function checkDistinct(path: readonly Certificate[]): void {
  const seen = new Set<string>();
  for (const { x509, signedPart } of path) {
    if (seen.has(signedPart)) {
      throw new CertificateRefused(`the certificate of ${nameOf(x509)} is in the chain twice`);
    }
    seen.add(signedPart);
  }
}

function checkTimes(path: readonly Certificate[], at: number): void {
  for (const certificate of path) checkTime(certificate, at);
}

function anchorOf(
  highest: X509Certificate,
  trustAnchors: readonly X509Certificate[],
): X509Certificate {
  const faults = trustAnchors.map((anchor) => issueFault(highest, anchor));
  const anchor = trustAnchors[faults.indexOf(undefined)];
  if (anchor) return anchor;
  throw new CertificateRefused(
    `the certificate of ${nameOf(highest)} does not lead to a trust anchor: ${faults.join('; ')}`,
  );
}

/** Why the issuer has not issued the subject; undefined if it has. */
function issueFault(subject: X509Certificate, issuer: X509Certificate): string | undefined {
  if (subject.issuer !== issuer.subject) {
    return `the certificate of ${nameOf(subject)} is not issued by ${nameOf(issuer)}`;
  }
  return isSignedBy(subject, issuer)
    ? undefined
    : `the signature of ${nameOf(issuer)} on the certificate of ${nameOf(subject)} does not match`;
}

function isSignedBy(subject: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return subject.verify(issuer.publicKey);
  } catch {
    return false;
  }
}
