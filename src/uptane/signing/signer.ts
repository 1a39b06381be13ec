/**
 * A private key that can sign. Where the key is, in a file, in a hardware security module, in another process or at a
 * cloud's key management service, is the implementation's affair: one interface, so that no caller can tell.
 */
import { keyIdOf } from '../keys/key-id.js';

export type KeyType = 'ed25519' | 'ecdsa' | 'rsa';

/** A public key as metadata lists it (POUF, section 2). */
export type ListedKey = Readonly<{
  keytype: KeyType;
  scheme: string;
  keyval: Readonly<{ public: string }>;
}>;

export interface Signer {
  /** Lower-case hex SHA-256 of the canonical JSON of `key`. */
  readonly keyId: string;
  readonly key: ListedKey;
  /**
   * @param message canonical JSON of what is signed
   * @returns the signature in the form of the key's scheme (POUF, section 2)
   */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

export const keyIdOfListed = (key: ListedKey): string => keyIdOf(key);
