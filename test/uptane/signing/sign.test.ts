/** The verification accepts signatures created in this process. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../src/uptane/json/canonical-json.js';
import { readEnvelope } from '../../../src/uptane/metadata/envelope.js';
import { publicKeyOf, UnsuitableKey } from '../../../src/uptane/signing/listed-key.js';
import { localSigner } from '../../../src/uptane/signing/local-signer.js';
import { signMetadata, writeEnvelope, WrongSignature } from '../../../src/uptane/signing/sign.js';
import { keyIdOf } from '../../../src/uptane/keys/key-id.js';
import { must } from '../support/must.js';

const KEYS: Record<string, KeyObject> = {
  ed25519: generateKeyPairSync('ed25519').privateKey,
  ecdsa: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
};
const keyOf = (type: string) => must(KEYS[type]);
const SIGNED = {
  _type: 'targets',
  version: 3,
  lines: 'a\nb\u0000',
  'ключ "\\': ['\u{1f600}', '\ufb33', null, true],
};

describe.each(['ed25519', 'ecdsa', 'rsa'])('%s', (type) => {
  test('creates valid signatures, with the digest of the key as key id', async () => {
    const signer = localSigner(keyOf(type));
    expect(signer.keyId).toBe(keyIdOf(signer.key));
    const bytes = writeEnvelope(await signMetadata(SIGNED, [signer]));
    const { signatures, signedBytes } = readEnvelope(bytes, { repository: 'r', role: 'targets' });
    expect(signedBytes).toEqual(canonicalJson(SIGNED));
    expect(signatures.map(({ keyId }) => keyId)).toEqual([signer.keyId]);
    expect(publicKeyOf(signer.key).verifies(signedBytes, signatures[0]?.hex ?? '')).toBe(true);
  });

  test('a signature by a different key than named is never returned', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const other = localSigner(privateKey);
    const liar = {
      ...localSigner(keyOf(type)),
      sign: (message: Uint8Array) => other.sign(message),
    };
    await expect(signMetadata(SIGNED, [liar])).rejects.toThrow(WrongSignature);
  });
});

test('several signers sign in order', async () => {
  const signers = Object.values(KEYS).map(localSigner);
  const { signatures } = await signMetadata(SIGNED, signers);
  expect(signatures.map(({ keyid }) => keyid)).toEqual(signers.map(({ keyId }) => keyId));
});

test('keys that vehicles ignore cannot sign', () => {
  const unsuitable = (key: KeyObject) => () => localSigner(key);
  const { privateKey: p384 } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const { privateKey: small } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  expect(unsuitable(p384)).toThrow(UnsuitableKey);
  expect(unsuitable(p384)).toThrow('found ec secp384r1');
  expect(unsuitable(small)).toThrow('RSA keys need 2048 bits or more');
  expect(unsuitable(generateKeyPairSync('ed448').privateKey)).toThrow('found ed448');
});
