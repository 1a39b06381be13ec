/** A server's own key: a file in its data directory, created if missing. */
import { randomBytes } from 'node:crypto';
import { link, open, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { syncPath, writeDurably } from '../write-durably.js';
import { BadSettings } from '../bad-settings.js';
import { newSecretKey, parseSecretKey } from './secret-box.js';

/** @throws BadSettings if the file contains no key, or others may read it; Error if it cannot be read */
export async function ownKeyFile(dataDir: string): Promise<Buffer> {
  const file = join(resolve(dataDir), 'secret.key');
  const text = (await readKey(file)) ?? (await makeKey(file));
  const key = parseSecretKey(text.trim());
  if (!key) throw new BadSettings(`${file} does not hold a key of 32 bytes in base64`);
  return key;
}

/** @returns undefined if the file does not exist; an unreadable one is never replaced, because it may contain the only key */
async function readKey(file: string): Promise<string | undefined> {
  try {
    const opened = await open(file);
    try {
      const { mode } = await opened.stat();
      if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
        throw new BadSettings(`others may read the key ${file}: chmod 600 ${file}`);
      }
      return await opened.readFile('utf8');
    } finally {
      await opened.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** If several servers start in one directory, all of them use the key of the first one. */
async function makeKey(file: string): Promise<string> {
  const own = `${file}.${randomBytes(8).toString('hex')}`;
  try {
    await writeDurably(own, `${newSecretKey()}\n`);
    await link(own, file).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(own, { force: true });
  }
  // Nothing may be sealed with a key that does not survive a power cut.
  await syncPath(dirname(file));
  const made = await readKey(file);
  if (made === undefined) throw new BadSettings(`${file} was removed while it was being created`);
  return made;
}
