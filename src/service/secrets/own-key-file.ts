/** The key of a server that has its database to itself: a file in its data directory, made at the first start. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeDurably } from '../write-durably.js';
import { BadSettings } from '../bad-settings.js';
import { newSecretKey, parseSecretKey } from './secret-box.js';

/** @throws BadSettings where the file holds no key */
export async function ownKey(dataDir: string): Promise<Buffer> {
  const file = join(resolve(dataDir), 'secret.key');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) {
    const made = newSecretKey();
    await writeDurably(file, `${made}\n`);
    return Buffer.from(made, 'base64');
  }
  const key = parseSecretKey(text.trim());
  if (!key) throw new BadSettings(`${file} does not hold a key of 32 bytes in base64`);
  return key;
}
