/** The key with which a server seals its chains, in a file that is created if missing. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { generateKey, openKeyFile, type Signer, writeKeyFile } from '../../uptane/signing/index.js';

/** The file in a data directory; its public key is in the file with `.pub` beside it. */
const sealKeyFile = (dataDir: string): string => join(resolve(dataDir), 'audit-key');

/** The key file is missing, or needs a passphrase. */
class SealKeyFault extends Error {
  override readonly name = 'SealKeyFault';
}

/**
 * @param file PEM (PKCS #8), not encrypted, readable by its owner only; undefined: the one in the data directory,
 * created if missing
 * @throws SealKeyFault, KeyFileFault
 */
export async function openSealKey(dataDir: string, file: string | undefined): Promise<Signer> {
  const path = file ?? sealKeyFile(dataDir);
  if (file === undefined && !existsSync(path)) {
    await mkdir(resolve(dataDir), { recursive: true, mode: 0o700 });
    await writeKeyFile(path, generateKey('ed25519'), undefined);
  }
  const signer = await openKeyFile(path, () => {
    throw new SealKeyFault(`${path} is encrypted: the server signs unattended, with a plain key`);
  });
  if (signer.key.keytype !== 'ed25519') throw new SealKeyFault(`${path} is not an Ed25519 key`);
  return signer;
}
