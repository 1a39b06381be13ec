/**
 * Encrypts stored secrets that must be recoverable, with keys from outside the database: a copy of the database reveals none
 * of them. AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PREFIX = 'sealed:v1:';

/** The secret was sealed with a key that this process does not have, or was changed or moved since then. */
export class CannotOpen extends Error {
  override readonly name = 'CannotOpen';
}

/** There is no key to seal with, and an unsealed secret is not stored. */
class NoSecretKey extends Error {
  override readonly name = 'NoSecretKey';
}

interface Key {
  /** Identifies the key without revealing it. */
  readonly id: string;
  readonly bytes: Buffer;
}

export class SecretBox {
  readonly #keys: readonly Key[];

  /** @param keys of 32 bytes; the first one encrypts, all decrypt; without keys, neither is possible */
  constructor(keys: readonly Buffer[]) {
    this.#keys = keys.map((bytes) => ({
      id: createHash('sha256').update(bytes).digest('hex').slice(0, 8),
      bytes,
    }));
  }

  get canSeal(): boolean {
    return this.#keys.length > 0;
  }

  /** @param owner of the secret: only for this owner can it be opened @throws NoSecretKey; see `canSeal` */
  seal(secret: string, owner: string): string {
    const [key] = this.#keys;
    if (!key) throw new NoSecretKey('there is no key to seal a secret with');
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce).setAAD(Buffer.from(owner));
    const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    const sealed = Buffer.concat([nonce, cipher.getAuthTag(), text]);
    return `${PREFIX}${key.id}:${sealed.toString('base64')}`;
  }

  /** @throws CannotOpen */
  open(stored: string, owner: string): string {
    if (!stored.startsWith(PREFIX)) throw new CannotOpen('it is not sealed');
    const [id = '', base64 = ''] = stored.slice(PREFIX.length).split(':');
    const key = this.#keys.find((one) => one.id === id);
    if (!key) {
      throw new CannotOpen(`it is sealed with key ${id}, which --secret-key does not have`);
    }
    const sealed = Buffer.from(base64, 'base64');
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
    try {
      const decipher = createDecipheriv('aes-256-gcm', key.bytes, nonce, {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(owner)).setAuthTag(tag);
      const text = decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES));
      return Buffer.concat([text, decipher.final()]).toString('utf8');
    } catch (error) {
      throw new CannotOpen('it was not sealed for this owner', { cause: error });
    }
  }

  /** Whether it is sealed with the first key. */
  isCurrent(stored: string): boolean {
    const [key] = this.#keys;
    return key !== undefined && stored.startsWith(`${PREFIX}${key.id}:`);
  }
}

/** @param text 32 bytes in base64 @returns undefined if it is not a valid key */
export function parseSecretKey(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === KEY_BYTES && bytes.toString('base64') === text ? bytes : undefined;
}

/** A new key in base64. */
export const newSecretKey = (): string => randomBytes(KEY_BYTES).toString('base64');
