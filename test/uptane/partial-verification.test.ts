/** Partial verification by a Secondary that knows only the Director, however the files reach it. */
import { must } from './support/must.js';
import { beforeEach, expect, test } from 'vitest';
import {
  type PartialVerification,
  verifyPartially,
} from '../../src/uptane/partial-verification.js';
import { type Refusal } from '../../src/uptane/refusal.js';
import { makeKey } from './support/keys.js';
import { FIRMWARE, forEcu, TestWorld, VIN } from './support/test-vehicle.js';
import { NOW, PAST } from './support/test-repository.js';

let world: TestWorld;
let provisioned: Buffer;
beforeEach(() => {
  world = new TestWorld().order(FIRMWARE, 'firmware', 3).provision();
  provisioned = world.director.rootBytes;
});

const ECU = { vin: VIN, ecuId: 'ecu-1', hardwareId: 'hw-a' };
const file = (name: string) => must(world.director.files.get(name));
const verify = (changes: Partial<PartialVerification> = {}) =>
  verifyPartially({
    ecu: ECU,
    root: provisioned,
    newRoots: [],
    previousTargets: undefined,
    targets: file(`${world.director.targets.version}.targets.json`),
    installed: undefined,
    now: NOW,
    ...changes,
  });
function code(changes: Partial<PartialVerification> = {}): string {
  try {
    verify(changes);
    return 'accepted';
  } catch (error) {
    return (error as Refusal).code;
  }
}

test('a Secondary finds its image', () => {
  expect(verify().assignment).toMatchObject({ ecuId: 'ecu-1', target: { path: FIRMWARE } });
});

test('an order for other ECUs does not apply to it', () => {
  expect(
    verify({ ecu: { ...ECU, ecuId: 'ecu-2', hardwareId: 'hw-b' } }).assignment,
  ).toBeUndefined();
});

test('a rotated targets key is accepted through the chain of roots', () => {
  world.director.targets.keys = [makeKey()];
  world.director.release('root', 'targets');
  expect(code()).toBe('signature');
  const newRoots = [file('2.root.json')];
  expect(verify({ newRoots }).root).toEqual(file('2.root.json'));
  world.director.release('root');
  expect(code({ newRoots: [file('3.root.json')] })).toBe('rollback');
  expect(code({ newRoots: [file('2.root.json'), file('3.root.json')] })).toBe('accepted');
});

test('targets older than the stored ones are rejected', () => {
  const before = file('1.targets.json');
  world.director.release();
  expect(code({ previousTargets: file('2.targets.json'), targets: before })).toBe('rollback');
  expect(code({ previousTargets: before })).toBe('accepted');
});

test('a version far ahead, signed with a stolen key, does not count once the key is replaced', () => {
  const { targets } = world.director;
  targets.version = 1_000_000;
  world.director.publish();
  const fastForwarded = file('1000000.targets.json');
  targets.version = 2;
  world.director.release('targets');
  expect(code({ previousTargets: fastForwarded })).toBe('rollback');
  targets.keys = [makeKey()];
  world.director.release('root', 'targets');
  const newRoots = [file('2.root.json')];
  expect(code({ previousTargets: fastForwarded, newRoots })).toBe('accepted');
  // Even if the power was cut after the new root was stored.
  expect(code({ previousTargets: fastForwarded, root: file('2.root.json') })).toBe('accepted');
});

test('a stored file that the disk corrupted does not prevent an update', () => {
  expect(code({ previousTargets: Buffer.from('{') })).toBe('accepted');
});

test.each<[code: string, change: () => Partial<PartialVerification> | undefined]>([
  [
    'freeze',
    () => {
      world.director.targets.expires = PAST;
      return undefined;
    },
  ],
  [
    'freeze',
    () => {
      world.director.roles.root.expires = PAST;
      provisioned = world.director.publishRoot();
      return undefined;
    },
  ],
  [
    'delegation',
    () => {
      world.director.targets.delegations = [];
      return undefined;
    },
  ],
  ['vehicle', () => ({ ecu: { ...ECU, vin: '5YJSA1E40FF345679' } })],
  ['hardware-id', () => ({ ecu: { ...ECU, hardwareId: 'hw-x' } })],
  [
    'signature',
    () => {
      world.director.signers = () => [makeKey()];
      return undefined;
    },
  ],
  [
    'ecu',
    () => {
      const { targets } = world.director.targets;
      targets.other = structuredClone(must(targets[FIRMWARE]));
      return undefined;
    },
  ],
  [
    'release-counter',
    () => ({
      installed: { path: 'x', length: 1, hashes: new Map(), releaseCounter: 4, match: '' },
    }),
  ],
  [
    'hash',
    () => {
      (world.director.targets.targets[FIRMWARE] as any).hashes.md5 = 'x';
      return undefined;
    },
  ],
  ['malformed', () => ({ targets: Buffer.from('{}') })],
  ['malformed', () => ({ root: Buffer.from('[]') })],
])('%s', (expected, change) => {
  const changes = change();
  world.director.publish();
  expect(code(changes)).toBe(expected);
});

test('endless data is rejected before it is parsed', () => {
  expect(code({ targets: Buffer.alloc(5_000_001, ' ') })).toBe('length');
  expect(code({ newRoots: [Buffer.alloc(512_001, ' ')] })).toBe('length');
});

test('an ECU listed twice for one image is invalid JSON', () => {
  const text = file('1.targets.json').toString();
  const ecu = JSON.stringify(forEcu()).slice(1, -1);
  expect(code({ targets: Buffer.from(text.replace(ecu, `${ecu},${ecu}`)) })).toBe('malformed');
});
