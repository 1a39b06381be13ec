/** File with an ECU's identity key: Ed25519, PKCS #8 in PEM, readable only by its owner. */
import { createPrivateKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { generateKey } from '../../uptane/signing/generate-key.js';
import { localSigner } from '../../uptane/signing/local-signer.js';
import { type Signer } from '../../uptane/signing/signer.js';
import { readIfThere, replaceFile } from '../../uptane/store/durable-file.js';

/** Creates the key, unless it exists. */
export function createEcuKey(path: string): Signer {
  if (!existsSync(path)) {
    const privateKey = generateKey('ed25519');
    replaceFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  }
  return openEcuKey(path);
}

/** @throws Error naming the file, if it is missing or not such a key */
export function openEcuKey(path: string): Signer {
  const pem = readIfThere(path);
  if (pem === undefined) throw new Error(`${path} is missing: the ECU has no key`);
  try {
    return localSigner(createPrivateKey(pem));
  } catch (error) {
    throw new Error(`${path} is not the key of an ECU: ${(error as Error).message}`);
  }
}
