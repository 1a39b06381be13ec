/** Key files are those of OpenSSL: encrypted PKCS #8 with scrypt. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generateKey } from '../../../src/uptane/signing/generate-key.js';
import {
  openKeyFile,
  readPublicKeyFile,
  writeKeyFile,
} from '../../../src/uptane/signing/key-file.js';
import { sampleOf } from '../../support/depth.js';
import { temporaryDirectory } from '../../support/servers.js';

const folder = temporaryDirectory('openssl-keys');
const PASSPHRASE = 'correct horse “battery” staple';
let count = 0;
const newPath = () => join(folder, `key-${(count += 1)}`);

test.each(sampleOf(['ed25519', 'ecdsa', 'rsa'] as const, 3))(
  'a key file is interchangeable with openssl: %s',
  async (type) => {
    const path = newPath();
    const listed = await writeKeyFile(path, generateKey(type), PASSPHRASE);
    const pass = newPath();
    writeFileSync(pass, `${PASSPHRASE}\n`);
    const openssl = (...args: string[]) => execFileSync('openssl', args, { encoding: 'utf8' });
    expect(openssl('asn1parse', '-in', path)).toMatch(/PBES2[^]*scrypt[^]*aes-256-cbc/);
    const publicPem = newPath();
    openssl('pkey', '-in', path, '-passin', `file:${pass}`, '-pubout', '-out', publicPem);
    expect(await readPublicKeyFile(publicPem)).toEqual(listed);
    const theirs = newPath();
    const newPass = newPath();
    writeFileSync(newPass, `${PASSPHRASE}\n`);
    openssl(
      ...['pkcs8', '-topk8', '-scrypt', '-in', path, '-passin', `file:${pass}`],
      ...['-out', theirs, '-passout', `file:${newPass}`],
    );
    expect((await openKeyFile(theirs, async () => PASSPHRASE)).key).toEqual(listed);
  },
);
