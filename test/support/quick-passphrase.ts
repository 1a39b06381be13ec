/**
 * Key files whose passphrase takes no time: the product derives the key with scrypt, deliberately slowly, and reads any
 * PKCS #8.
 */
import { createPrivateKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

/** Encrypts the key in the file, which is unencrypted, or encrypted by the product with the same passphrase. */
export function protectQuickly(file: string, passphrase: string): void {
  const key = createPrivateKey({ key: readFileSync(file), passphrase });
  // PBKDF2 with 2,048 rounds.
  const how = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const;
  writeFileSync(file, key.export(how));
}
