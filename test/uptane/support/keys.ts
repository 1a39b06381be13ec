/** Signing keys for tests, of each type that metadata supports. */
import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { canonicalJson, type PlainJson } from '../../../src/uptane/json/canonical-json.js';
import { publicJwk } from '../../support/public-jwk.js';

export interface TestKey {
  readonly id: string;
  /** As in metadata. */
  readonly listed: Record<string, PlainJson>;
  readonly sign: (message: Uint8Array) => string;
}

export type KeyType = 'ed25519' | 'ecdsa' | 'rsa';

const idOf = (listed: PlainJson) =>
  createHash('sha256').update(canonicalJson(listed)).digest('hex');

/** The same key under another id, due to one more member. */
export const underAnotherId = (key: TestKey): TestKey => {
  const listed = { ...key.listed, note: 'the same key' };
  return { ...key, listed, id: idOf(listed) };
};

const pemOf = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }) as string;

export function makeKey(type: KeyType = 'ed25519', bits = 2048): TestKey {
  if (type === 'ed25519') {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const x = publicJwk(publicKey).x ?? '';
    const listed = {
      keytype: 'ed25519',
      scheme: 'ed25519',
      keyval: { public: Buffer.from(x, 'base64url').toString('hex') },
    };
    return {
      id: idOf(listed),
      listed,
      sign: (message) => sign(null, message, privateKey).toString('hex'),
    };
  }
  if (type === 'ecdsa') {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const listed = {
      keytype: 'ecdsa',
      scheme: 'ecdsa-sha2-nistp256',
      keyval: { public: pemOf(publicKey) },
    };
    return {
      id: idOf(listed),
      listed,
      sign: (message) => sign('sha256', message, privateKey).toString('hex'),
    };
  }
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  const listed = {
    keytype: 'rsa',
    scheme: 'rsassa-pss-sha256',
    keyval: { public: pemOf(publicKey) },
  };
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return {
    id: idOf(listed),
    listed,
    sign: (message) => sign('sha256', message, { key: privateKey, padding }).toString('hex'),
  };
}

export type Signed = Readonly<Record<string, PlainJson>>;

/** A metadata file. */
export function signFile(signed: Signed, keys: readonly TestKey[]): Buffer {
  const message = canonicalJson(signed);
  const signatures = keys.map((key) => ({ keyid: key.id, sig: key.sign(message) }));
  return Buffer.from(JSON.stringify({ signatures, signed }));
}
