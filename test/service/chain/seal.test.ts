import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GENESIS, openSealKey, seal, sealFault } from '../../../src/service/chain/index.js';

const HEAD = { from: 1, to: 3, hash: 'ab'.repeat(32), time: 1_700_000_000_000 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'otaops-seal-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('A seal', () => {
  it('is valid for its key only', async () => {
    const signer = await openSealKey(folder, undefined);
    const other = await openSealKey(join(folder, 'other'), undefined);
    const made = await seal(signer, HEAD);
    expect(made).toEqual({
      ...HEAD,
      count: 3,
      keyid: signer.keyId,
      signature: expect.stringMatching(/^[0-9a-f]{128}$/) as string,
    });
    expect(sealFault(made, [other.key, signer.key])).toBeUndefined();
    expect(sealFault(made, [other.key])).toMatch(/not trusted/);
    expect(sealFault({ ...made, keyid: other.keyId }, [other.key])).toMatch(/does not verify/);
  });

  it('is invalid once any of its members is changed', async () => {
    const signer = await openSealKey(folder, undefined);
    const made = await seal(signer, HEAD);
    const changes = [
      { from: 2, count: 2 },
      { to: 4, count: 4 },
      { count: 2 },
      { hash: GENESIS },
      { hash: HEAD.hash.toUpperCase() },
      { time: made.time + 1 },
      { time: 0.5 },
      { from: 0, count: 4 },
      { signature: made.signature.toUpperCase() },
      { signature: `${made.signature}00` },
      { signature: '' },
    ];
    for (const change of changes) {
      expect(sealFault({ ...made, ...change }, [signer.key]), JSON.stringify(change)).toBeDefined();
    }
  });

  it('may say that nothing was added', async () => {
    const signer = await openSealKey(folder, undefined);
    const made = await seal(signer, { ...HEAD, from: 4 });
    expect(made.count).toBe(0);
    expect(sealFault(made, [signer.key])).toBeUndefined();
  });
});

describe('The seal key', () => {
  it('is created once, readable by its owner only, with the public key beside it', async () => {
    const first = await openSealKey(folder, undefined);
    const second = await openSealKey(folder, undefined);
    expect(second.keyId).toBe(first.keyId);
    const file = join(folder, 'audit-key');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(`${file}.pub`, 'utf8'))).toEqual(first.key);
    expect((await openSealKey(join(folder, 'elsewhere'), file)).keyId).toBe(first.keyId);
  });

  it('is refused if it is missing, of another type, encrypted, or readable by others', async () => {
    const write = async (name: string, pem: string, mode = 0o600) => {
      const file = join(folder, name);
      await writeFile(file, pem, { mode });
      return file;
    };
    const { privateKey } = generateKeyPairSync('ed25519');
    const plain = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const cases: [string, RegExp][] = [
      [join(folder, 'missing'), /there is no file/],
      [await write('ec', ec.export({ type: 'pkcs8', format: 'pem' }) as string), /not an Ed25519/],
      [await write('open', plain, 0o644), /others may read/],
      [await write('text', 'no key'), /not a private key/],
    ];
    for (const [file, message] of cases) {
      await expect(openSealKey(folder, file)).rejects.toThrow(message);
    }
  });
});
