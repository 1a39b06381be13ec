/** Key files: encrypted, and strict about invalid ones. */
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { generateKey } from '../../../src/uptane/signing/generate-key.js';
import {
  openKeyFile,
  publicFileOf,
  readPublicKeyFile,
  writeKeyFile,
} from '../../../src/uptane/signing/key-file.js';
import { signMetadata } from '../../../src/uptane/signing/sign.js';
import { isFullDepth, sampleOf } from '../../support/depth.js';
import { temporaryDirectory } from '../../support/servers.js';

const folder = temporaryDirectory('keys');
const PASSPHRASE = 'correct horse “battery” staple';
let count = 0;
const newPath = () => join(folder, `key-${(count += 1)}`);
const never = () => Promise.reject(new Error('nobody should have been asked'));

describe.each(sampleOf(['ed25519', 'ecdsa', 'rsa'] as const, 3))('%s', (type) => {
  test('is stored encrypted, readable only by its owner, and signs after decryption', async () => {
    const path = newPath();
    const listed = await writeKeyFile(path, generateKey(type), PASSPHRASE);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const signer = await openKeyFile(path, async () => PASSPHRASE);
    expect(signer.key).toEqual(listed);
    expect(await readPublicKeyFile(publicFileOf(path))).toEqual(listed);
    await signMetadata({ _type: 'x' }, [signer]);
  });
});

test('a wrong passphrase or damaged file, and a file readable by others, have distinct errors', async () => {
  const path = newPath();
  await writeKeyFile(path, generateKey('ed25519'), PASSPHRASE);
  await expect(openKeyFile(path, async () => 'another')).rejects.toThrow(
    `${path} cannot be decrypted: the passphrase is wrong, or the file is damaged`,
  );
  chmodSync(path, 0o640);
  await expect(openKeyFile(path, never)).rejects.toThrow(`chmod 600 ${path}`);
  const damaged = newPath();
  writeFileSync(damaged, 'no key', { mode: 0o600 });
  await expect(openKeyFile(damaged, never)).rejects.toThrow('is not a private key in PEM');
  await expect(openKeyFile(newPath(), never)).rejects.toThrow('there is no file');
});

test('a key is never overwritten, nor encrypted with an empty passphrase', async () => {
  const path = newPath();
  // In a quick run without a passphrase, to save time: it only matters that there is a file.
  await writeKeyFile(path, generateKey('ed25519'), isFullDepth ? PASSPHRASE : undefined);
  const before = readFileSync(path);
  await expect(writeKeyFile(path, generateKey('ed25519'), PASSPHRASE)).rejects.toThrow('exists');
  expect(readFileSync(path)).toEqual(before);
  await expect(writeKeyFile(newPath(), generateKey('ed25519'), '')).rejects.toThrow('is empty');
});

test('neither a private key nor a key that vehicles ignore is accepted as public key', async () => {
  const path = newPath();
  await writeKeyFile(path, generateKey('ed25519'), isFullDepth ? PASSPHRASE : undefined);
  await expect(readPublicKeyFile(path)).rejects.toThrow(`its public key is in ${path}.pub`);
  const pub = newPath();
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
  writeFileSync(pub, publicKey.export({ type: 'spki', format: 'pem' }));
  await expect(readPublicKeyFile(pub)).rejects.toThrow('found ec secp384r1');
  const json = newPath();
  const listed = '"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "00"}';
  for (const text of [`{${listed}}`, `{${listed}, "weight": 1.5}`, '{}']) {
    writeFileSync(json, text);
    await expect(readPublicKeyFile(json)).rejects.toThrow('expected a key as metadata lists it');
  }
});
