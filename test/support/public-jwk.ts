/** A public key as a JWK. */
import { createPublicKey, type KeyObject } from 'node:crypto';

/**
 * By way of another key object. Node.js 20 holds the lock of a key while it makes its JWK; a garbage collection at that
 * moment that frees the job which has generated the key waits for the same lock, for ever.
 */
export const publicJwk = (key: KeyObject) =>
  createPublicKey(key.export({ type: 'spki', format: 'pem' })).export({ format: 'jwk' });
