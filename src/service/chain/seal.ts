/**
 * A seal: a signed statement about the head of a chain. With a copy of a seal, anyone can check that the records up to it
 * have not changed. Pure, except for the signer.
 */
import { canonicalJson } from '../../uptane/json/canonical-json.js';
import {
  keyIdOfListed,
  type ListedKey,
  publicKeyOf,
  signatureBy,
  type Signer,
} from '../../uptane/signing/index.js';
import { LINK_HASH } from './link.js';

/** The signed content. */
export type SealedHead = Readonly<{
  /** Numbers of the first and the last record since the seal before, from 1; `from` is `to + 1` if there are none. */
  from: number;
  to: number;
  /** Records from `from` to `to`. */
  count: number;
  /** Hash of the record `to`: of all records up to it. */
  hash: string;
  /** When it was signed, Unix time in ms. */
  time: number;
  /** Lower-case hex SHA-256 of the public key in canonical JSON (POUF, section 2). */
  keyid: string;
}>;

/** `signature`: of the canonical JSON of the other members, lower-case hex. */
export type Seal = SealedHead & Readonly<{ signature: string }>;

/** @throws errors of the signer */
export async function seal(
  signer: Signer,
  { from, to, hash, time }: Omit<SealedHead, 'count' | 'keyid'>,
): Promise<Seal> {
  const head = { from, to, count: to - from + 1, hash, time, keyid: signer.keyId };
  const { sig } = await signatureBy(signer, canonicalJson(head));
  return { ...head, signature: sig };
}

/**
 * @param keys those that are trusted
 * @returns why the seal proves nothing, completing "the seal …"; undefined if it holds
 */
export function sealFault(
  { signature, ...head }: Seal,
  keys: readonly ListedKey[],
): string | undefined {
  const { from, to, count, hash, time, keyid } = head;
  if (![from, to, count, time].every((number) => Number.isSafeInteger(number) && number >= 0)) {
    return 'has a number that is not a non-negative integer';
  }
  if (from < 1 || count !== to - from + 1) return `counts ${count} records from ${from} to ${to}`;
  if (!LINK_HASH.test(hash)) return 'has no hash of 64 lower-case hex digits';
  const key = keys.find((listed) => keyIdOfListed(listed) === keyid);
  if (!key) return `is signed with the key ${keyid}, which is not trusted`;
  // Exactly these members are signed, and one way to write the signature counts.
  const message = canonicalJson({ from, to, count, hash, time, keyid });
  const isValid = /^[0-9a-f]+$/.test(signature) && publicKeyOf(key).verifies(message, signature);
  return isValid ? undefined : 'has a signature that does not verify';
}
