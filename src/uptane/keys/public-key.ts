/** Public keys in metadata, and their signatures (POUF, section 2). Cryptography: `node:crypto`. */
import {
  constants,
  createPublicKey,
  type KeyObject,
  verify,
  type VerifyKeyObjectInput,
} from 'node:crypto';
import { isLowOrder } from './low-order.js';
import { spkiOfPem } from './spki.js';

/** `keytype`, `scheme` and `keyval.public`. */
export interface KeyMembers {
  readonly keyType: string;
  readonly scheme: string;
  readonly public: string;
}

interface Algorithm {
  /** @throws if the text is not such a key */
  readonly read: (text: string) => KeyObject;
  /** Identifies the key itself, independent of its encoding. */
  readonly identity: (key: KeyObject) => string;
  /** Digest algorithm of the message; null: the scheme hashes it itself. */
  readonly hash: 'sha256' | null;
  readonly verifier: (key: KeyObject) => KeyObject | VerifyKeyObjectInput;
}

const ED25519: Algorithm = {
  read: (text) => {
    if (!/^[0-9a-fA-F]{64}$/.test(text)) throw new Error('is not 64 hex digits');
    const bytes = Buffer.from(text, 'hex');
    if (isLowOrder(bytes)) throw new Error('is a point of low order');
    const x = bytes.toString('base64url');
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  },
  identity: (key) => `ed25519 ${key.export({ format: 'jwk' }).x}`,
  hash: null,
  verifier: (key) => key,
};

const ECDSA_P256: Algorithm = {
  read: (text) => {
    const key = createPublicKey({ key: spkiOfPem(text), format: 'der', type: 'spki' });
    if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
      throw new Error('is not a key on the curve P-256');
    }
    return key;
  },
  identity: (key) => {
    const { x, y } = key.export({ format: 'jwk' });
    return `ecdsa ${x} ${y}`;
  },
  hash: 'sha256',
  verifier: (key) => ({ key, dsaEncoding: 'der' }),
};

const SMALLEST_MODULUS_BITS = 2048;

const RSA_PSS: Algorithm = {
  read: (text) => {
    const key = createPublicKey({ key: spkiOfPem(text), format: 'der', type: 'spki' });
    const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
    // With the exponent 1, signatures can be forged without the private key.
    if (
      key.asymmetricKeyType !== 'rsa' ||
      modulusLength < SMALLEST_MODULUS_BITS ||
      publicExponent < 3n
    ) {
      throw new Error('is not an RSA key of 2048 bits or more');
    }
    return key;
  },
  // The factors of a modulus allow signing for any exponent, so keys with equal moduli are one signer.
  identity: (key) => `rsa ${key.export({ format: 'jwk' }).n}`,
  hash: 'sha256',
  verifier: (key) => ({
    key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_AUTO,
  }),
};

/** Algorithms by keytype and scheme. */
const ALGORITHMS: ReadonlyMap<string, ReadonlyMap<string, Algorithm>> = new Map([
  ['ed25519', new Map([['ed25519', ED25519]])],
  ['ecdsa', new Map([['ecdsa-sha2-nistp256', ECDSA_P256]])],
  ['rsa', new Map([['rsassa-pss-sha256', RSA_PSS]])],
]);

/** Keys of another type are ignored. */
export const isKnownKeyType = (keyType: string): boolean => ALGORITHMS.has(keyType);

/** Keys with another scheme are ignored. */
export const isKnownScheme = (keyType: string, scheme: string): boolean =>
  ALGORITHMS.get(keyType)?.has(scheme) ?? false;

interface UsableKey {
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
  readonly identity: string;
}

/** A key listed in metadata. Its text is parsed at first use. */
export class PublicKey {
  readonly id: string;
  readonly #members: KeyMembers;
  #usable: UsableKey | undefined;
  #isRead = false;

  constructor(id: string, members: KeyMembers) {
    this.id = id;
    this.#members = members;
  }

  /**
   * Keys with the same identity are the same key, even with different ids and encodings. An unusable key is identified by
   * its id.
   */
  get identity(): string {
    return this.#read()?.identity ?? `unusable ${this.id}`;
  }

  get keyType(): string {
    return this.#members.keyType;
  }

  get scheme(): string {
    return this.#members.scheme;
  }

  /** Whether its signatures can be valid at all. */
  get isUsable(): boolean {
    return this.#read() !== undefined;
  }

  /** Also false for an unusable key, and for text that is not a signature. */
  verifies(message: Uint8Array, signatureHex: string): boolean {
    const usable = this.#read();
    const signature = bytesOfHex(signatureHex);
    if (usable === undefined || signature === undefined) return false;
    const { algorithm, key } = usable;
    try {
      return verify(algorithm.hash, message, algorithm.verifier(key), signature);
    } catch {
      return false;
    }
  }

  /** The same on another thread, for servers that verify many signatures concurrently. */
  verifiesConcurrently(message: Uint8Array, signatureHex: string): Promise<boolean> {
    const usable = this.#read();
    const signature = bytesOfHex(signatureHex);
    if (usable === undefined || signature === undefined) return Promise.resolve(false);
    const { algorithm, key } = usable;
    return new Promise((resolve) => {
      const done = (error: Error | null, isValid: boolean) => resolve(error === null && isValid);
      try {
        verify(algorithm.hash, message, algorithm.verifier(key), signature, done);
      } catch {
        resolve(false);
      }
    });
  }

  #read() {
    if (!this.#isRead) {
      this.#isRead = true;
      const { keyType, scheme } = this.#members;
      const algorithm = ALGORITHMS.get(keyType)?.get(scheme);
      try {
        if (algorithm) {
          const key = algorithm.read(this.#members.public);
          this.#usable = { algorithm, key, identity: algorithm.identity(key) };
        }
      } catch {
        // An unusable key: its signatures do not count, and do no harm.
      }
    }
    return this.#usable;
  }
}

function bytesOfHex(text: string): Buffer | undefined {
  if (text.length === 0 || text.length % 2 !== 0 || !/^[0-9a-fA-F]+$/.test(text)) return undefined;
  return Buffer.from(text, 'hex');
}
