/** Signs with a private key in this process. */
import { constants, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { listedKeyOf } from './listed-key.js';
import { keyIdOfListed, type KeyType, type Signer } from './signer.js';

/** @throws UnsuitableKey */
export function localSigner(privateKey: KeyObject): Signer {
  const key = listedKeyOf(createPublicKey(privateKey));
  return {
    key,
    keyId: keyIdOfListed(key),
    sign: async (message) => SIGN[key.keytype](privateKey, message),
  };
}

const SIGN: Readonly<Record<KeyType, (key: KeyObject, message: Uint8Array) => Buffer>> = {
  ed25519: (key, message) => sign(null, message, key),
  ecdsa: (key, message) => sign('sha256', message, { key, dsaEncoding: 'der' }),
  rsa: (key, message) =>
    sign('sha256', message, {
      key,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    }),
};
