/** One cycle of a vehicle on both repositories, with each attack that the standard’s steps detect. */
import { beforeEach, describe, expect, test } from 'vitest';
import { makeKey } from './support/keys.js';
import { must } from './support/must.js';
import { PAST, type TestRepository } from './support/test-repository.js';
import { FIRMWARE, forEcu, match, TestWorld } from './support/test-vehicle.js';

let world: TestWorld;
beforeEach(() => {
  world = new TestWorld().order();
});

const both: [name: 'director' | 'image', of: (world: TestWorld) => TestRepository][] = [
  ['director', ({ director }) => director],
  ['image', ({ image }) => image],
];

describe.each(both)('attacks on the %s repository', (name, of) => {
  const online = ['timestamp', 'snapshot', 'targets'] as const;

  test.each(online)('%s signed by another key', async (role) => {
    of(world).signers = (file) => (file === role ? [makeKey()] : undefined);
    world.provision();
    expect(await world.refusal()).toMatchObject({
      code: 'signature',
      repository: name,
      role,
      attack: 'arbitrary-software',
    });
  });

  test.each(['root', ...online] as const)('an expired %s', async (role) => {
    of(world).roles[role].expires = PAST;
    world.provision();
    expect(await world.refusal()).toMatchObject({
      code: 'freeze',
      repository: name,
      role,
      attack: 'freeze',
    });
  });

  test('a timestamp with a lower version', async () => {
    of(world).roles.timestamp.version = 5;
    world.provision();
    await world.cycle();
    world.order('new', 'new');
    of(world).roles.timestamp.version = 3;
    world.director.release();
    world.image.release();
    expect(await world.refusal()).toMatchObject({
      code: 'rollback',
      repository: name,
      role: 'timestamp',
      expected: 'at least version 5',
      found: 'version 4',
    });
  });

  test('a snapshot with a lower version', async () => {
    of(world).roles.snapshot.version = 5;
    world.provision();
    await world.cycle();
    world.order('new', 'new');
    of(world).roles.snapshot.version = 3;
    world.director.release();
    world.image.release();
    expect(await world.refusal()).toMatchObject({ code: 'rollback', repository: name });
  });

  test('a snapshot with a lower version, after the stored timestamp was lost', async () => {
    of(world).roles.snapshot.version = 5;
    world.provision();
    await world.cycle();
    world.order('new', 'new');
    of(world).roles.snapshot.version = 3;
    world.director.release();
    world.image.release();
    (name === 'director' ? world.directorStore : world.imageStore).remove('timestamp');
    expect(await world.refusal()).toMatchObject({
      code: 'rollback',
      repository: name,
      role: 'snapshot',
      expected: 'at least version 5',
      found: 'version 4',
    });
  });

  test('a role missing from the snapshot, or listed with a lower version', async () => {
    const supplier = of(world).addRole('supplier');
    supplier.version = 2;
    world.provision();
    await world.cycle();
    world.order('new', 'new');
    supplier.version = 1;
    world.director.release();
    world.image.release();
    expect(await world.refusal()).toMatchObject({
      code: 'rollback',
      role: 'snapshot',
      expected: 'supplier.json version 2',
      found: 'version 1',
    });
    of(world).delegated.delete('supplier');
    of(world).release();
    expect(await world.refusal()).toMatchObject({
      code: 'rollback',
      role: 'snapshot',
      expected: 'supplier.json version 2',
      found: 'nothing',
    });
  });

  test('targets with a lower version', async () => {
    of(world).targets.version = 5;
    world.provision();
    await world.cycle();
    world.order('new', 'new');
    of(world).targets.version = 3;
    world.director.release();
    world.image.release();
    expect(await world.refusal()).toMatchObject({
      code: 'rollback',
      repository: name,
      role: 'snapshot',
      expected: 'targets.json version 5',
      found: 'version 4',
    });
  });

  test('a snapshot whose hash differs from the timestamp', async () => {
    world.provision();
    const files = of(world).files;
    const path = of(world).path('snapshot', 1);
    const text = must(files.get(path)).toString();
    files.set(path, Buffer.from(text.replace('{"signatures"', '{"Signatures"')));
    expect(await world.refusal()).toMatchObject({
      code: 'mix-and-match',
      repository: name,
      role: 'snapshot',
    });
  });

  test('a snapshot longer than the timestamp states', async () => {
    world.provision();
    const path = of(world).path('snapshot', 1);
    of(world).files.set(path, Buffer.concat([must(of(world).files.get(path)), Buffer.from(' ')]));
    expect(await world.refusal()).toMatchObject({ code: 'length', attack: 'endless-data' });
  });

  test('a snapshot of a different version than the timestamp states', async () => {
    of(world).tamper = (role, signed) => {
      if (role === 'timestamp') signed.meta['snapshot.json'].version = 2;
    };
    world.provision();
    of(world).files.set(
      of(world).path('snapshot', 2),
      must(of(world).files.get(of(world).path('snapshot', 1))),
    );
    expect(await world.refusal()).toMatchObject({ code: 'mix-and-match', role: 'snapshot' });
  });

  test('targets of a different version than the snapshot states', async () => {
    world.provision();
    const { files } = of(world);
    of(world).targets.version = 2;
    of(world).publish();
    files.set(of(world).path('targets', 2), must(files.get(of(world).path('targets', 1))));
    expect(await world.refusal()).toMatchObject({
      code: 'mix-and-match',
      repository: name,
      role: 'targets',
      expected: 'version 2',
      found: 'version 1',
    });
  });

  test('targets whose hash or length differs from the snapshot', async () => {
    const list = (entry: object) => {
      of(world).tamper = (role, signed) => {
        if (role === 'snapshot') Object.assign(signed.meta['targets.json'], entry);
      };
      of(world).release('snapshot', 'timestamp');
    };
    world.provision();
    list({ hashes: { sha256: '0'.repeat(64) } });
    expect((await world.refusal()).code).toBe('mix-and-match');
    list({ length: 5 });
    expect((await world.refusal()).code).toBe('length');
    list({ length: 5_000_000 });
    expect((await world.refusal()).code).toBe('length');
  });

  test.each(['timestamp.json', '1.snapshot.json', '1.targets.json'])(
    'a missing %s',
    async (file) => {
      world.provision();
      of(world).files.delete(of(world).metadata + file);
      expect(await world.refusal()).toMatchObject({ code: 'network', repository: name });
    },
  );

  test.each([
    ['root', 512_000],
    ['timestamp', 16_384],
    ['targets', 5_000_000],
  ] as const)('%s of more than %i bytes, but not of exactly that many', async (role, limit) => {
    const repository = of(world);
    world.provision();
    if (role === 'root') repository.roles.root.version = 2;
    repository.publish();
    const path =
      role === 'timestamp'
        ? repository.path(role)
        : repository.path(role, repository.roles[role].version);
    const file = must(repository.files.get(path));
    const blanks = Buffer.alloc(limit - file.length, ' ');
    repository.files.set(path, Buffer.concat([file, blanks, Buffer.from(' ')]));
    expect(await world.refusal()).toMatchObject({
      code: 'length',
      repository: name,
      role,
      attack: 'endless-data',
    });
    repository.files.set(path, Buffer.concat([file, blanks]));
    expect(await world.paths()).toEqual([FIRMWARE]);
  });
});

test('with a clock in 2099 nothing is accepted or damaged; in 1970, versions are checked, but not expiry', async () => {
  world.provision();
  world.now = new Date('2099-01-01T00:00:00Z');
  expect(await world.refusal()).toMatchObject({ code: 'freeze', role: 'root' });
  world.now = new Date('1970-01-01T00:00:00Z');
  world.director.release('timestamp');
  expect(await world.paths()).toEqual([FIRMWARE]);
  world.director.roles.timestamp.version = 1;
  world.director.publish();
  expect(await world.refusal()).toMatchObject({ code: 'rollback', role: 'timestamp' });
});

describe('an attacker with stolen keys', () => {
  const EVIL = 'brakes/evil.bin';

  test('of the Director’s online roles cannot order an image that the image repository does not list', async () => {
    world.provision();
    world.director.addImage(EVIL, Buffer.from('evil'), {
      match: match(9),
      ecuIdentifiers: forEcu(),
    });
    Reflect.deleteProperty(world.director.targets.targets, FIRMWARE);
    world.director.release();
    expect(await world.refusal()).toMatchObject({ code: 'no-image', attack: 'arbitrary-software' });
  });

  test('of the image repository’s timestamp and snapshot cannot list another image', async () => {
    world.provision();
    const { targets } = world.image.roles;
    world.order(EVIL, 'evil', 9);
    world.image.signers = (role) => (role === 'targets' ? [makeKey()] : undefined);
    world.image.release();
    world.director.release();
    expect(await world.refusal()).toMatchObject({ code: 'signature', role: 'targets' });
    expect(targets.version).toBe(2);
  });

  test('of one of two targets keys cannot list another image', async () => {
    const keys = [makeKey(), makeKey()];
    Object.assign(world.image.targets, { keys, threshold: 2 });
    world.provision();
    world.order(EVIL, 'evil', 9);
    world.image.signers = (role) => (role === 'targets' ? keys.slice(1) : undefined);
    world.image.release();
    world.director.release();
    expect(await world.refusal()).toMatchObject({ code: 'signature', role: 'targets' });
  });

  test('of a supplier and the Director reaches only that supplier’s paths', async () => {
    const { image } = world;
    const supplier = image.addRole('supplier');
    image.delegate(image.targets, 'supplier', { paths: ['radio/*'] });
    world.provision();
    const order = (path: string) => {
      world.order(path, 'evil', 9);
      supplier.targets = image.targets.targets;
      image.targets.targets = {};
      image.release('supplier', 'targets', 'snapshot', 'timestamp');
      world.director.release();
    };
    order(EVIL);
    expect((await world.refusal()).code).toBe('no-image');
    order('radio/evil.bin');
    expect(await world.paths()).toEqual(['radio/evil.bin']);
  });
});

describe('the timestamp', () => {
  test('may be served again with the same version', async () => {
    world.provision();
    await world.cycle();
    world.order('new', 'new');
    world.director.release('targets', 'snapshot');
    world.image.release();
    expect(await world.paths()).toContain('new');
  });

  test('must not list an older snapshot than before, even if that one was never fetched', async () => {
    world.provision();
    await world.cycle();
    world.director.roles.snapshot.version = 9;
    world.director.release('timestamp');
    world.directorFetcher.broken.add('9.snapshot.json');
    expect((await world.refusal()).code).toBe('network');
    world.director.roles.snapshot.version = 8;
    world.director.release('timestamp');
    expect(await world.refusal()).toMatchObject({ code: 'rollback', role: 'timestamp' });
  });

  test('is stored even if the rest of its cycle failed', async () => {
    world.provision();
    world.director.release('timestamp');
    world.directorFetcher.broken.add('1.snapshot.json');
    expect((await world.refusal()).code).toBe('network');
    world.directorFetcher.broken.clear();
    world.director.roles.timestamp.version = 1;
    world.director.publish();
    expect((await world.refusal()).code).toBe('rollback');
  });
});
