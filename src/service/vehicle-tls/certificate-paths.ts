/**
 * The paths from a vehicle's certificate to one of our authorities (RFC 5280, section 6), by name and signature; other
 * certificates that the vehicle has sent are ignored. OpenSSL has verified one of the paths in the handshake but does not
 * reveal which. Pure.
 */
import { type Certificate, isIssuedBy, isSelfIssued } from '../../x509/index.js';

/** Maximum number of certificates in a path, and of those that a vehicle may send. */
export const LONGEST_CHAIN = 8;
/** With cross-signed authorities there may be several paths. */
const MOST_PATHS = 16;

/** A certificate of a path, and the name of its issuer in revocation lists. */
export interface PathStep {
  readonly certificate: Certificate;
  /** Of {@link nameKey}. */
  readonly issuerKey: string;
  /** Whether the vehicle sent it; otherwise it comes from our file, from which it may be removed. */
  readonly isSent: boolean;
}

/** The vehicle's first, a self-issued authority of ours last. */
export type CertificatePath = readonly PathStep[];

/** Key of a certificate's holder in a map. */
export const nameKey = (name: Buffer): string => name.toString('latin1');

/**
 * @param sent the vehicle's first
 * @param authorities from our file
 */
export function certificatePaths(
  sent: readonly Certificate[],
  authorities: readonly Certificate[],
): CertificatePath[] {
  const [own, ...others] = sent;
  if (!own) return [];
  const step = (certificate: Certificate, isSent: boolean): PathStep => ({
    certificate,
    issuerKey: nameKey(certificate.issuer),
    isSent,
  });
  const candidates = [
    ...authorities.map((certificate) => step(certificate, false)),
    ...others
      .filter((other) => !isAmong(authorities, other))
      .map((certificate) => step(certificate, true)),
  ].filter(({ certificate }) => certificate.isAuthority);
  const issuersOf = issuersAmong(candidates);
  const paths: CertificatePath[] = [];
  const extend = (path: CertificatePath): void => {
    const last = path.at(-1);
    if (!last || path.length >= LONGEST_CHAIN) return;
    for (const issuer of issuersOf(last)) {
      if (paths.length >= MOST_PATHS) return;
      if (path.includes(issuer)) continue;
      const longer = [...path, issuer];
      if (!issuer.isSent && isSelfIssued(issuer.certificate)) paths.push(longer);
      else extend(longer);
    }
  };
  extend([step(own, true)]);
  return paths;
}

export const isAmong = (authorities: readonly Certificate[], { bytes }: Certificate): boolean =>
  authorities.some((authority) => authority.bytes.equals(bytes));

/** Each signature is checked once. */
function issuersAmong(candidates: readonly PathStep[]): (of: PathStep) => readonly PathStep[] {
  const issuersOf = new Map<PathStep, readonly PathStep[]>();
  return (of) => {
    const found =
      issuersOf.get(of) ??
      // With every algorithm that OpenSSL accepts: it has verified the path in the handshake.
      candidates.filter(({ certificate }) => isIssuedBy(of.certificate, certificate));
    issuersOf.set(of, found);
    return found;
  };
}
