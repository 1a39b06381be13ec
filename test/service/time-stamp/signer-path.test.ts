/** Who may sign a time stamp: certificates and stamps by OpenSSL; each attack has one fault. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { BadTimeStamp, checkTimeStamp } from '../../../src/service/time-stamp/index.js';
import { sampleOf } from '../../support/depth.js';
import {
  AUTHORITY,
  certificateOf,
  certify,
  type Holder,
  reply,
  SIGNER,
  signTimeStamp,
  withCertificates,
} from './stamp-pki.js';

const IMPRINT = createHash('sha256').update('what is stamped').digest('hex');
const DAY = 86_400_000;

let root: Holder;
let intermediate: Holder;
let signer: Holder;

beforeAll(() => {
  root = certify({ subject: 'Root', extensions: AUTHORITY });
  intermediate = authority({});
  signer = stamper({});
});

type Other = Partial<Parameters<typeof certify>[0]>;
const authority = (other: Other) =>
  certify({ subject: 'Intermediate', issuer: root, extensions: AUTHORITY, ...other });
const stamper = (other: Other) =>
  certify({ subject: 'Stamper', issuer: intermediate, extensions: SIGNER, ...other });
const check = (answer: Buffer, trusted = root) =>
  checkTimeStamp(answer, { imprint: IMPRINT, trusted: [certificateOf(trusted)] });
const under = (issuer: Holder) => reply(IMPRINT, stamper({ issuer }), [issuer]);

describe('a time stamp is accepted', () => {
  test.each(['ec', 'rsa:2048'])('with a signer and an intermediate of %s', (newKey) => {
    const issuer = authority({ newKey });
    const answer = reply(IMPRINT, stamper({ issuer, newKey }), [issuer]);
    expect(check(answer).authority).toBe('CN=Stamper');
  });

  test.each(['sha1', 'sha256', 'sha512'])('if it names its certificate by %s', (idDigest) => {
    expect(check(reply(IMPRINT, signer, [intermediate], { idDigest }))).toBeDefined();
  });

  test('if it also names its certificate by issuer and serial number', () => {
    expect(check(signTimeStamp(IMPRINT, signer, [intermediate]))).toBeDefined();
  });

  test('under a root that allows one intermediate and has signed itself with SHA-1', () => {
    const extensions = ['basicConstraints=critical,CA:TRUE,pathlen:1'];
    const old = certify({ subject: 'Old', extensions, digest: 'sha1' });
    const issuer = authority({ issuer: old });
    expect(check(reply(IMPRINT, stamper({ issuer }), [issuer]), old)).toBeDefined();
  });

  test('if its certificates are signed with RSASSA-PSS and SHA-256', () => {
    const pss = certify({ subject: 'PSS', extensions: AUTHORITY, newKey: 'rsa-pss' });
    const issuer = authority({ issuer: pss });
    expect(check(reply(IMPRINT, stamper({ issuer }), [issuer]), pss)).toBeDefined();
  });

  test('if the signer itself is trusted', () => {
    expect(check(reply(IMPRINT, signer, []), signer)).toBeDefined();
  });

  test('if another issuer has a certificate with the same serial number', () => {
    const serial = 4711;
    const own = stamper({ serial });
    const decoy = certify({ subject: 'Decoy', extensions: SIGNER, serial });
    const answer = reply(IMPRINT, own, [intermediate]);
    expect(check(withCertificates(answer, [decoy, own, intermediate]))).toBeDefined();
  });

  test('by a valid path, even if another path through the same authority is invalid', () => {
    const { key } = intermediate;
    const weak = authority({ key, digest: 'sha1' });
    const answer = reply(IMPRINT, signer, [intermediate]);
    expect(check(withCertificates(answer, [signer, weak, intermediate]))).toBeDefined();
  });
});

const ATTACKS: readonly (readonly [string, string, () => readonly [Buffer, Holder?]])[] = [
  [
    'a root that allows no intermediate',
    'has a path that is longer than one of its authorities allows',
    () => {
      const extensions = ['basicConstraints=critical,CA:TRUE,pathlen:0'];
      const short = certify({ subject: 'Short', extensions });
      return [under(authority({ issuer: short })), short];
    },
  ],
  [
    'an issuer that is not an authority',
    'has an issuer in its path that is not an authority',
    () => [under(authority({ extensions: ['keyUsage=critical,keyCertSign'] }))],
  ],
  [
    'an authority whose basic constraints say that it is none',
    'has an issuer in its path that is not an authority',
    () => [under(authority({ extensions: ['basicConstraints=critical,CA:FALSE'] }))],
  ],
  [
    'an authority that may not sign certificates',
    'has an authority in its path that may not sign certificates',
    () => {
      const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=digitalSignature,cRLSign'];
      return [under(authority({ extensions }))];
    },
  ],
  [
    'a signer whose key may only agree on keys',
    'is signed by a certificate whose key usage excludes signatures',
    () => {
      const extensions = ['keyUsage=critical,keyAgreement', SIGNER[1] ?? ''];
      return [signTimeStamp(IMPRINT, stamper({ extensions }), [intermediate])];
    },
  ],
  [
    'a signer that is not for time stamps',
    'is signed by a certificate that is not for time stamps',
    () => {
      const extensions = ['extendedKeyUsage=clientAuth'];
      return [signTimeStamp(IMPRINT, stamper({ extensions }), [intermediate])];
    },
  ],
  [
    'a signer with RSA of 1,024 bits',
    'has an RSA key in its path that is too short',
    () => [reply(IMPRINT, stamper({ newKey: 'rsa:1024' }), [intermediate])],
  ],
  [
    'an intermediate with RSA of 1,024 bits',
    'has an RSA key in its path that is too short',
    () => [under(authority({ newKey: 'rsa:1024' }))],
  ],
  ...['sha1', 'md5'].flatMap((digest) => [
    [
      `a signer's certificate signed with ${digest}`,
      'is signed with an algorithm that is not accepted',
      () => {
        const issuer = authority({ newKey: 'rsa:2048' });
        return [reply(IMPRINT, stamper({ issuer, digest }), [issuer])] as const;
      },
    ] as const,
  ]),
  [
    'an intermediate signed with SHA-1',
    'is signed with an algorithm that is not accepted',
    () => [under(authority({ digest: 'sha1' }))],
  ],
  [
    'an intermediate signed with RSASSA-PSS and SHA-1',
    'is signed with an algorithm that is not accepted',
    () => {
      const pss = certify({ subject: 'PSS', extensions: AUTHORITY, newKey: 'rsa-pss' });
      return [under(authority({ issuer: pss, digest: 'sha1' })), pss];
    },
  ],
  [
    'a signature over a SHA-1',
    'is signed with a digest that is not supported',
    () => [reply(IMPRINT, signer, [intermediate], { signerDigest: 'sha1' })],
  ],
  [
    'a signer that has expired at its time',
    'was made when a certificate of its signer was not valid',
    () => {
      const time = Date.now() + 20 * DAY;
      return [signTimeStamp(IMPRINT, stamper({ days: 10 }), [intermediate], { time })];
    },
  ],
  [
    'an intermediate that has expired at its time',
    'was made when a certificate of its signer was not valid',
    () => {
      const issuer = authority({ days: 10 });
      const time = Date.now() + 20 * DAY;
      return [signTimeStamp(IMPRINT, stamper({ issuer }), [issuer], { time })];
    },
  ],
  ...['sha1', 'sha256'].map(
    (idDigest) =>
      [
        `another certificate with the same key, issuer and number, where it is named by ${idDigest}`,
        'says that it is signed with another certificate',
        () => {
          const own = stamper({ serial: 4711 });
          const twin = stamper({ serial: 4711, key: own.key, days: 29 });
          const answer = reply(IMPRINT, own, [intermediate], { idDigest });
          return [withCertificates(answer, [twin, intermediate])] as const;
        },
      ] as const,
  ),
  [
    'none that says with which certificate it is signed',
    'does not say with which certificate it is signed',
    () => [signTimeStamp(IMPRINT, signer, [intermediate], { options: [] })],
  ],
];

describe('a time stamp is refused', () => {
  test.each(sampleOf(ATTACKS, 3))('%s', (_, fault, make) => {
    const [answer, trusted] = make();
    expect(() => check(answer, trusted)).toThrow(fault);
    expect(() => check(answer, trusted)).toThrow(BadTimeStamp);
  });

  test('if the signer’s key is short, even without trusted authorities', () => {
    const answer = reply(IMPRINT, stamper({ newKey: 'rsa:1024' }), [intermediate]);
    expect(() => checkTimeStamp(answer, { imprint: IMPRINT })).toThrow('too short');
  });

  test('if its authorities certify each other, without an endless search', () => {
    const loop = () => authority({ issuer: intermediate, key: intermediate.key });
    const loops = Array.from({ length: 12 }, loop);
    const crowded = withCertificates(reply(IMPRINT, signer, []), [signer, ...loops]);
    expect(() => check(crowded)).toThrow('not trusted');
  });
});
