/** The key file of a server with its own database. */
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  derivedKeys,
  newSecretKey,
  openSecretBox,
  ownKeyFile,
} from '../../../src/service/secrets/index.js';
import { temporaryDirectory } from '../../support/servers.js';

const log = pino({ level: 'silent' });
let dataDir: string;
let file: string;

beforeEach(() => {
  dataDir = temporaryDirectory('own-key');
  file = join(dataDir, 'secret.key');
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

test('the first start creates the key, the next one uses it, and only its owner can read it', async () => {
  const box = await openSecretBox({ dataDir }, log, 'tests');
  const sealed = box.seal('a secret', 'a');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect((await openSecretBox({ dataDir }, log, 'tests')).open(sealed, 'a')).toBe('a secret');
  expect(readdirSync(dataDir)).toEqual(['secret.key']);
});

test('servers that start in one directory at once share one key', async () => {
  const keys = await Promise.all(Array.from({ length: 20 }, () => ownKeyFile(dataDir)));
  expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
  expect(readdirSync(dataDir)).toEqual(['secret.key']);
});

test('the remains of a server killed at its first start are not used as a key', async () => {
  writeFileSync(`${file}.0123456789abcdef.new`, 'half a k');
  writeFileSync(`${file}.0123456789abcdef`, '');
  const key = await ownKeyFile(dataDir);
  expect(await ownKeyFile(dataDir)).toEqual(key);
});

describe('a file without a valid key', () => {
  test.each([
    ['empty', ''],
    ['too short', `${Buffer.alloc(31).toString('base64')}\n`],
    ['not base64', '!'.repeat(44)],
  ])('%s: is named in the error, and stays', async (_name, text) => {
    writeFileSync(file, text, { mode: 0o600 });
    await expect(ownKeyFile(dataDir)).rejects.toThrow(`${file} does not hold a key of 32 bytes`);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test('that cannot be read is not replaced: it may be the only one', async () => {
    mkdirSync(file, { mode: 0o700 });
    await expect(ownKeyFile(dataDir)).rejects.toThrow('EISDIR');
    expect(statSync(file).isDirectory()).toBe(true);
  });

  test.skipIf(process.platform === 'win32').each([0o640, 0o604, 0o620])(
    'that others may use (mode %o) is refused',
    async (mode) => {
      await ownKeyFile(dataDir);
      chmodSync(file, mode);
      await expect(ownKeyFile(dataDir)).rejects.toThrow(`chmod 600 ${file}`);
    },
  );
});

test('keys for different purposes differ from the key and from each other', async () => {
  const [urls] = await derivedKeys({ dataDir }, 'artifact URLs', log);
  const [other] = await derivedKeys({ dataDir }, 'something else', log);
  const [again] = await derivedKeys({ dataDir }, 'artifact URLs', log);
  expect(again).toEqual(urls);
  const own = new Uint8Array(await ownKeyFile(dataDir));
  expect(
    new Set([urls, other, own].map((key) => Buffer.from(key ?? []).toString('hex'))).size,
  ).toBe(3);
});

test('a server on an external database without a key in the settings cannot encrypt, and creates no file', async () => {
  const databaseUrl = 'postgres://127.0.0.1/none';
  const box = await openSecretBox({ dataDir, databaseUrl }, log, 'tests');
  expect(box.canSeal).toBe(false);
  expect(readdirSync(dataDir)).toEqual([]);
});

test('a server’s own key on an external database causes a warning that its URLs are valid at this server only', async () => {
  const warnings: string[] = [];
  const heard = pino({ level: 'warn' }, { write: (line: string) => warnings.push(line) });
  await derivedKeys({ dataDir }, 'artifact URLs', heard);
  const databaseUrl = 'postgres://database.example/otaops';
  await derivedKeys({ dataDir, databaseUrl, secretKeys: [newSecretKey()] }, 'artifact URLs', heard);
  expect(warnings).toEqual([]);
  await derivedKeys({ dataDir, databaseUrl }, 'artifact URLs', heard);
  expect(warnings).toEqual([
    expect.stringContaining('artifact URLs are valid at this server only'),
  ]);
});
