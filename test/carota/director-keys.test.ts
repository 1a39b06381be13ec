/** The Director's keys: generated for trials, checked at each start, never silently replaced. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type OfferedSigner, openDirectorKeys } from '../../src/carota/director/index.js';
import { CAROTA_SCHEMA } from '../../src/carota/schema.js';
import { type Database, openPostgres } from '../../src/service/database/index.js';
import { directorRoot, directorTargets } from '../../src/uptane/director-repository/files.js';
import { readRoot } from '../../src/uptane/metadata/root.js';
import { DIRECTOR } from '../../src/uptane/rules.js';
import {
  addTarget,
  changeKeys,
  DEFAULT_PERIODS,
  FolderFiles,
  ImageRepository,
  inOrder,
  revokeKey,
  signableBy,
  SigningRecord,
  signReviewed,
} from '../../src/uptane/repository/index.js';
import { localSigner } from '../../src/uptane/signing/local-signer.js';
import { type OnlineKey, SignerClient, SignerServer } from '../../src/uptane/signing/index.js';
import { type SignedPart, signMetadata, writeEnvelope } from '../../src/uptane/signing/sign.js';
import { type Signer } from '../../src/uptane/signing/signer.js';
import { timePayload } from '../../src/uptane/time/signed-time.js';
import { newDatabase, type TestDatabase } from '../support/databases.js';
import { temporaryDirectory } from '../support/servers.js';

let server: TestDatabase;
let database: Database;
let folder: string;

beforeAll(async () => {
  server = await newDatabase(CAROTA_SCHEMA);
  database = openPostgres({ url: server.url });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});
beforeEach(async () => {
  await database.query('delete from director_roots');
  folder = join(temporaryDirectory('director-keys'), 'director');
});

const DAY = 24 * 60 * 60 * 1000;
const NOW = Date.parse('2026-11-27T12:00:00Z');
const open = (now = NOW) => openDirectorKeys(database, folder, now);
const keyOf = (name: string) =>
  localSigner(createPrivateKey(readFileSync(join(folder, 'keys', `${name}.pem`))));
const newSigner = () => localSigner(generateKeyPairSync('ed25519').privateKey);
const parsed = (bytes: Uint8Array) =>
  readRoot(bytes, { repository: 'director', role: 'root' }, DIRECTOR);
const lastRoot = (roots: ReadonlyMap<number, Uint8Array>) =>
  parsed([...roots.values()].at(-1) ?? Buffer.alloc(0));

/** A root as made in a ceremony elsewhere. */
const rootOf = async (version: number, signedBy = keyOf('root'), root = signedBy) =>
  writeEnvelope(
    await signMetadata(
      directorRoot({
        version,
        expires: new Date(NOW + 400 * DAY),
        rootThreshold: 1,
        keys: {
          root: [root.key],
          targets: [keyOf('targets').key],
          snapshot: [keyOf('snapshot').key],
          timestamp: [keyOf('timestamp').key],
        },
      }),
      [signedBy],
    ),
  );

test('the first start makes a separate key for each role, which only its owner can read', async () => {
  const keys = await open();
  expect(keys.isTrial).toBe(true);
  const ids = [...Object.values(keys.signers), keys.time, keyOf('root')].map(({ keyId }) => keyId);
  expect(new Set(ids).size).toBe(5);
  for (const name of readdirSync(join(folder, 'keys'))) {
    expect(statSync(join(folder, 'keys', name)).mode & 0o777).toBe(0o600);
  }
  const [timeKey] = JSON.parse(readFileSync(join(folder, 'metadata', 'time-keys.json'), 'utf8'));
  expect(timeKey).toEqual(keys.time.key);
  expect(readdirSync(join(folder, '..'))).toEqual(['director']);
});

test('the next start uses the same keys, and several starts at once make one set', async () => {
  const all = await Promise.all([open(), open(), open()]);
  const ids = all.map(({ signers, time }) => [signers.targets.keyId, time.keyId].join());
  expect(new Set(ids).size).toBe(1);
  expect((await open()).rootDigest).toBe(all[0].rootDigest);
  expect(readdirSync(join(folder, '..'))).toEqual(['director']);
});

test('a trial’s root is followed by the next one before it expires', async () => {
  const { roots: before } = await open();
  const keys = await open(NOW + 310 * DAY);
  expect([...keys.roots.keys()]).toEqual([1, 2]);
  expect(keys.roots.get(1)).toEqual(before.get(1));
  expect(lastRoot(keys.roots).version).toBe(2);
  expect(keys.rootExpires.getTime()).toBe(NOW + 675 * DAY);
});

test('without the root key, a root from a ceremony is published, and the old one stays', async () => {
  await open();
  writeFileSync(join(folder, 'metadata', '2.root.json'), await rootOf(2));
  rmSync(join(folder, 'keys', 'root.pem'));
  const keys = await open();
  expect(keys.isTrial).toBe(false);
  expect([...keys.roots.keys()]).toEqual([1, 2]);
  // As another process, with another folder and the same database.
  rmSync(join(folder, 'metadata', '2.root.json'));
  expect([...(await open(NOW + 390 * DAY)).roots.keys()]).toEqual([1, 2]);
});

test.each<[string, () => Promise<void>, RegExp]>([
  [
    'a root that its predecessor has not signed',
    async () => {
      const stranger = localSigner(generateKeyPairSync('ed25519').privateKey);
      writeFileSync(join(folder, 'metadata', '2.root.json'), await rootOf(2, stranger));
    },
    /root version 2: is not signed by enough keys/,
  ],
  [
    'a root that leaves out a version',
    async () => writeFileSync(join(folder, 'metadata', '3.root.json'), await rootOf(3)),
    /is not the next version: expected version 2/,
  ],
  [
    'another root of a version that the database has',
    async () => writeFileSync(join(folder, 'metadata', '1.root.json'), await rootOf(1)),
    /is not the root version 1 of this database/,
  ],
  [
    'another key than the root names',
    async () =>
      writeFileSync(
        join(folder, 'keys', 'snapshot.pem'),
        readFileSync(join(folder, 'keys', 'targets.pem')),
      ),
    /snapshot\.pem is not the key that root version 1 names for snapshot/,
  ],
  [
    'a file that is no key',
    async () => writeFileSync(join(folder, 'keys', 'time.pem'), 'x'),
    /time\.pem is not an unencrypted private key in PEM/,
  ],
  [
    'a key that is not there',
    async () => rmSync(join(folder, 'keys', 'timestamp.pem')),
    /timestamp\.pem is missing/,
  ],
  [
    'a curve that metadata do not have',
    async () => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
      writeFileSync(join(folder, 'keys', 'time.pem'), pem);
    },
    /time\.pem: expected an Ed25519, ECDSA P-256 or RSA key, found ec secp256k1/,
  ],
])('does not start with %s', async (_name, spoil, message) => {
  await open();
  await spoil();
  await expect(open()).rejects.toThrow(message);
  // The bad root was not stored.
  expect(await database.query('select version from director_roots')).toHaveLength(1);
});

test('does not start with new keys if the database knows a Director', async () => {
  await open();
  rmSync(folder, { recursive: true });
  await expect(open()).rejects.toThrow(/there are no keys in .*copy its folder there/);
  mkdirSync(folder);
  await expect(open()).rejects.toThrow(/targets\.pem is missing/);
});

describe('with a signer process', () => {
  const signer = async (work: (offered: readonly OfferedSigner[]) => Promise<void>) => {
    const socketPath = join(folder, '..', 'signer');
    const key = (name: string, role: OnlineKey['roles'][number]): OnlineKey => ({
      signer: keyOf(name),
      roles: [role],
    });
    const stranger = localSigner(generateKeyPairSync('ed25519').privateKey);
    const server = new SignerServer({
      socketPath,
      longestDays: 30,
      keys: [
        // The image repository's key.
        { signer: stranger, roles: ['snapshot'] },
        key('targets', 'director-targets'),
        key('snapshot', 'snapshot'),
        key('timestamp', 'timestamp'),
        key('time', 'time'),
      ],
      onRefusal: () => undefined,
    });
    await server.start();
    const client = new SignerClient(socketPath);
    try {
      await work(await client.signers());
    } finally {
      client.close();
      await server.stop();
    }
  };

  test('it signs with the keys that the root names, and each key signs only what it is for', async () => {
    await open();
    await signer(async (offered) => {
      rmSync(join(folder, 'keys'), { recursive: true });
      const keys = await openDirectorKeys(database, folder, NOW, offered);
      expect(keys.isTrial).toBe(false);
      const { roots } = keys;
      const { authorities } = lastRoot(roots);
      for (const role of ['targets', 'snapshot', 'timestamp'] as const) {
        expect(authorities[role].keys.has(keys.signers[role].keyId)).toBe(true);
      }
      const common = { version: 1, expires: new Date(Date.now() + DAY) };
      const targets = directorTargets({ ...common, vin: '5YJSA1E40FF345678', targets: {} });
      const sign = (signed: SignedPart, by: Signer) => signMetadata(signed, [by]);
      expect((await sign(targets, keys.signers.targets)).signatures).toHaveLength(1);
      const time = timePayload(new Date(), ['00'.repeat(16)]);
      expect((await sign(time, keys.time)).signatures).toHaveLength(1);
      await expect(sign(targets, keys.signers.snapshot)).rejects.toThrow(/does not sign targets/);
      await expect(sign(timePayload(new Date(0), []), keys.time)).rejects.toThrow(/signer's clock/);
    });
  });

  test('it does not start without a key for each role', async () => {
    await open();
    await signer(async (offered) => {
      const some = offered.filter(({ roles }) => !roles.includes('director-targets'));
      await expect(openDirectorKeys(database, folder, NOW, some)).rejects.toThrow(
        /the signer has no key for director-targets/,
      );
      const nowhere = join(folder, 'nowhere');
      await expect(openDirectorKeys(database, nowhere, NOW, offered)).rejects.toThrow(
        /there is no root in/,
      );
    });
  });
});

describe('with a root from a ceremony', () => {
  const root = [newSigner(), newSigner(), newSigner()] as const;
  const online = (name: string): OfferedSigner => ({
    ...newSigner(),
    roles: [name === 'targets' ? 'director-targets' : name],
  });
  const offered = ['targets', 'snapshot', 'timestamp', 'time'].map(online);
  const [targets, snapshot, timestamp] = offered as [
    OfferedSigner,
    OfferedSigner,
    OfferedSigner,
    OfferedSigner,
  ];
  const now = new Date(NOW);
  const repository = () => new ImageRepository(new FolderFiles(folder));
  const only = ({ key }: Signer, threshold = 1) => ({ keys: [key], threshold });

  const sign = async (...signers: Signer[]) => {
    for (const signer of signers) {
      const reviewed = await repository().review(now);
      const added = await signReviewed(reviewed, signer, undefined);
      await repository().addSignatures(reviewed, added);
    }
  };
  const publish = () => repository().publish([], now);
  const established = async () => {
    await repository().init(
      {
        root: { keys: root.map(({ key }) => key), threshold: 2 },
        targets: only(targets),
        snapshot: only(snapshot),
        timestamp: only(timestamp),
      },
      DEFAULT_PERIODS,
      now,
      'director',
    );
    await sign(root[0], root[1]);
    await publish();
  };
  const openWith = (signers: readonly OfferedSigner[]) =>
    openDirectorKeys(database, folder, NOW, signers);

  test('two of three signers sign it, it lists no targets, and the server starts with it', async () => {
    await established();
    expect(readdirSync(join(folder, 'metadata'))).toEqual(['1.root.json']);
    const { attention, published } = await repository().status(now);
    expect([attention, published.map(({ role }) => role)]).toEqual([[], ['root']]);
    const keys = await openWith(offered);
    expect([keys.isTrial, keys.roots.size]).toEqual([false, 1]);
  });

  test('after a root key and an online key are replaced, the server takes the new root and refuses the old online key', async () => {
    await established();
    await openWith(offered);
    const ivan = newSigner();
    const next = online('timestamp');
    await repository().propose({
      change: inOrder([
        revokeKey(root[0].keyId, ivan.key),
        changeKeys('timestamp', { remove: [timestamp.keyId], add: [next.key] }),
      ]),
      now,
    });
    await sign(root[1], ivan);
    // The new key does not count as a signer of the previous root.
    await expect(publish()).rejects.toThrow(
      /root version 2 has 1 of 2 signatures that .*root.* asks for/,
    );
    await sign(root[2]);
    await publish();
    await expect(openWith(offered)).rejects.toThrow(
      /no key for timestamp that the Director's root names/,
    );
    const keys = await openWith(offered.map((one) => (one === timestamp ? next : one)));
    expect(keys.roots.size).toBe(2);
    expect(keys.signers.timestamp.keyId).toBe(next.keyId);
    // A signature by a thief of the revoked key is refused.
    await repository().propose({ change: (state) => state, renew: ['root'], now });
    await expect(sign(root[0])).rejects.toThrow('is not one of the keys of');
  });

  test('a threshold that the Director could not meet cannot be signed', async () => {
    await established();
    const more = changeKeys('targets', { add: [newSigner().key], threshold: 2 });
    await repository().propose({ change: more, now });
    await expect(sign(root[0])).rejects.toThrow('the Director signs online roles with one key');
    await repository().discard();
    const image = { length: 1, hashes: { sha256: 'a'.repeat(64) }, custom: undefined };
    await expect(
      repository().propose({ change: addTarget('targets', 'a.bin', image), now }),
    ).rejects.toThrow('there is no role targets');
  });

  test('a key that has signed for one repository does not sign for the other', async () => {
    await established();
    await repository().propose({ change: (state) => state, renew: ['root'], now });
    const [file] = signableBy(await repository().review(now), root[0].keyId);
    const path = join(folder, '..', 'alice.key.signed.json');
    if (!file) throw new Error('the root is proposed');
    new SigningRecord(path, 'director').add(file);
    expect(new SigningRecord(path, 'director').check(file)).toBeUndefined();
    expect(() => new SigningRecord(path, 'image').check(file)).toThrow(
      'this key has signed for the Director: the image repository needs separate keys',
    );
  });
});
