/** Signatures over X.509 structures, created and verified with node:crypto. */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import {
  childrenOf,
  contextTag,
  DerFault,
  type Element,
  readBits,
  readOid,
} from '../asn1/index.js';
import { OID } from './oids.js';

interface Algorithm {
  /** undefined: inherent in the key type, as with Ed25519. */
  readonly hash: string | undefined;
  readonly keyType: string;
}

/** Accepted algorithms: nothing with SHA-1 or MD5. */
const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  '1.2.840.10045.4.3.2': { hash: 'sha256', keyType: 'ec' },
  '1.2.840.10045.4.3.3': { hash: 'sha384', keyType: 'ec' },
  '1.2.840.10045.4.3.4': { hash: 'sha512', keyType: 'ec' },
  '1.2.840.113549.1.1.11': { hash: 'sha256', keyType: 'rsa' },
  '1.2.840.113549.1.1.12': { hash: 'sha384', keyType: 'rsa' },
  '1.2.840.113549.1.1.13': { hash: 'sha512', keyType: 'rsa' },
  '1.3.101.112': { hash: undefined, keyType: 'ed25519' },
};

const HASHES: ReadonlySet<string> = new Set([OID.sha256, OID.sha384, OID.sha512]);

/** An RSA key with fewer bits is too weak (NIST SP 800-131A). */
export const LEAST_RSA_BITS = 2048;

/** A structure, and the signature over it. */
export interface Signed {
  readonly signed: Element;
  readonly algorithm: Element;
  readonly signature: Buffer;
}

/** The three parts of a certificate, a request or a revocation list. @throws DerFault */
export function readSigned(element: Element): Signed {
  const [signed, algorithm, signature, ...rest] = childrenOf(element);
  if (!signed || !algorithm || rest.length > 0) throw new DerFault('not a signed structure');
  return { signed, algorithm, signature: readBits(signature) };
}

/** Whether the holder of this key has signed it, with an algorithm that we accept. */
export function isSignedBy({ signed, algorithm, signature }: Signed, key: KeyObject): boolean {
  const supported = ALGORITHMS[readOid(childrenOf(algorithm)[0])];
  if (!supported || supported.keyType !== key.asymmetricKeyType) return false;
  const padding = supported.keyType === 'rsa' ? { padding: constants.RSA_PKCS1_PADDING } : {};
  return verify(supported.hash, signed.bytes, { key, ...padding }, signature);
}

/**
 * Whether an AlgorithmIdentifier denotes a signature without SHA-1 and MD5: one that {@link isSignedBy} supports, or
 * RSASSA-PSS (RFC 4055, section 3.1), whose hash is SHA-1 unless its parameters name another.
 *
 * @throws DerFault
 */
export function isStrongAlgorithm(algorithm: Element): boolean {
  const [name, parameters] = childrenOf(algorithm);
  const id = readOid(name);
  if (id !== OID.rsassaPss) return Object.hasOwn(ALGORITHMS, id);
  const hash = parameters && childrenOf(parameters).find(({ tag }) => tag === contextTag(0, true));
  const [hashAlgorithm] = hash ? childrenOf(hash) : [];
  return hashAlgorithm !== undefined && HASHES.has(readOid(childrenOf(hashAlgorithm)[0]));
}

/** Whether it is an RSA key that is too short to be trusted. */
export const isWeakKey = ({ asymmetricKeyDetails }: KeyObject): boolean =>
  (asymmetricKeyDetails?.modulusLength ?? LEAST_RSA_BITS) < LEAST_RSA_BITS;

/** A SubjectPublicKeyInfo. @throws DerFault */
export function readPublicKey({ bytes }: Element): KeyObject {
  try {
    return createPublicKey({ key: bytes, format: 'der', type: 'spki' });
  } catch (error) {
    throw new DerFault(`the public key cannot be read: ${(error as Error).message}`);
  }
}
