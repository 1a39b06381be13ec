/**
 * Key files. `NAME` is the encrypted private key, readable only by its owner; `NAME.pub` is the public key in metadata
 * format, to be proposed for a role.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { Refusal } from '../refusal.js';
import { BadJson, parseJson } from '../json/parse-json.js';
import { Reader } from '../json/reader.js';
import { replaceFile } from '../store/durable-file.js';
import { encryptKey, isEncrypted, readPrivateKey } from './encrypted-key.js';
import { isUsable, listedKeyOf, UnsuitableKey } from './listed-key.js';
import { localSigner } from './local-signer.js';
import { keyIdOfListed, type ListedKey, type Signer } from './signer.js';

/** A key file cannot be used; the message names the file and the reason. */
class KeyFileFault extends Error {
  override readonly name = 'KeyFileFault';
}

const EXPECTED_KEY =
  'expected a key as metadata lists it: keytype, scheme, keyval.public, no other numbers than integers';

/**
 * @param passphrase `undefined`: not encrypted, for unattended online keys
 * @returns the public key
 * @throws KeyFileFault if the file exists: a key is never overwritten
 */
export async function writeKeyFile(
  path: string,
  key: KeyObject,
  passphrase: string | undefined,
): Promise<ListedKey> {
  for (const file of [path, publicFileOf(path)]) {
    if (existsSync(file)) throw new KeyFileFault(`${file} exists already`);
  }
  if (passphrase === '') throw new KeyFileFault('the passphrase is empty');
  const listed = listedKeyOf(createPublicKey(key));
  const pem =
    passphrase === undefined
      ? (key.export({ type: 'pkcs8', format: 'pem' }) as string)
      : await encryptKey(key, passphrase);
  replaceFile(path, pem);
  writePublicKeyFile(publicFileOf(path), listed);
  return listed;
}

export const publicFileOf = (path: string): string => `${path}.pub`;

export const writePublicKeyFile = (path: string, key: ListedKey): void =>
  replaceFile(path, `${JSON.stringify(key, null, 2)}\n`, 0o644);

/**
 * @param askPassphrase called only if the key is encrypted
 * @throws KeyFileFault if the file is missing or readable by others, the passphrase is wrong, or it is not a valid key
 */
export async function openKeyFile(
  path: string,
  askPassphrase: () => Promise<string>,
): Promise<Signer> {
  const text = await readText(path);
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new KeyFileFault(`others may read the private key ${path}: chmod 600 ${path}`);
  }
  try {
    return localSigner(readPrivateKey(text, isEncrypted(text) ? await askPassphrase() : undefined));
  } catch (error) {
    if (error instanceof UnsuitableKey) throw new KeyFileFault(`${path}: ${error.message}`);
    if (!isOpenSslError(error)) throw error;
    throw new KeyFileFault(
      isEncrypted(text)
        ? `${path} cannot be decrypted: the passphrase is wrong, or the file is damaged`
        : `${path} is not a private key in PEM (PKCS#8)`,
    );
  }
}

const isOpenSslError = (error: unknown): boolean => {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && (code.startsWith('ERR_OSSL') || code.startsWith('ERR_CRYPTO'));
};

/** A public key: a `.pub` file of ours, or PEM with a SubjectPublicKeyInfo. @throws KeyFileFault */
export async function readPublicKeyFile(path: string): Promise<ListedKey> {
  const text = await readText(path);
  if (text.includes('PRIVATE KEY')) {
    throw new KeyFileFault(`${path} is a private key; its public key is in ${publicFileOf(path)}`);
  }
  try {
    return text.trimStart().startsWith('{')
      ? listedKeyOfJson(text)
      : listedKeyOf(createPublicKey(text));
  } catch (error) {
    if (error instanceof Refusal) throw new KeyFileFault(`${path}: ${EXPECTED_KEY}`);
    if (error instanceof UnsuitableKey || error instanceof BadJson) {
      throw new KeyFileFault(`${path}: ${error.message}`);
    }
    if (isOpenSslError(error)) throw new KeyFileFault(`${path} is not a public key`);
    throw error;
  }
}

function listedKeyOfJson(text: string): ListedKey {
  const key = new Reader(parseJson(Buffer.from(text)), { repository: 'file', role: 'public key' });
  key.member('keytype').string();
  key.member('scheme').string();
  key.member('keyval').member('public').string();
  const listed = key.plainObject() as unknown as ListedKey;
  if (isUsable(listed)) return listed;
  throw new UnsuitableKey(EXPECTED_KEY);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new KeyFileFault(`there is no file ${path}`);
  }
}

export const keyText = (key: ListedKey): string => `${key.keytype} ${keyIdOfListed(key)}`;
