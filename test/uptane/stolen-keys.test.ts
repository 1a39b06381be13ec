/**
 * What a thief can do with which keys, as in docs/trust.md, including where the protection ends. Each thief can also
 * put files on the servers.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { makeKey } from './support/keys.js';
import { forEcu, match, TestWorld } from './support/test-vehicle.js';

const GOOD = 'brakes/good.bin';
const EVIL = 'brakes/evil.bin';
const DAY_MS = 24 * 60 * 60 * 1000;

let world: TestWorld;
beforeEach(() => {
  world = new TestWorld();
});

/** A threshold of two targets keys, and an honest image that the vehicle has installed. */
async function honest(): Promise<void> {
  Object.assign(world.image.targets, { keys: [makeKey(), makeKey()], threshold: 2 });
  world.order(GOOD, 'good 1', 1).provision();
  expect(await world.paths()).toEqual([GOOD]);
}

/** Lists an image only in the image repository. */
function list(path: string, content: string, counter = 9): void {
  world.image.addImage(path, Buffer.from(content), { match: match(counter) });
}

describe('a supplier’s key', () => {
  const withSupplier = (details = {}) => {
    const supplier = world.image.addRole('supplier');
    world.image.delegate(world.image.targets, 'supplier', { paths: ['radio/*'], ...details });
    world.order(GOOD, 'good 1', 1).provision();
    return supplier;
  };

  test('alone can list software on its own paths, but without an order nothing is installed', async () => {
    const supplier = withSupplier();
    await world.cycle();
    world.image.addImage('radio/evil.bin', Buffer.from('evil'), { match: match(9) }, supplier);
    world.image.release('supplier', 'snapshot', 'timestamp');
    expect(await world.paths()).toEqual([]);
    expect([...world.installed.values()].map(({ releaseCounter }) => releaseCounter)).toEqual([1]);
  });

  test('with the Director’s keys does not reach other hardware than the delegation names', async () => {
    const supplier = withSupplier({ hardwareIds: ['hw-a'] });
    const custom = { match: match(9, ['hw-b']) };
    world.image.addImage('radio/evil.bin', Buffer.from('evil'), custom, supplier);
    world.image.release('supplier', 'snapshot', 'timestamp');
    world.director.addImage('radio/evil.bin', Buffer.from('evil'), {
      ...custom,
      ecuIdentifiers: forEcu('ecu-2', 'hw-b'),
    });
    world.director.release();
    expect((await world.refusal()).code).toBe('no-image');
  });
});

describe('the Director’s online keys', () => {
  test('withhold updates for as long as the thief likes, and no vehicle can notice', async () => {
    await honest();
    world.order(GOOD, 'good 2', 2);
    world.image.release();
    // The thief answers instead of the Director.
    world.director.targets.targets = {};
    for (let day = 1; day <= 3; day += 1) {
      world.director.release();
      expect(await world.paths()).toEqual([]);
    }
  });

  test('order any published image that fits the ECU and is not older than its current one', async () => {
    await honest();
    list('brakes/special.bin', 'published for another schedule', 5);
    world.image.release();
    world.director.targets.targets = {};
    world.director.addImage('brakes/special.bin', Buffer.from('published for another schedule'), {
      match: match(5),
      ecuIdentifiers: forEcu(),
    });
    world.director.release();
    expect(await world.paths()).toEqual(['brakes/special.bin']);
    // After that, nothing older.
    world.order(GOOD, 'good 1', 1);
    world.director.release();
    expect((await world.refusal()).code).toBe('release-counter');
  });

  test('and its root key can replace all its keys, but cannot install anything unpublished', async () => {
    await honest();
    const stolen = [...world.director.roles.root.keys];
    for (const name of ['timestamp', 'snapshot', 'targets'] as const) {
      world.director.roles[name].keys = [makeKey()];
    }
    world.director.signers = (role) => (role === 'root' ? stolen : undefined);
    world.director.targets.targets = {};
    world.director.addImage(EVIL, Buffer.from('evil'), {
      match: match(9),
      ecuIdentifiers: forEcu(),
    });
    world.director.release('root', 'targets', 'snapshot', 'timestamp');
    expect(await world.refusal()).toMatchObject({ code: 'no-image', attack: 'arbitrary-software' });
  });
});

describe('keys of the image repository', () => {
  test('cannot, even all together, swap what the Director orders', async () => {
    await honest();
    world.order(GOOD, 'good 2', 2);
    world.director.release();
    // The thief has root and targets keys, and writes other software under the ordered name.
    list(GOOD, 'evil 2', 2);
    world.image.release('root', 'targets', 'snapshot', 'timestamp');
    expect(await world.refusal()).toMatchObject({ code: 'mismatch', attack: 'arbitrary-software' });
    // Nor can they install it beside what the Director orders.
    world.image.addImage(GOOD, Buffer.from('good 2'), { match: match(2) });
    list(EVIL, 'evil');
    world.image.release();
    expect(await world.paths()).toEqual([GOOD]);
  });

  test('for snapshot and timestamp can hold vehicles at the published images until the targets expire', async () => {
    await honest();
    const { image } = world;
    const expires = new Date(world.now.getTime() + 180 * DAY_MS);
    image.roles.targets.expires = `${expires.toISOString().slice(0, 19)}Z`;
    image.release();
    // A new image is published. The thief signs new timestamps for the old targets, every day.
    world.order('brakes/next.bin', 'good 2', 2);
    world.director.release();
    const { targets } = image;
    const held = { ...targets.targets };
    Reflect.deleteProperty(held, 'brakes/next.bin');
    targets.targets = held;
    for (const day of [1, 100, 179]) {
      world.now = new Date(expires.getTime() - (180 - day) * DAY_MS);
      image.release('timestamp');
      expect((await world.refusal()).code).toBe('no-image');
    }
    world.now = expires;
    image.release('timestamp');
    expect(await world.refusal()).toMatchObject({ code: 'freeze', attack: 'freeze' });
  });
});

describe('where the protection ends', () => {
  test('a threshold of targets keys with the Director’s keys installs anything, until root revokes them', async () => {
    await honest();
    world.order(EVIL, 'evil', 9);
    world.image.release();
    world.director.release();
    expect(await world.paths()).toEqual([EVIL]);
    // Root revokes the targets keys. The thief continues to use them.
    const stolen = world.image.targets.keys;
    world.image.targets.keys = [makeKey(), makeKey()];
    world.order(EVIL, 'evil 2', 10);
    world.image.signers = (role) => (role === 'targets' ? stolen : undefined);
    world.image.release('root', 'targets', 'snapshot', 'timestamp');
    world.director.release();
    expect(await world.refusal()).toMatchObject({ code: 'signature', role: 'targets' });
  });

  test('one root key below the threshold names no keys; a threshold of them names any', async () => {
    const root = [makeKey(), makeKey(), makeKey()];
    Object.assign(world.image.roles.root, { keys: root, threshold: 2 });
    world.order(GOOD, 'good 1', 1).provision();
    await world.cycle();
    world.image.targets.keys = [makeKey()];
    world.order(EVIL, 'evil', 9);
    world.director.release();
    world.image.signers = (role) => (role === 'root' ? root.slice(0, 1) : undefined);
    world.image.release('root', 'targets', 'snapshot', 'timestamp');
    expect(await world.refusal()).toMatchObject({ code: 'signature', role: 'root' });
    world.image.signers = (role) => (role === 'root' ? root.slice(0, 2) : undefined);
    world.image.publish();
    expect(await world.paths()).toEqual([EVIL]);
  });
});
