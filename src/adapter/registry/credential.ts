/**
 * A vehicle's password for the embedded broker (contract section 3).
 *
 * Credentials are long and random machine secrets. A salted SHA-256 therefore protects them as well as a slow password
 * hash (NIST SP 800-63B 5.1.2.2, look-up secrets), and ten thousand vehicles connecting at once do not block the adapter.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export interface HashedCredential {
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

/** A new credential: 144 random bits in 24 characters. */
export function newCredential(): string {
  return randomBytes(18).toString('base64url');
}

export function hashCredential(credential: string): HashedCredential {
  const salt = randomBytes(16);
  return { salt, hash: digest(salt, credential) };
}

export function isCredential(presented: string, stored: HashedCredential): boolean {
  return timingSafeEqual(digest(stored.salt, presented), stored.hash);
}

function digest(salt: Uint8Array, credential: string): Buffer {
  return createHash('sha256').update(salt).update(credential).digest();
}
