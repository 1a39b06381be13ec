/** Keys that may sign: types, minimum sizes, and the algorithm of each (RFC 7518, RFC 8037). */
import { type KeyObject } from 'node:crypto';

/** A key that is too weak or of an unsupported type. */
export class KeyRefused extends Error {
  override readonly name = 'KeyRefused';
}

const ALGORITHM_OF = new Map([
  ['prime256v1', 'ES256'],
  ['secp384r1', 'ES384'],
  ['secp521r1', 'ES512'],
  ['rsa', 'PS256'],
  ['ed25519', 'EdDSA'],
]);
const MIN_RSA_BITS = 2048;
/** FIPS 186-5, A.1.1: greater than 2^16. */
const MIN_RSA_EXPONENT = 65_537n;

/** The JWS algorithm of a private or public key; each key has exactly one. @throws KeyRefused */
export function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): string {
  const { namedCurve, modulusLength = 0, publicExponent = 0n } = asymmetricKeyDetails;
  const kind = namedCurve ?? asymmetricKeyType ?? 'unknown kind';
  const algorithm = ALGORITHM_OF.get(kind);
  if (algorithm === undefined) {
    throw new KeyRefused(`the key (${kind}) must be EC on P-256, P-384 or P-521, RSA, or Ed25519`);
  }
  if (kind === 'rsa' && modulusLength < MIN_RSA_BITS) {
    throw new KeyRefused(`the RSA key has ${modulusLength} bits, fewer than ${MIN_RSA_BITS}`);
  }
  if (kind === 'rsa' && publicExponent < MIN_RSA_EXPONENT) {
    throw new KeyRefused(`the RSA key has the public exponent ${publicExponent}, below 65537`);
  }
  return algorithm;
}
