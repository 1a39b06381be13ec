/** Root metadata: rotation, revocation, and recovery from fast-forward attacks. */
import { must } from './support/must.js';
import { beforeEach, describe, expect, test } from 'vitest';
import { LIMITS } from '../../src/uptane/limits.js';
import { makeKey } from './support/keys.js';
import { PowerCut } from './support/memory.js';
import { FIRMWARE, forEcu, TestWorld } from './support/test-vehicle.js';
import { PAST } from './support/test-repository.js';

let world: TestWorld;
beforeEach(() => {
  world = new TestWorld().order().provision();
});

/** A new root of the image repository, signed by the previous and by its own keys. */
function rotateRoot(...keys: ReturnType<typeof makeKey>[]) {
  const { root } = world.image.roles;
  const before = root.keys;
  root.keys = keys;
  world.image.signers = (role) => (role === 'root' ? [...before, ...keys] : undefined);
  world.image.release('root');
  world.image.signers = () => undefined;
}

describe('a chain of roots', () => {
  test('is followed root by root, and each is stored', async () => {
    rotateRoot(makeKey('ecdsa'));
    rotateRoot(makeKey('rsa'));
    rotateRoot(makeKey());
    expect(await world.paths()).toEqual([FIRMWARE]);
    expect(world.imageStore.read('root')).toEqual(world.image.rootBytes);
    expect(world.imageFetcher.requests.slice(0, 4)).toEqual([
      '2.root.json',
      '3.root.json',
      '4.root.json',
      '5.root.json',
    ]);
  });

  test('recovers a vehicle parked while its root and all intermediate ones expired', async () => {
    world.image.roles.root.expires = PAST;
    rotateRoot(makeKey());
    rotateRoot(makeKey());
    world.image.roles.root.expires = '2030-01-01T00:00:00Z';
    rotateRoot(makeKey());
    expect(await world.paths()).toEqual([FIRMWARE]);
  });

  test('is not followed without signatures by the previous keys', async () => {
    world.image.roles.root.keys = [makeKey()];
    world.image.release('root');
    expect(await world.refusal()).toMatchObject({ code: 'signature', role: 'root', version: 2 });
    expect(world.imageStore.read('root')).not.toEqual(world.image.rootBytes);
  });

  test('is not followed without signatures by its own keys', async () => {
    const before = world.image.roles.root.keys;
    world.image.roles.root.keys = [makeKey()];
    world.image.signers = (role) => (role === 'root' ? before : undefined);
    world.image.release('root');
    expect((await world.refusal()).code).toBe('signature');
  });

  test('is not followed below its own threshold', async () => {
    const { root } = world.image.roles;
    root.keys = [...root.keys, makeKey()];
    root.threshold = 3;
    world.image.release('root');
    expect((await world.refusal()).code).toBe('signature');
  });

  test.each([1, 3, 10])(
    'may not have gaps: 2.root.json with version %i is rejected',
    async (version) => {
      world.image.tamper = (role, signed) => {
        if (role === 'root') signed.version = version;
      };
      world.image.release('root');
      expect(await world.refusal()).toMatchObject({
        code: 'rollback',
        role: 'root',
        expected: 'version 2',
      });
    },
  );

  test('does not continue from a revoked root', async () => {
    const stolen = world.image.roles.root.keys;
    rotateRoot(makeKey());
    await world.cycle();
    world.order('new', 'new');
    world.director.release();
    world.image.roles.root.keys = stolen;
    world.image.release('root');
    expect(await world.refusal()).toMatchObject({ code: 'signature', version: 3 });
  });

  test('that was interrupted continues in the next cycle', async () => {
    rotateRoot(makeKey());
    rotateRoot(makeKey());
    world.imageFetcher.broken.add('3.root.json');
    expect(await world.refusal()).toMatchObject({ code: 'network', role: 'root', version: 3 });
    world.imageFetcher.broken.clear();
    world.imageFetcher.requests.length = 0;
    expect(await world.paths()).toEqual([FIRMWARE]);
    expect(world.imageFetcher.requests[0]).toBe('3.root.json');
  });

  test(`adds at most ${LIMITS.newRoots} new roots per cycle; the next cycle continues`, async () => {
    for (let count = 0; count < LIMITS.newRoots + 3; count += 1) world.image.release('root');
    await world.cycle();
    const version = () =>
      JSON.parse(Buffer.from(must(world.imageStore.read('root'))).toString()).signed.version;
    expect(version()).toBe(1 + LIMITS.newRoots);
    world.order('new', 'new');
    world.director.release();
    world.image.release();
    await world.cycle();
    expect(version()).toBe(4 + LIMITS.newRoots);
  });
});

describe('after root revokes a key of', () => {
  test.each(['timestamp', 'snapshot', 'targets'] as const)(
    '%s, files signed with it are no longer trusted',
    async (role) => {
      const stolen = world.image.roles[role].keys;
      world.imageFetcher.broken.add('1.targets.json');
      await world.refusal();
      world.imageFetcher.broken.clear();
      world.image.roles[role].keys = [makeKey()];
      world.image.signers = (file) => (file === role ? stolen : undefined);
      world.image.release('root');
      expect(await world.refusal()).toMatchObject({ code: 'signature', role });
      world.image.signers = () => undefined;
      world.image.publish();
      expect(await world.paths()).toEqual([FIRMWARE]);
    },
  );

  test('targets, stored files are no longer used', async () => {
    await world.cycle();
    const stored = world.imageStore.read('targets');
    world.order(FIRMWARE, 'firmware');
    world.order('other', 'other', 1, forEcu('ecu-1'));
    world.image.targets.keys = [makeKey()];
    world.image.roles.root.version += 1;
    world.image.publishRoot();
    world.director.release();
    expect(stored).toBeDefined();
    expect(await world.refusal()).toMatchObject({ code: 'signature', role: 'targets' });
  });
});

describe('a fast-forward attack', () => {
  /** Versions so high that the repository cannot exceed them. */
  async function attack(role: 'timestamp' | 'snapshot' | 'targets') {
    world.image.roles[role].version = 2 ** 40;
    world.image.roles.timestamp.version += 1;
    if (role !== 'timestamp') world.image.roles.snapshot.version += 1;
    world.image.publish();
    await world.cycle();
    for (const name of ['timestamp', 'snapshot', 'targets'] as const) {
      world.image.roles[name].version = 2;
    }
    world.order('new', 'new');
    world.director.release();
    world.image.publish();
    expect((await world.refusal()).code).toBe('rollback');
  }

  test.each(['timestamp', 'snapshot', 'targets'] as const)(
    'on %s is undone by new online keys',
    async (role) => {
      await attack(role);
      world.image.roles.timestamp.keys = [makeKey()];
      world.image.roles.snapshot.keys = [makeKey()];
      world.image.release('root');
      expect(await world.paths()).toContain('new');
    },
  );

  test('is not undone by a new root with the same online keys', async () => {
    await attack('snapshot');
    world.image.release('root');
    expect((await world.refusal()).code).toBe('rollback');
  });

  test('is not undone by a new threshold or order of the keys', async () => {
    world = new TestWorld().order();
    const { timestamp } = world.image.roles;
    timestamp.keys = [...timestamp.keys, makeKey()];
    world.provision();
    await attack('timestamp');
    timestamp.keys.reverse();
    timestamp.threshold = 2;
    world.image.release('root');
    expect((await world.refusal()).code).toBe('rollback');
  });

  test('is undone even if the power is cut at any step', async () => {
    for (let writes = 0; ; writes += 1) {
      world = new TestWorld().order().provision();
      await attack('timestamp');
      world.image.roles.timestamp.keys = [makeKey()];
      world.image.release('root');
      world.imageStore.writesLeft = writes;
      const isCut = await world.cycle().then(
        () => false,
        (error: unknown) => error instanceof PowerCut,
      );
      world.imageStore.writesLeft = Number.POSITIVE_INFINITY;
      if (!isCut) {
        expect(writes).toBeGreaterThan(4);
        return;
      }
      expect(await world.paths()).toContain('new');
    }
  });
});
