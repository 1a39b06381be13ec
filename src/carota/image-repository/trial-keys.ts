/** Trial keys of an image repository: all on this server, none encrypted. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { generateKey, openKeyFile, type Signer, writeKeyFile } from '../../uptane/signing/index.js';
import { TOP_ROLES, type TopRole } from '../../uptane/repository/index.js';

/** Generated if missing. */
export async function openTrialKeys(folder: string): Promise<Readonly<Record<TopRole, Signer>>> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const signers: Partial<Record<TopRole, Signer>> = {};
  for (const role of TOP_ROLES) {
    const file = join(folder, `${role}.key`);
    if (!existsSync(file)) await writeKeyFile(file, generateKey('ed25519'), undefined);
    signers[role] = await openKeyFile(file, () =>
      Promise.reject(new Error(`${file} is encrypted`)),
    );
  }
  return signers as Record<TopRole, Signer>;
}
