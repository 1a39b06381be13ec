/** Keys in a token: SoftHSM 2, a software emulation of a hardware security module. */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { openToken } from '../../../src/uptane/signing/pkcs11/token.js';
import { generateKey } from '../../../src/uptane/signing/generate-key.js';
import { localSigner } from '../../../src/uptane/signing/local-signer.js';
import { signMetadata } from '../../../src/uptane/signing/sign.js';
import { ifInstalled } from '../../support/servers.js';
import { must } from '../support/must.js';
import { PIN, softHsm } from './softhsm.js';

const hsm = await ifInstalled(softHsm);
hsm?.addToken('root keys');
hsm?.addToken('another');
const modulePath = hsm?.modulePath ?? '';
const token = hsm && (await openToken({ modulePath, tokenLabel: 'root keys' }, PIN));
afterAll(() => token?.close());

const SIGNED = { _type: 'root', version: 1 };

describe.runIf(hsm)('a token', () => {
  test.each(['ed25519', 'ecdsa', 'rsa'] as const)('creates and uses a key: %s', async (type) => {
    const key = must(token).generate(type, `made ${type}`);
    expect(key.keytype).toBe(type);
    const signer = must(token).signer(`made ${type}`);
    expect(signer.key).toEqual(key);
    const { signatures } = await signMetadata(SIGNED, [signer, signer]);
    expect(signatures).toHaveLength(2);
    expect(() => must(token).generate(type, `made ${type}`)).toThrow('already');
  });

  test.each(['ed25519', 'ecdsa', 'rsa'] as const)('uses an imported key: %s', async (type) => {
    const privateKey = generateKey(type);
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    must(hsm).importKey('root keys', `imported ${type}`, pem);
    const signer = must(token).signer(`imported ${type}`);
    expect(signer.key).toEqual(localSigner(privateKey).key);
    await signMetadata(SIGNED, [signer]);
  });

  test('signs correctly for all paddings and leading zeros', async () => {
    const signer = must(token).signer('made ecdsa');
    for (let version = 1; version <= 300; version += 1) {
      await signMetadata({ ...SIGNED, version }, [signer]);
    }
  });

  test('lists the keys suitable for metadata', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    must(hsm).importKey('root keys', 'p384', pem);
    const labels = must(token)
      .keys()
      .map(({ label }) => label);
    expect(labels).toContain('made ed25519');
    expect(labels).not.toContain('p384');
    expect(() => must(token).signer('p384')).toThrow('is not an Ed25519, ECDSA P-256 or RSA key');
  });

  test('errors name a missing token, a missing key and an invalid module', async () => {
    expect(() => must(token).signer('other')).toThrow('no key labelled "other"; it has "made');
    await expect(openToken({ modulePath, tokenLabel: 'other' }, PIN)).rejects.toThrow(
      'there is no token labelled "other", only "',
    );
    await expect(openToken({ modulePath: '/nowhere/module.so' }, PIN)).rejects.toThrow(
      'the PKCS #11 module /nowhere/module.so cannot be loaded',
    );
    await expect(openToken({ modulePath }, PIN)).rejects.toThrow('which token? There are ');
  });

  test('rejects a wrong PIN', async () => {
    await expect(openToken({ modulePath, tokenLabel: 'another' }, '999999')).rejects.toThrow(
      'PKCS #11, C_Login: the PIN is wrong',
    );
  });
});
