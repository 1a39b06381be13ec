/**
 * A private key that can sign. The interface hides where the key is: in a file, a hardware security module, another
 * process, or a cloud's key management service.
 */
import { keyIdOf } from '../keys/key-id.js';

/** Key types of Uptane metadata that we sign with. */
export type KeyType = 'ed25519' | 'ecdsa' | 'rsa';

/** A public key in metadata format (POUF, section 2). */
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
   * @param message canonical JSON of the content to sign
   * @returns the signature in the form of the key's scheme (POUF, section 2)
   */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

export const keyIdOfListed = (key: ListedKey): string => keyIdOf(key);
