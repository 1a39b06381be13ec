/** PEM with one SubjectPublicKeyInfo (RFC 7468, section 13), and nothing else. */

const PEM = /^\s*-----BEGIN PUBLIC KEY-----\s([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*$/;

/**
 * `createPublicKey` would also accept certificates and private keys in PEM.
 *
 * @returns DER
 * @throws Error
 */
export function spkiOfPem(text: string): Buffer {
  const base64 = PEM.exec(text)?.[1];
  if (base64 === undefined) throw new Error('is not a PUBLIC KEY in PEM');
  return Buffer.from(base64, 'base64');
}
