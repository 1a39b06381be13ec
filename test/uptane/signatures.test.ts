/** Keys, key ids, signatures and thresholds. */
import { must } from './support/must.js';
import { constants, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { PublicKey } from '../../src/uptane/keys/public-key.js';
import { keyIdOf } from '../../src/uptane/keys/key-id.js';
import { type KeyType, makeKey, type TestKey, underAnotherId } from './support/keys.js';
import { FIRMWARE, TestWorld } from './support/test-vehicle.js';
import { isFullDepth } from '../support/depth.js';
import { publicJwk } from '../support/public-jwk.js';

let world: TestWorld;
beforeEach(() => {
  world = new TestWorld().order();
});

test.each<KeyType>(['ed25519', 'ecdsa', 'rsa'])(
  'all roles can have keys of type %s',
  async (type) => {
    // In a quick run, all roles have the same key: eight RSA keys take a second.
    const common = makeKey(type);
    for (const { roles } of [world.director, world.image]) {
      for (const role of Object.values(roles)) role.keys = [isFullDepth ? makeKey(type) : common];
    }
    world.provision();
    expect(await world.paths()).toEqual([FIRMWARE]);
  },
);

test.each<KeyType>(['ed25519', 'ecdsa', 'rsa'])(
  'a signature of type %s over different content does not count',
  async (type) => {
    const key = makeKey(type);
    world.image.targets.keys = [key];
    world.image.signers = (role) =>
      role === 'targets' ? [{ ...key, sign: () => key.sign(Buffer.from('{}')) }] : undefined;
    world.provision();
    expect(await world.refusal()).toMatchObject({
      code: 'signature',
      repository: 'image',
      role: 'targets',
      version: 1,
      attack: 'arbitrary-software',
    });
  },
);

const rsa = makeKey('rsa');
const twoOfThree = () => [makeKey(), makeKey('ecdsa'), rsa];

test('any of the keys in any order reach the threshold', async () => {
  const keys = twoOfThree();
  Object.assign(world.image.targets, { keys, threshold: 2 });
  world.image.signers = (role) => (role === 'targets' ? [must(keys[2]), must(keys[0])] : undefined);
  world.provision();
  expect(await world.paths()).toEqual([FIRMWARE]);
});

describe('the threshold is not reached by', () => {
  const refused = async (sign: (keys: TestKey[]) => TestKey[]) => {
    const keys = twoOfThree();
    Object.assign(world.image.targets, { keys, threshold: 2 });
    world.image.signers = (role) => (role === 'targets' ? sign(keys) : undefined);
    world.provision();
    expect(await world.refusal()).toMatchObject({
      code: 'signature',
      expected: 'valid signatures by 2 of 3 keys',
      found: 'valid signatures by 1',
    });
  };

  test('one key', () => refused(([a]) => [must(a)]));
  test('one key that signs twice', () => refused(([a]) => [must(a), must(a)]));
  test('a key of the role and a foreign one', () => refused(([a]) => [must(a), makeKey()]));
  test('a key, and another one’s signature under a third id', () =>
    refused(([a, b]) => [must(a), { ...must(b), sign: must(a).sign }]));
});

test('one key under two ids counts once', async () => {
  const key = makeKey();
  const other = underAnotherId(key);
  Object.assign(world.image.targets, { keys: [key, other], threshold: 2 });
  world.provision();
  expect((await world.refusal()).code).toBe('signature');
});

test('one RSA key in two PEM encodings counts once', async () => {
  const key = rsa;
  const pem = (key.listed.keyval as { public: string }).public;
  const listed = { ...key.listed, keyval: { public: pem.replaceAll('\n', '\r\n') } };
  const other = { ...key, listed, id: keyIdOf(listed) };
  Object.assign(world.image.targets, { keys: [key, other], threshold: 2 });
  world.provision();
  expect((await world.refusal()).code).toBe('signature');
});

test('wrong signatures before a valid one do not matter', async () => {
  const [key] = world.image.targets.keys;
  const wrong = ['', 'zz', 'abc', '00'.repeat(64)].map((sig) => ({
    ...must(key),
    sign: () => sig,
  }));
  const foreign = { ...makeKey(), id: 'nobody' };
  world.image.signers = (role) => (role === 'targets' ? [...wrong, foreign, must(key)] : undefined);
  world.provision();
  expect(await world.paths()).toEqual([FIRMWARE]);
});

describe('key ids', () => {
  const withKey = (id: string, listed: object) => {
    world.image.tamper = (role, signed) => {
      if (role === 'root') signed.keys[id] = listed;
    };
    world.image.release('root');
  };
  const provision = () => {
    world.provision();
  };

  test('a key id that does not match its key is rejected, even if unused', async () => {
    provision();
    withKey('ab'.repeat(32), makeKey().listed);
    expect(await world.refusal()).toMatchObject({
      code: 'key-id',
      repository: 'image',
      role: 'root',
      version: 2,
    });
  });

  test('so is an upper-case key id', async () => {
    provision();
    const key = makeKey();
    withKey(key.id.toUpperCase(), key.listed);
    expect((await world.refusal()).code).toBe('key-id');
  });

  test('so is a mismatch in delegations', async () => {
    const { image } = world;
    image.addRole('supplier');
    image.delegate(image.targets, 'supplier');
    const [key] = image.targets.delegationKeys;
    image.targets.delegationKeys[0] = { ...must(key), id: 'cd'.repeat(32) };
    provision();
    expect(await world.refusal()).toMatchObject({ code: 'key-id', role: 'targets' });
  });

  test.each([
    ['type', { keytype: 'sphincs+', scheme: 'sphincs+', keyval: { public: 'x' } }],
    ['type, without anything else', { keytype: 'sphincs+' }],
    ['scheme', { keytype: 'rsa', scheme: 'rsassa-pss-sha512', keyval: { public: 'x' } }],
  ])('a key of an unknown %s is ignored, whatever its id is', async (_what, listed) => {
    provision();
    withKey('anything', listed);
    expect(await world.paths()).toEqual([FIRMWARE]);
  });

  test('all members of a key are part of its id', async () => {
    world.image.targets.keys = [underAnotherId(makeKey())];
    provision();
    expect(await world.paths()).toEqual([FIRMWARE]);
  });
});

describe('the signature of an unsuitable key does not count', () => {
  const usable = makeKey();
  const bad = (listed: TestKey['listed'], sign = usable.sign): TestKey => ({
    id: keyIdOf(listed),
    listed,
    sign,
  });
  const small = makeKey('rsa', 1024);
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({
    type: 'spki',
    format: 'pem',
  }) as string;
  const rsaPkcs1 = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({
    type: 'pkcs1',
    format: 'pem',
  }) as string;

  test.each<[what: string, key: TestKey]>([
    ['RSA of 1024 bits', small],
    [
      'a curve other than P-256',
      bad({ keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', keyval: { public: p384 } }),
    ],
    [
      'a PKCS #1 key',
      bad({ keytype: 'rsa', scheme: 'rsassa-pss-sha256', keyval: { public: rsaPkcs1 } }),
    ],
    [
      'an Ed25519 key that is too short',
      bad({ keytype: 'ed25519', scheme: 'ed25519', keyval: { public: 'ab' } }),
    ],
    ['text', bad({ keytype: 'rsa', scheme: 'rsassa-pss-sha256', keyval: { public: 'text' } })],
  ])('%s', async (_what, key) => {
    world.image.targets.keys = [key];
    world.provision();
    expect((await world.refusal()).code).toBe('signature');
  });

  test('but does not affect a suitable one', async () => {
    world.image.targets.keys = [small, usable];
    world.provision();
    expect(await world.paths()).toEqual([FIRMWARE]);
  });
});

test.each([
  ['1', `01${'00'.repeat(31)}`],
  ['1, x negative', `01${'00'.repeat(30)}80`],
  ['1, as p + 1', `ee${'ff'.repeat(30)}7f`],
  ['2', `ec${'ff'.repeat(30)}7f`],
  ['4', '00'.repeat(32)],
  ['4, as p', `ed${'ff'.repeat(30)}ff`],
  ['8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'],
  ['8, y negative', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
])('nor that of an Ed25519 key of order %s, for which anyone can sign', async (_order, hex) => {
  const x = Buffer.from(hex, 'hex').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  // R a point of low order, S zero: valid if R and the multiple of the key happen to cancel out.
  const forgery = (of: Buffer) => {
    const points = ['01', 'ec', '00', '26', 'c7', '8001', '80ec', '8000', '8026', '80c7'].map(
      pointOf,
    );
    return points.find((point) => verify(null, of, key, Buffer.concat([point, Buffer.alloc(32)])));
  };
  const messages = Array.from({ length: 64 }, (_, index) => Buffer.from(`message ${index}`));
  const forged = messages.find((message) => forgery(message) !== undefined);
  expect(forged).toBeDefined();
  const listed = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: hex } };
  const message = must(forged);
  const signature = Buffer.concat([must(forgery(message)), Buffer.alloc(32)]).toString('hex');
  const members = { keyType: 'ed25519', scheme: 'ed25519', public: hex };
  expect(new PublicKey(keyIdOf(listed), members).verifies(message, signature)).toBe(false);
});

/** A point of low order by the first byte of its y, with 80 before it for a negative x. */
function pointOf(name: string): Buffer {
  const y = new Map([
    ['01', `01${'00'.repeat(31)}`],
    ['ec', `ec${'ff'.repeat(30)}7f`],
    ['00', '00'.repeat(32)],
    ['26', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
    ['c7', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
  ]).get(name.slice(-2));
  const point = Buffer.from(must(y), 'hex');
  if (name.length > 2) point[31] = must(point[31]) | 0x80;
  return point;
}

test('nor that of an RSA key with exponent 1, for which anyone can write down a signature', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { n = '', e = '' } = publicJwk(publicKey);
  const numberOf = (text: string) => BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`);
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const forgeable = createPublicKey({ key: { kty: 'RSA', n, e: 'AQ' }, format: 'jwk' });
  // With exponent 1, the encoded message inside a real signature is itself a signature.
  const forge = (message: Uint8Array) => {
    const real = sign('sha256', message, { key: privateKey, padding });
    const encoded = power(BigInt(`0x${real.toString('hex')}`), numberOf(e), numberOf(n));
    return encoded.toString(16).padStart(512, '0');
  };
  const message = Buffer.from('message');
  const signature = Buffer.from(forge(message), 'hex');
  expect(verify('sha256', message, { key: forgeable, padding }, signature)).toBe(true);
  const listed = {
    keytype: 'rsa',
    scheme: 'rsassa-pss-sha256',
    keyval: { public: forgeable.export({ type: 'spki', format: 'pem' }) as string },
  };
  world.image.targets.keys = [{ id: keyIdOf(listed), listed, sign: forge }];
  world.provision();
  expect((await world.refusal()).code).toBe('signature');
});

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let left = exponent, square = base; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

test('a file with a thousand wrong signatures by a known key is rejected quickly', async () => {
  const [key] = world.image.targets.keys;
  const wrong = { ...must(key), sign: () => '00'.repeat(64) };
  world.image.signers = (role) =>
    role === 'targets' ? [...Array.from({ length: 1_024 }, () => wrong), must(key)] : undefined;
  world.provision();
  expect((await world.refusal()).code).toBe('signature');
});
