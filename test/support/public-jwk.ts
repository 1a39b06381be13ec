/** A public key as a JWK. */
import { createPublicKey, type KeyObject } from 'node:crypto';

/**
 * Uses a second key object: Node.js 20 holds the key's lock while it creates the JWK, and a garbage collection at that
 * moment that frees the key generation job waits for the same lock forever.
 */
export const publicJwk = (key: KeyObject) =>
  createPublicKey(key.export({ type: 'spki', format: 'pem' })).export({ format: 'jwk' });
