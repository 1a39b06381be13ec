/** Artifact URLs with an expiry, valid for anyone who has them: pure. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Expiry is rounded up to a quarter of an hour, so that a cache sees the same URL repeatedly. */
const GRID_SECONDS = 15 * 60;

/**
 * @param keys the first one signs
 * @param now ms
 * @param ttl minimum validity, seconds
 * @returns path and query
 */
export function signedPath(
  sha256: string,
  keys: readonly Uint8Array[],
  now: number,
  ttl: number,
): string {
  const expires = Math.ceil((now / 1000 + ttl) / GRID_SECONDS) * GRID_SECONDS;
  const signature = signatureOf(sha256, expires, firstOf(keys));
  return `/v1.0/artifacts/${sha256}/content?expires=${expires}&signature=${signature}`;
}

/** @param expires Unix time, seconds @param keys of which any may have signed @param now ms */
export function isSigned(
  sha256: string,
  { expires, signature }: { readonly expires: number; readonly signature: string },
  keys: readonly Uint8Array[],
  now: number,
): boolean {
  if (expires * 1000 < now) return false;
  // Compared as text: several base64url texts decode to the same bytes, and only one of them is a signature.
  const given = Buffer.from(signature);
  return keys.some((key) => {
    const due = Buffer.from(signatureOf(sha256, expires, key));
    return given.length === due.length && timingSafeEqual(given, due);
  });
}

function firstOf(keys: readonly Uint8Array[]): Uint8Array {
  const [first] = keys;
  if (!first) throw new Error('there is no key to sign with');
  return first;
}

const signatureOf = (sha256: string, expires: number, key: Uint8Array) =>
  createHmac('sha256', key).update(`${sha256}\n${expires}`).digest('base64url');
