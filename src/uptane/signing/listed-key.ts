/** Public keys of `node:crypto` in metadata format (POUF, section 2). */
import { type KeyObject } from 'node:crypto';
import { PublicKey } from '../keys/public-key.js';
import { keyIdOfListed, type KeyType, type ListedKey } from './signer.js';

export const SCHEMES: Readonly<Record<KeyType, string>> = {
  ed25519: 'ed25519',
  ecdsa: 'ecdsa-sha2-nistp256',
  rsa: 'rsassa-pss-sha256',
};

/** Metadata does not support this type of key; the message lists the supported types. */
export class UnsuitableKey extends Error {
  override readonly name = 'UnsuitableKey';
}

/** @throws UnsuitableKey for other types and curves, and RSA below 2048 bits */
export function listedKeyOf(publicKey: KeyObject): ListedKey {
  const keytype = keyTypeOf(publicKey);
  const listed: ListedKey = {
    keytype,
    scheme: SCHEMES[keytype],
    keyval: { public: keytype === 'ed25519' ? rawEd25519(publicKey) : pemOf(publicKey) },
  };
  // A key that the verification would ignore must not get into metadata.
  if (!isUsable(listed)) throw new UnsuitableKey('RSA keys need 2048 bits or more');
  return listed;
}

/** Whether signatures of this key can be valid. */
export const isUsable = (key: ListedKey): boolean => publicKeyOf(key).isUsable;

export const publicKeyOf = ({ keytype, scheme, keyval }: ListedKey): PublicKey =>
  new PublicKey(keyIdOfListed({ keytype, scheme, keyval }), {
    keyType: keytype,
    scheme,
    public: keyval.public,
  });

function keyTypeOf(key: KeyObject): KeyType {
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  if (asymmetricKeyType === 'ed25519' || asymmetricKeyType === 'rsa') return asymmetricKeyType;
  if (asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1') {
    return 'ecdsa';
  }
  const found = [asymmetricKeyType, asymmetricKeyDetails?.namedCurve].filter(Boolean).join(' ');
  throw new UnsuitableKey(`expected an Ed25519, ECDSA P-256 or RSA key, found ${found}`);
}

const rawEd25519 = (key: KeyObject) =>
  Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');

const pemOf = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }) as string;
