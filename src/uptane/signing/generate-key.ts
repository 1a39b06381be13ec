/**
 * Generates private keys. In Node.js 20, a generated key shares its lock with the job that generated it. If garbage
 * collection frees that job while the key is being described or exported as JWK, which holds the lock, the process
 * deadlocks. A key read from its encoding has its own lock.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type KeyType } from './signer.js';

const RSA_BITS = 3072;

const publicKeyEncoding = { type: 'spki', format: 'der' } as const;
const privateKeyEncoding = { type: 'pkcs8', format: 'der' } as const;

/** @returns Ed25519, ECDSA on the curve P-256, or RSA with 3072 bits */
export function generateKey(type: KeyType): KeyObject {
  return createPrivateKey({ key: encodedKey(type), format: 'der', type: 'pkcs8' });
}

function encodedKey(type: KeyType): Buffer {
  switch (type) {
    case 'ed25519':
      return generateKeyPairSync('ed25519', { publicKeyEncoding, privateKeyEncoding }).privateKey;
    case 'ecdsa':
      return generateKeyPairSync('ec', {
        namedCurve: 'P-256',
        publicKeyEncoding,
        privateKeyEncoding,
      }).privateKey;
    case 'rsa':
      return generateKeyPairSync('rsa', {
        modulusLength: RSA_BITS,
        publicKeyEncoding,
        privateKeyEncoding,
      }).privateKey;
  }
}
