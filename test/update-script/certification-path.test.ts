/** Whose signature a vehicle believes: the chain is the path, and each certificate in it is fit for its place. */
import {
  constants,
  generateKeyPairSync,
  type KeyObject,
  sign,
  type X509Certificate,
} from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { type UpdateScript, verifyScript } from '../../src/update-script/index.js';
import {
  type Made,
  type Maker,
  opensslMaker,
  ownMaker,
  type Wanted,
  withSignature,
} from '../support/certificate-makers.js';
import { isInstalled } from '../support/servers.js';
import { publicJwk } from '../support/public-jwk.js';

const SCRIPT: UpdateScript = {
  version: 'v1',
  'script-ref-id': 'hu only 001',
  model: 'vehicle model a',
  ecus: [
    {
      ecu: 'HU',
      version: '1.1.0',
      artifact: { sha256: 'a'.repeat(64), md5: 'b'.repeat(32), size: 10 },
    },
  ],
};
const TYP = 'otaops-update-script+jws';
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const TLS_SERVER = '1.3.6.1.5.5.7.3.1';

const ecKeys = (namedCurve = 'P-256') => generateKeyPairSync('ec', { namedCurve });
const rsaKeys = (modulusLength = 2048, publicExponent = 65_537) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent });

const AUTHORITY = {
  constraints: { authority: true },
  usage: ['keyCertSign', 'cRLSign'],
} as const satisfies Partial<Wanted>;
const SIGNER = {
  constraints: { authority: false },
  usage: ['digitalSignature'],
  purposes: [CODE_SIGNING],
} as const satisfies Partial<Wanted>;

/** Signs by Node alone: what another library than ours would send. */
function jws(header: object, key: KeyObject, payload: object = SCRIPT): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part(header)}.${part(payload)}`;
  const isPss = key.asymmetricKeyType === 'rsa';
  const signature = sign(hashFor(key), Buffer.from(signed), {
    key,
    dsaEncoding: 'ieee-p1363',
    ...(isPss ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {}),
  });
  return `${signed}.${signature.toString('base64url')}`;
}

const HASH_OF = new Map([
  ['secp384r1', 'sha384'],
  ['secp521r1', 'sha512'],
]);
const hashFor = ({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject) =>
  asymmetricKeyType === 'ed25519' || asymmetricKeyType === 'ed448'
    ? null
    : (HASH_OF.get(asymmetricKeyDetails?.namedCurve ?? '') ?? 'sha256');

const base64 = ({ raw }: X509Certificate) => raw.toString('base64');
const headerOf = (chain: readonly X509Certificate[], alg = 'ES256') => ({
  alg,
  typ: TYP,
  x5c: chain.map(base64),
});

const verdict = (text: string, anchors: readonly X509Certificate[], at = Date.now()) =>
  verifyScript(text, anchors, at).then(
    () => 'accepted',
    (error: unknown) => String(error),
  );

const makers: [string, Maker][] = [['our own maker', ownMaker]];
if (await isInstalled('openssl', 'apt-get install openssl')) makers.push(['openssl', opensslMaker]);

describe.each(makers)('certificates by %s', (_, make) => {
  const keys = ecKeys();
  let anchor: Made;
  let between: Made;
  let good: Made;

  beforeAll(() => {
    anchor = make({ name: 'anchor', keys: ecKeys(), ...AUTHORITY });
    between = make({ name: 'between', keys: ecKeys(), issuer: anchor, ...AUTHORITY });
    good = make({ name: 'good', keys, issuer: between, ...SIGNER });
  });

  /** Verdict on a script that the first of the chain has signed. */
  const judge = (chain: readonly Made[], { alg = 'ES256', trusted = anchor } = {}) => {
    const certificates = chain.map(({ certificate }) => certificate);
    const key = (chain[0] ?? good).keys.privateKey;
    return verdict(jws(headerOf(certificates, alg), key), [trusted.certificate]);
  };
  const signer = (wanted: Partial<Wanted> = {}) =>
    make({ name: 'signer', keys: ecKeys(), issuer: anchor, ...SIGNER, ...wanted });
  const authority = (wanted: Partial<Wanted> = {}) =>
    make({ name: 'authority', keys: ecKeys(), issuer: anchor, ...AUTHORITY, ...wanted });
  const root = (wanted: Partial<Wanted> = {}) =>
    make({ name: 'root', keys: ecKeys(), ...AUTHORITY, ...wanted });
  const below = (issuer: Made, wanted: Partial<Wanted> = {}) => signer({ issuer, ...wanted });

  describe('accepted', () => {
    test('a path to the trust anchor, with or without the anchor itself', async () => {
      expect(await judge([signer()])).toBe('accepted');
      expect(await judge([good, between])).toBe('accepted');
      expect(await judge([good, between, anchor])).toBe('accepted');
    });

    test.each([
      ['P-256', 'ES256', () => ecKeys()],
      ['P-384', 'ES384', () => ecKeys('P-384')],
      ['P-521', 'ES512', () => ecKeys('P-521')],
      ['RSA of 2,048 bits', 'PS256', () => rsaKeys()],
      ['Ed25519', 'EdDSA', () => generateKeyPairSync('ed25519')],
    ])('keys of the kind %s at every place', async (_kind, alg, newKeys) => {
      const top = root({ keys: newKeys() });
      const middle = authority({ issuer: top, keys: newKeys() });
      const bottom = below(middle, { keys: newKeys() });
      expect(await judge([bottom, middle], { alg, trusted: top })).toBe('accepted');
    });

    test('certificates that are signed with SHA-384, or by RSASSA-PSS with SHA-256', async () => {
      expect(await judge([signer({ digest: 'sha384' })])).toBe('accepted');
      const top = root({ keys: rsaKeys() });
      expect(await judge([below(top, { pss: true })], { trusted: top })).toBe('accepted');
    });

    test('as many authorities as pathLenConstraint allows', async () => {
      const top = root({ constraints: { authority: true, pathLength: 1 } });
      const middle = authority({ issuer: top, constraints: { authority: true, pathLength: 0 } });
      expect(await judge([below(middle), middle], { trusted: top })).toBe('accepted');
    });

    test('a trust anchor whose own signature is weak: it is trusted for other reasons', async () => {
      const top = root({ digest: 'sha1' });
      expect(await judge([below(top), top], { trusted: top })).toBe('accepted');
    });

    test('an extension that is not known and not critical', async () => {
      const others = [{ oid: '1.2.3.4', critical: false, value: '0500' }];
      expect(await judge([signer({ others })])).toBe('accepted');
    });
  });

  describe('the chain is the path', () => {
    let evil: Made;
    let sameName: Made;
    beforeAll(() => {
      sameName = root({ name: 'anchor' });
      evil = make({ name: 'good', keys: ecKeys(), issuer: sameName, ...SIGNER });
    });
    const evilly = (chain: readonly X509Certificate[]) =>
      verdict(jws(headerOf(chain), evil.keys.privateKey), [anchor.certificate]);

    test('a foreign signer around a good certificate is refused: evil, good, evil', async () => {
      const direct = signer();
      const chain = [evil.certificate, direct.certificate, evil.certificate];
      expect(await evilly(chain)).toMatch(/good is in the chain twice/);
    });

    test('so it is when the repetition has another signature value', async () => {
      const direct = signer();
      const again = withSignature(evil.certificate, Buffer.from('3006020101020101', 'hex'));
      const chain = [evil.certificate, direct.certificate, again];
      expect(await evilly(chain)).toMatch(/good is in the chain twice/);
      expect(await evilly([evil.certificate, again])).toMatch(/good is in the chain twice/);
    });

    test('the signed part of a good certificate under another signature value is refused', async () => {
      const foreign = Buffer.from('3006020101020101', 'hex');
      const chain = [withSignature(good.certificate, foreign), between.certificate];
      const text = jws(headerOf(chain), good.keys.privateKey);
      expect(await verdict(text, [anchor.certificate])).toMatch(
        /signature of between on the certificate of good does not match/,
      );
    });

    test('no arrangement of good and foreign certificates lets a foreign key sign', async () => {
      const pool = [good, between, anchor, evil, sameName].map(({ certificate }) => certificate);
      pool.push(withSignature(evil.certificate, Buffer.from('3006020101020101', 'hex')));
      const arrangements = (length: number): X509Certificate[][] =>
        length === 0
          ? [[]]
          : arrangements(length - 1).flatMap((rest) => pool.map((one) => [...rest, one]));
      const accepted: X509Certificate[][] = [];
      for (const chain of [0, 1, 2, 3].flatMap(arrangements)) {
        expect(await evilly(chain)).toMatch(/^ScriptRefused: ./);
        const text = jws(headerOf(chain), good.keys.privateKey);
        if ((await verdict(text, [anchor.certificate])) === 'accepted') accepted.push(chain);
      }
      const path = [good.certificate, between.certificate];
      expect(accepted).toEqual([path, [...path, anchor.certificate]]);
    });

    test.each<[string, () => Made[], RegExp]>([
      ['nothing', () => [], /contains no certificate/],
      ['an incomplete one', () => [good], /good does not lead to a trust anchor/],
      ['one in another order', () => [between, good], /between is an authority, not a signer/],
      ['a gap', () => [good, anchor], /good does not lead to a trust anchor/],
      [
        'a stranger at its end',
        () => [good, between, sameName],
        /signature of anchor on .* between does not match/,
      ],
      [
        'the trust anchor twice',
        () => [good, between, anchor, anchor],
        /anchor is in the chain twice/,
      ],
      ['the trust anchor alone', () => [anchor], /anchor is an authority, not a signer/],
    ])('%s is refused', async (_what, chain, reason) => {
      expect(await judge(chain())).toMatch(reason);
    });

    test('more certificates than ten are refused, not cut off', async () => {
      const authorities = [anchor];
      for (let n = 1; n <= 10; n++) {
        const issuer = authorities[0] ?? anchor;
        authorities.unshift(authority({ name: `authority ${n}`, issuer }));
      }
      const chain = authorities.slice(0, -1);
      const [lowest = anchor, ...others] = chain;
      expect(await judge([below(lowest), ...chain])).toMatch(/has 11 certificates; at most 10/);
      const nine = others[0] ?? anchor;
      expect(await judge([below(nine), ...others])).toBe('accepted');
    });
  });

  describe('an authority is refused', () => {
    const CA = { authority: true };
    test.each<[string, () => Partial<Wanted>, RegExp]>([
      ['without keyCertSign', () => ({ usage: ['cRLSign'] }), /lacks keyCertSign/],
      ['without keyUsage', () => ({ usage: undefined }), /lacks keyCertSign/],
      ['without basicConstraints', () => ({ constraints: undefined }), /is not an authority/],
      ['that is none', () => ({ constraints: { authority: false } }), /is not an authority/],
      ['of version 1', () => ({ version: 1 }), /is of version 1, not 3/],
      ['with RSA of 1,024 bits', () => ({ keys: rsaKeys(1024) }), /has 1024 bits, fewer than 2048/],
      ['with RSA of 2,047 bits', () => ({ keys: rsaKeys(2047) }), /has 2047 bits, fewer than 2048/],
      ['with an exponent of 3', () => ({ keys: rsaKeys(2048, 3) }), /public exponent 3, below/],
      [
        'on a weak curve',
        () => ({ keys: ecKeys('secp224r1') }),
        /\(secp224r1\) must be EC on P-256/,
      ],
      ['for TLS servers only', () => ({ purposes: [TLS_SERVER] }), /is not for code signing/],
      [
        'with an unknown critical extension',
        () => ({ others: [{ oid: '1.2.3.4', critical: true, value: '0500' }] }),
        /critical extension 1\.2\.3\.4/,
      ],
      ...[true, false].map((critical): [string, () => Partial<Wanted>, RegExp] => [
        `with name constraints (critical: ${critical})`,
        () => ({
          // permittedSubtrees: DNS example.com
          others: [{ oid: '2.5.29.30', critical, value: `3011a00f300d820b${hex('example.com')}` }],
        }),
        /has name constraints, which are not supported/,
      ]),
      [
        'with policy constraints',
        () => ({ others: [{ oid: '2.5.29.36', critical: true, value: '3003800100' }] }),
        /has policy constraints, which are not supported/,
      ],
    ])('%s, in the chain and as trust anchor', async (_what, wanted, reason) => {
      const middle = authority(wanted());
      expect(await judge([below(middle), middle])).toMatch(reason);
      const top = root(wanted());
      expect(await judge([below(top)], { trusted: top })).toMatch(reason);
      expect(await judge([below(top), top], { trusted: top })).toMatch(reason);
    });

    test('that has more authorities below it than its pathLenConstraint allows', async () => {
      const none = { constraints: { ...CA, pathLength: 0 } };
      const middle = authority(none);
      const lower = authority({ name: 'lower', issuer: middle });
      const reason = /allows 0 authorities below it \(pathLenConstraint\), the chain has 1/;
      expect(await judge([below(lower), lower, middle])).toMatch(reason);
      const top = root(none);
      const under = authority({ issuer: top });
      expect(await judge([below(under), under], { trusted: top })).toMatch(reason);
    });
  });

  describe('a signer is refused', () => {
    test.each<[string, () => Partial<Wanted>, RegExp]>([
      [
        'without digitalSignature',
        () => ({ usage: ['keyEncipherment'] }),
        /lacks digitalSignature/,
      ],
      ['without keyUsage', () => ({ usage: undefined }), /lacks digitalSignature/],
      ['for TLS servers', () => ({ purposes: [TLS_SERVER] }), /not for code signing/],
      ['for any purpose', () => ({ purposes: ['2.5.29.37.0'] }), /not for code signing/],
      ['for no purpose in particular', () => ({ purposes: undefined }), /not for code signing/],
      ['that is an authority', () => ({ constraints: { authority: true } }), /is an authority/],
      ['of version 1', () => ({ version: 1 }), /is of version 1, not 3/],
      [
        'with an unknown critical extension',
        () => ({ others: [{ oid: '1.2.3.4', critical: true, value: '0500' }] }),
        /critical extension 1\.2\.3\.4/,
      ],
    ])('%s', async (_what, wanted, reason) => {
      expect(await judge([signer(wanted())])).toMatch(reason);
    });

    test.each<[string, string, () => Wanted['keys'], RegExp]>([
      ['RSA of 1,024 bits', 'PS256', () => rsaKeys(1024), /has 1024 bits, fewer than 2048/],
      ['secp256k1', 'ES256K', () => ecKeys('secp256k1'), /\(secp256k1\) must be EC on P-256/],
      ['P-224', 'ES256', () => ecKeys('secp224r1'), /\(secp224r1\) must be EC on P-256/],
      ['Ed448', 'EdDSA', () => generateKeyPairSync('ed448'), /\(ed448\) must be/],
      [
        'a curve that it describes itself',
        'ES256',
        () => generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }),
        /must name its curve|must be EC on/,
      ],
    ])('with a key of the kind %s', async (_kind, alg, newKeys, reason) => {
      expect(await judge([signer({ keys: newKeys() })], { alg })).toMatch(reason);
    });
  });

  test.each(['sha1', 'md5'] as const)('%s is refused anywhere in the path', async (digest) => {
    const reason = digest === 'sha1' ? /is signed with SHA-1/ : /is signed with MD5/;
    const top = root({ keys: rsaKeys() });
    const middle = authority({ issuer: top, keys: rsaKeys() });
    const weak = authority({ issuer: top, keys: rsaKeys(), digest });
    expect(await judge([below(middle, { digest }), middle], { trusted: top })).toMatch(reason);
    expect(await judge([below(weak), weak], { trusted: top })).toMatch(reason);
  });

  test('RSASSA-PSS with SHA-1, and ECDSA with SHA-1, are refused', async () => {
    const top = root({ keys: rsaKeys() });
    const weak = below(top, { pss: true, digest: 'sha1' });
    expect(await judge([weak], { trusted: top })).toMatch(/RSASSA-PSS without SHA-2/);
    expect(await judge([signer({ digest: 'sha1' })])).toMatch(/is signed with SHA-1/);
  });

  test('an authority or a trust anchor that has expired is refused', async () => {
    const text = jws(headerOf([good.certificate, between.certificate]), good.keys.privateKey);
    const later = Date.now() + 31 * 24 * 60 * 60 * 1000;
    expect(await verdict(text, [anchor.certificate], later)).toMatch(/expired on/);
    expect(await verdict(text, [anchor.certificate], 0)).toMatch(/the clock says 1970-01-01/);
    expect(await verdict(text, [anchor.certificate], NaN)).not.toBe('accepted');
  });

  test('of several trust anchors of one name, the one that has issued the chain counts', async () => {
    const renewed = root({ name: 'anchor' });
    const text = jws(headerOf([good.certificate, between.certificate]), good.keys.privateKey);
    expect(await verdict(text, [renewed.certificate, anchor.certificate])).toBe('accepted');
    expect(await verdict(text, [renewed.certificate])).toMatch(/signature of anchor .* not match/);
    expect(await verdict(text, [])).toMatch(/does not lead to a trust anchor/);
  });

  describe('the header', () => {
    const sealed = (members: object, without: readonly string[] = []) => {
      const header = { ...headerOf([good.certificate, between.certificate]), ...members };
      for (const name of without) Reflect.deleteProperty(header, name);
      return verdict(jws(header, good.keys.privateKey), [anchor.certificate]);
    };

    test('has alg, typ and x5c, and nothing that names a key in another way or asks for more', async () => {
      const jwk = publicJwk(good.keys.publicKey);
      const others = {
        crit: ['exp'],
        jwk,
        jku: 'https://evil.example',
        x5u: 'https://evil.example',
      };
      for (const [name, value] of Object.entries({ ...others, b64: false, kid: '1', x5t: 'x' })) {
        expect(await sealed({ [name]: value })).toContain(`header has "${name}"`);
      }
      expect(await sealed({ typ: 'JWT' })).toMatch(/not that of an update script/);
      expect(await sealed({}, ['typ'])).toMatch(/not that of an update script/);
    });

    test('has the algorithm of the signer’s key', async () => {
      for (const alg of ['ES384', 'PS256', 'EdDSA', 'RS256', 'HS256', 'none', 'es256', 7, null]) {
        expect(await sealed({ alg })).toContain(`the signature is ${JSON.stringify(alg)}`);
      }
      expect(await sealed({}, ['alg'])).toMatch(/the signature is nothing/);
    });

    test('has x5c as an array of certificates in base64', async () => {
      const [own, next] = [base64(good.certificate), base64(between.certificate)];
      const reason = /x5c must be an array of certificates in base64/;
      const bad = [own, { 0: own, length: 1 }, null, [7], [null], [[own]], [{}], [own, 7]];
      for (const x5c of bad) expect(await sealed({ x5c })).toMatch(reason);
      const url = good.certificate.raw.toString('base64url');
      for (const text of [` ${own}`, `${own}\n`, `${url}-_`, good.certificate.toString()]) {
        expect(await sealed({ x5c: [text, next] })).toMatch(reason);
      }
      const broken = Buffer.from('no certificate').toString('base64');
      expect(await sealed({ x5c: [broken, next] })).toMatch(/cannot be read/);
      expect(await sealed({ x5c: [''] })).toMatch(/cannot be read/);
      expect(await sealed({ x5c: [] })).toMatch(/contains no certificate/);
      expect(await sealed({}, ['x5c'])).toMatch(/contains no certificate/);
      const more = Buffer.concat([good.certificate.raw, Buffer.from('more')]).toString('base64');
      expect(await sealed({ x5c: [more, next] })).toMatch(/one certificate in DER/);
      const pem = Buffer.from(good.certificate.toString()).toString('base64');
      expect(await sealed({ x5c: [pem, next] })).toMatch(/one certificate in DER/);
    });
  });
});

test('an extension twice is refused: two readers could each take another one', async () => {
  const anchor = ownMaker({ name: 'anchor', keys: ecKeys(), ...AUTHORITY });
  const authority = { oid: '2.5.29.19', critical: true, value: '30030101ff' };
  const wanted = { name: 'signer', keys: ecKeys(), issuer: anchor, ...SIGNER, others: [authority] };
  const { certificate, keys } = ownMaker(wanted);
  const text = jws(headerOf([certificate]), keys.privateKey);
  expect(await verdict(text, [anchor.certificate])).toMatch(/has the extension 2\.5\.29\.19 twice/);
});

test.each([
  ['a negative pathLenConstraint', '2.5.29.19', '30060101ff0201ff'],
  ['a pathLenConstraint of 20 bytes', '2.5.29.19', `30190101ff0214${'7f'.repeat(20)}`],
  ['what is no value', '2.5.29.19', 'ffff'],
  ['two values', '2.5.29.19', '30030101ff0500'],
])('basicConstraints with %s are refused', async (_what, oid, value) => {
  const anchor = ownMaker({
    name: 'anchor',
    keys: ecKeys(),
    usage: AUTHORITY.usage,
    others: [{ oid, critical: true, value }],
  });
  const { certificate, keys } = ownMaker({ name: 's', keys: ecKeys(), issuer: anchor, ...SIGNER });
  const text = jws(headerOf([certificate]), keys.privateKey);
  expect(await verdict(text, [anchor.certificate])).toMatch(/ScriptRefused: .*anchor/);
});

const hex = (text: string) => Buffer.from(text).toString('hex');
