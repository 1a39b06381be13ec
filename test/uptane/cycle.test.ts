/** One cycle of a vehicle on both repositories: the standard's steps, and each attack they detect. */
import { must } from './support/must.js';
import { beforeEach, describe, expect, test } from 'vitest';
import { FIRMWARE, forEcu, match, TestWorld, VIN } from './support/test-vehicle.js';
import { PAST, type TestRepository } from './support/test-repository.js';
import { makeKey } from './support/keys.js';

let world: TestWorld;
beforeEach(() => {
  world = new TestWorld().order();
});

describe('without an attack', () => {
  test('an image that the Director orders and the image repository confirms is installed once', async () => {
    world.provision();
    expect(await world.paths()).toEqual([FIRMWARE]);
    expect(await world.paths()).toEqual([]);
  });

  test('files are requested in the standard’s order, under their encoded names', async () => {
    const { image } = world;
    image.addRole('supplier/qa');
    image.delegate(image.targets, 'supplier/qa', { paths: ['brakes/*'] });
    image.targets.targets = {};
    image.addImage(
      FIRMWARE,
      Buffer.from('firmware'),
      { match: match() },
      image.delegated.get('supplier/qa'),
    );
    world.provision();
    await world.cycle();
    expect(world.directorFetcher.requests).toEqual([
      '2.root.json',
      'timestamp.json',
      '1.snapshot.json',
      '1.targets.json',
    ]);
    expect(world.imageFetcher.requests).toEqual([
      '2.root.json',
      'timestamp.json',
      '1.snapshot.json',
      '1.targets.json',
      '1.supplier%2Fqa.json',
    ]);
  });

  test('without an order, the image repository is not contacted', async () => {
    world.director.targets.targets = {};
    world.provision();
    expect(await world.paths()).toEqual([]);
    expect(world.imageFetcher.requests).toEqual([]);
  });

  test('with an unchanged snapshot, the cycle ends at the timestamp', async () => {
    world.provision();
    await world.cycle();
    world.director.release('timestamp');
    world.directorFetcher.requests.length = 0;
    expect(await world.paths()).toEqual([]);
    expect(world.directorFetcher.requests).toEqual(['2.root.json', 'timestamp.json']);
  });

  test('the next cycle finishes an interrupted one, even if the Director has nothing new', async () => {
    world.provision();
    world.imageFetcher.broken.add('1.snapshot.json');
    expect(await world.refusal()).toMatchObject({ code: 'network', repository: 'image' });
    world.imageFetcher.broken.clear();
    expect(await world.paths()).toEqual([FIRMWARE]);
  });

  test('unknown members are ignored, but covered by the signature', async () => {
    for (const repository of [world.director, world.image]) {
      repository.tamper = (_role, signed) => {
        signed.__proto__ = { x: 1 };
        signed['x-note'] = { deep: [1, { text: 'é \u2028' }] };
        if (signed.roles?.root) signed.roles.root.note = 'x';
      };
    }
    world.provision();
    expect(await world.paths()).toEqual([FIRMWARE]);
  });

  test('one image for several ECUs of the same hardware, and several images', async () => {
    world = new TestWorld();
    world.image.addImage('a', Buffer.from('a'), { match: match(1, ['hw-a', 'hw-b']) });
    world.director.addImage('a', Buffer.from('a'), {
      match: match(1, ['hw-a', 'hw-b']),
      ecuIdentifiers: { ...forEcu(), ...forEcu('ecu-2', 'hw-b') },
    });
    world.provision();
    expect((await world.cycle()).map(({ ecuId }) => ecuId)).toEqual(['ecu-1', 'ecu-2']);
  });
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
  ] as const)('%s of more than %i bytes, and one of just so many', async (role, limit) => {
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

test('a clock in 2099 accepts nothing and damages nothing; one in 1970 checks versions, but no expiry', async () => {
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

describe('the Director’s targets', () => {
  const refusal = async (change: (signed: any) => void) => {
    world.director.tamper = (role, signed) => {
      if (role === 'targets') change(signed);
    };
    world.provision();
    const refused = await world.refusal();
    expect(refused.repository).toBe('director');
    expect(world.imageFetcher.requests).toEqual([]);
    return refused.code;
  };
  const identifiers = (signed: any) => signed.targets[FIRMWARE].custom.ecuIdentifiers;

  test.each<[what: string, code: string, change: (signed: any) => void]>([
    ['name another vehicle', 'vehicle', (signed) => (signed.custom.vin = '5YJSA1E40FF345679')],
    [
      'name the vehicle in lower case',
      'vehicle',
      (signed) => (signed.custom.vin = VIN.toLowerCase()),
    ],
    ['name no vehicle', 'vehicle', (signed) => delete signed.custom.vin],
    ['have no custom metadata', 'vehicle', (signed) => delete signed.custom],
    ['name a number as the vehicle', 'malformed', (signed) => (signed.custom.vin = 5)],
    ['delegate', 'delegation', (signed) => (signed.delegations = { keys: {}, roles: [] })],
    ['have an empty delegations member', 'delegation', (signed) => (signed.delegations = {})],
    ['have a null delegations member', 'delegation', (signed) => (signed.delegations = null)],
    [
      'list an ECU that does not exist',
      'ecu',
      (signed) => (identifiers(signed)['ecu-9'] = { hardwareId: 'hw-a' }),
    ],
    [
      'list __proto__ as an ECU',
      'ecu',
      (signed) =>
        Object.defineProperty(identifiers(signed), '__proto__', {
          value: { hardwareId: 'hw-a' },
          enumerable: true,
        }),
    ],
    [
      'list a target for no ECU',
      'ecu',
      (signed) => (signed.targets[FIRMWARE].custom.ecuIdentifiers = {}),
    ],
    [
      'list a target without ECU identifiers',
      'ecu',
      (signed) => delete signed.targets[FIRMWARE].custom.ecuIdentifiers,
    ],
    [
      'list an ECU twice',
      'ecu',
      (signed) => (signed.targets['other.bin'] = structuredClone(signed.targets[FIRMWARE])),
    ],
    [
      'give an ECU another hardware id',
      'hardware-id',
      (signed) => (identifiers(signed)['ecu-1'].hardwareId = 'hw-b'),
    ],
    [
      'give an ECU no hardware id',
      'malformed',
      (signed) => delete identifiers(signed)['ecu-1'].hardwareId,
    ],
    ['have no match', 'malformed', (signed) => delete signed.targets[FIRMWARE].custom.match],
    [
      'have no release counter',
      'malformed',
      (signed) => delete signed.targets[FIRMWARE].custom.match.releaseCounter,
    ],
    [
      'have hardware ids that are not a list',
      'malformed',
      (signed) => (signed.targets[FIRMWARE].custom.match.hardwareIds = 'hw-a'),
    ],
  ])('must not %s', async (_what, code, change) => {
    expect(await refusal(change)).toBe(code);
  });

  test('that were rejected are not stored', async () => {
    expect(await refusal((signed) => (signed.custom.vin = 'another'))).toBe('vehicle');
    expect(world.directorStore.files.has('targets')).toBe(false);
  });
});

describe('both repositories compared', () => {
  const refusal = async () => {
    world.provision();
    return world.refusal();
  };
  const changed = async (change: (target: any) => void) => {
    change(world.image.targets.targets[FIRMWARE]);
    return (await refusal()).code;
  };

  test('an image that the image repository does not list', async () => {
    world.image.targets.targets = {};
    expect(await refusal()).toMatchObject({ code: 'no-image', attack: 'arbitrary-software' });
  });

  test.each<[what: string, code: string, change: (target: any) => void]>([
    ['length', 'mismatch', (target) => (target.length = 9)],
    ['a hash', 'mismatch', (target) => (target.hashes.sha256 = 'ab'.repeat(32))],
    ['a hash too few', 'mismatch', (target) => delete target.hashes.sha512],
    ['the release counter', 'mismatch', (target) => (target.custom.match.releaseCounter = 2)],
    ['the hardware ids', 'mismatch', (target) => target.custom.match.hardwareIds.push('hw-c')],
    ['a member of match that nobody knows', 'mismatch', (target) => (target.custom.match.x = 1)],
    ['no match at all', 'mismatch', (target) => delete target.custom.match],
    ['no custom metadata', 'mismatch', (target) => delete target.custom],
    ['a hash of an unknown algorithm', 'hash', (target) => (target.hashes.md5 = 'ab')],
  ])('they differ in %s', async (_what, code, change) => {
    expect(await changed(change)).toBe(code);
  });

  test('other custom metadata may differ', async () => {
    (world.image.targets.targets[FIRMWARE] as any).custom.note = 'for people';
    world.provision();
    expect(await world.paths()).toEqual([FIRMWARE]);
  });

  test('both list a hash of an unknown algorithm', async () => {
    for (const { targets } of [world.image, world.director]) {
      (targets.targets[FIRMWARE] as any).hashes.blake3 = 'ab';
    }
    expect((await refusal()).code).toBe('hash');
  });

  test('both list it for other hardware', async () => {
    for (const { targets } of [world.image, world.director]) {
      (targets.targets[FIRMWARE] as any).custom.match = match(1, ['hw-b']);
    }
    expect(await refusal()).toMatchObject({ code: 'hardware-id', attack: 'wrong-ecu' });
  });

  test('the release counter decreases, stays, increases', async () => {
    world.order(FIRMWARE, 'firmware 5', 5).provision();
    await world.cycle();
    const next = async (content: string, counter: number) => {
      world.order(FIRMWARE, content, counter);
      world.image.release();
      world.director.release();
    };
    await next('firmware 4', 4);
    expect(await world.refusal()).toMatchObject({
      code: 'release-counter',
      attack: 'rollback',
      expected: 'a release counter of at least 5',
      found: '4',
    });
    await next('firmware 5b', 5);
    expect(await world.paths()).toEqual([FIRMWARE]);
    await next('firmware 6', 6);
    expect(await world.paths()).toEqual([FIRMWARE]);
  });

  test('one rejected image rejects all', async () => {
    world.order('other.bin', 'other', 1, forEcu('ecu-2', 'hw-b'));
    // `match` says hw-a.
    expect((await refusal()).code).toBe('hardware-id');
    expect(world.installed.size).toBe(0);
  });
});
