/** Certification requests (PKCS #10, RFC 2986), read and written. */
import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { commonNamesIn } from './certificate.js';
import { childrenOf, contextTag, DerFault, expectTag, readDer, TAG } from '../asn1/index.js';
import { der, integer, sequence } from '../asn1/index.js';
import { nameOf, signedStructure } from './issuer.js';
import { isSignedBy, readPublicKey, readSigned } from './signatures.js';

export interface CertificateRequest {
  readonly commonNames: readonly string[];
  /** Its SubjectPublicKeyInfo, in DER. */
  readonly publicKeyInfo: Buffer;
}

/**
 * @param acceptKey throws if the key is not accepted; called before the signature is verified, because a stranger's key
 * determines the cost of that
 * @throws DerFault; also if the request is not signed with its own key, which would prove possession
 */
export function readCertificateRequest(
  bytes: Uint8Array,
  acceptKey: (key: KeyObject) => void,
): CertificateRequest {
  const signed = readSigned(readDer(bytes, TAG.sequence));
  const [, subject, publicKeyInfo] = childrenOf(expectTag(signed.signed, TAG.sequence));
  const info = expectTag(publicKeyInfo, TAG.sequence);
  const publicKey = readPublicKey(info);
  acceptKey(publicKey);
  if (!isSignedBy(signed, publicKey)) {
    throw new DerFault('the request is not signed with the key that it names');
  }
  const commonNames = commonNamesIn(expectTag(subject, TAG.sequence));
  return { commonNames, publicKeyInfo: info.bytes };
}

/** @param key private, on P-256 @returns in DER */
export function writeCertificateRequest(commonName: string, key: KeyObject): Buffer {
  const content = sequence(
    integer(0n),
    nameOf(commonName),
    createPublicKey(key).export({ format: 'der', type: 'spki' }),
    der(contextTag(0, true)),
  );
  return signedStructure(content, sign('sha256', content, key));
}
