/** The Director's targets, and the comparison of both repositories: only images that both list are installed. */
import { beforeEach, describe, expect, test } from 'vitest';
import { FIRMWARE, forEcu, match, TestWorld, VIN } from './support/test-vehicle.js';

let world: TestWorld;
beforeEach(() => {
  world = new TestWorld().order();
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

  test('are not stored if they were rejected', async () => {
    expect(await refusal((signed) => (signed.custom.vin = 'another'))).toBe('vehicle');
    expect(world.directorStore.files.has('targets')).toBe(false);
  });
});

describe('an order whose image does not exist', () => {
  let before: Uint8Array | undefined;
  beforeEach(async () => {
    world.provision();
    await world.cycle();
    before = world.directorStore.read('targets');
    world.order(FIRMWARE, 'not published', 2);
    world.director.release();
    expect(await world.refusal()).toMatchObject({ code: 'mismatch' });
  });

  test('leaves the previous targets in place', () => {
    expect(before).toBeDefined();
    expect(world.directorStore.read('targets')).toEqual(before);
  });

  test('is rejected again, and installed once the image is published', async () => {
    expect(await world.refusal()).toMatchObject({ code: 'mismatch' });
    world.image.release();
    expect(await world.paths()).toEqual([FIRMWARE]);
    expect(world.directorStore.read('targets')).not.toEqual(before);
  });

  test('does not allow a rollback to the targets that are still stored', async () => {
    const { director } = world;
    director.targets.version = 1;
    director.release('snapshot', 'timestamp');
    expect(await world.refusal()).toMatchObject({ repository: 'director', code: 'rollback' });
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
