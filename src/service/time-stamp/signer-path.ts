/**
 * Whether the signer of a time stamp may sign it, and whether a path leads from it to an authority that is trusted (RFC 5280,
 * section 6; RFC 3161, section 2.3). Pure.
 */
import {
  type Certificate,
  isIssuedBy,
  isSelfIssued,
  isStrongAlgorithm,
  isWeakKey,
  mayBeUsedFor,
  OID,
} from '../../x509/index.js';
import { BadTimeStamp } from './bad-time-stamp.js';

/** Maximum number of certificates in a path. */
const LONGEST_PATH = 10;
/** A token's author can fill it with authorities that certify each other, hence a limit on the certificates examined. */
const MOST_STEPS = 64;

/** The signer first, a trusted certificate last. */
type Path = readonly Certificate[];

/** @param time ms @throws BadTimeStamp */
export function checkSigner(signer: Certificate, time: number): void {
  if (!signer.purposes?.includes(OID.timeStamping)) {
    throw new BadTimeStamp('is signed by a certificate that is not for time stamps');
  }
  if (!mayBeUsedFor(signer, 'digitalSignature') && !mayBeUsedFor(signer, 'nonRepudiation')) {
    throw new BadTimeStamp('is signed by a certificate whose key usage excludes signatures');
  }
  const fault = certificateFault(signer, time);
  if (fault !== undefined) throw new BadTimeStamp(fault);
}

/**
 * @param others certificates in the token
 * @param time ms
 * @throws BadTimeStamp unless one path is valid, with the fault of the first
 */
export function checkPath(
  signer: Certificate,
  others: readonly Certificate[],
  time: number,
  trusted: readonly Certificate[],
): void {
  let first: string | undefined;
  for (const path of pathsFrom([signer], others, trusted, { left: MOST_STEPS })) {
    const fault = pathFault(path, time);
    if (fault === undefined) return;
    first ??= fault;
  }
  throw new BadTimeStamp(first ?? 'is signed by an authority that is not trusted');
}

/** By name and signature alone: a faulty path gives a better message than none. */
function* pathsFrom(
  path: Path,
  others: readonly Certificate[],
  trusted: readonly Certificate[],
  steps: { left: number },
): Generator<Path> {
  const last = path.at(-1);
  if (!last || steps.left-- <= 0) return;
  if (trusted.some((one) => isSame(one, last))) yield path;
  if (path.length >= LONGEST_PATH) return;
  for (const issuer of [...trusted, ...others]) {
    if (path.some((one) => isSame(one, issuer)) || !isIssuedBy(last, issuer)) continue;
    yield* pathsFrom([...path, issuer], others, trusted, steps);
  }
}

const isSame = (one: Certificate, other: Certificate): boolean => one.bytes.equals(other.bytes);

function pathFault(path: Path, time: number): string | undefined {
  for (const [index, certificate] of path.entries()) {
    const fault = certificateFault(certificate, time);
    if (fault !== undefined) return fault;
    // The trusted certificate's own statements do not matter: it is trusted unconditionally.
    const isTrusted = index === path.length - 1;
    if (!isTrusted && !isStrongAlgorithm(certificate.signed.algorithm)) {
      return 'has a certificate in its path that is signed with an algorithm that is not accepted';
    }
    if (index === 0) continue;
    if (!certificate.isAuthority) return 'has an issuer in its path that is not an authority';
    if (!mayBeUsedFor(certificate, 'keyCertSign')) {
      return 'has an authority in its path that may not sign certificates';
    }
    const between = path.slice(1, index).filter((one) => !isSelfIssued(one)).length;
    if (between > (certificate.pathLength ?? Infinity)) {
      return 'has a path that is longer than one of its authorities allows';
    }
  }
  return undefined;
}

/** Rules for every certificate of a path, and for a signer whose path is not checked. */
function certificateFault(certificate: Certificate, time: number): string | undefined {
  if (time < certificate.notBefore || time > certificate.notAfter) {
    return 'was made when a certificate of its signer was not valid';
  }
  if (isWeakKey(certificate.publicKey())) return 'has an RSA key in its path that is too short';
  return undefined;
}
