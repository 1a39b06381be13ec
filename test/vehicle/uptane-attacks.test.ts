/**
 * The attack table, as far as it concerns the vehicle. Each row starts after a first update and ends with an honest one:
 * after the rejection the vehicle runs the same software as before, and the next cycle succeeds.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { sampleOf } from '../support/depth.js';
import { makeKey } from '../uptane/support/keys.js';
import { must } from '../uptane/support/must.js';
import { sha } from '../uptane/support/test-repository.js';
import { softwareOf } from './support/software.js';
import { until } from './support/until.js';
import {
  describeVehicle,
  ECUS,
  imageName,
  NOW,
  scriptPath,
  startUptaneVehicle,
  UptaneWorld,
  VIN,
} from './support/uptane-world.js';

/** Advances the time server, not necessarily the vehicle's clock. */
const SOON = '2026-11-27T08:00:00Z';
const LATER = '2099-01-01T00:00:00Z';
const YEAR_MS = 365 * 24 * 60 * 60 * 1000;
const SCRIPT = 'hu only 002';
const FIRST = { HU: { version: '1.1.0', content: softwareOf(20_000), counter: 5 } };
const SECOND = { HU: { version: '1.2.0', content: softwareOf(20_000), counter: 6 } };
const THIRD = { HU: { version: '1.3.0', content: softwareOf(20_000), counter: 7 } };

let world: UptaneWorld;
let v: ReturnType<typeof startUptaneVehicle>;
beforeEach(async () => {
  world = await new UptaneWorld().start();
  world.update('hu only 001', FIRST);
  v = startUptaneVehicle(world, { description: describeVehicle(['HU', 'TCU']) });
  await v.update('hu only 001');
  expect(v.newStatuses().at(-1)).toBe('success');
});
afterEach(async () => {
  vi.useRealTimers();
  await v.stop();
  await world.close();
});

function running(ecu = 'HU'): string {
  const folder = join(v.directory, 'ecus', ecu);
  const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
  const { active = '' } = json(join(folder, 'boot.json'));
  return must(json(join(folder, active, 'manifest.json')).version);
}

/** One cycle for the second script, and its result. */
async function attacked() {
  await v.update(SCRIPT);
  return {
    states: v.newStatuses(),
    attack: v.platform.meta('attack'),
    reason: v.platform.meta(),
    runs: running(),
  };
}

/** An honest update, after the attack. */
async function recovers(): Promise<void> {
  world.intercept = () => false;
  world.timeAnswer = undefined;
  for (const repository of [world.director, world.image]) {
    repository.tamper = () => undefined;
    repository.signers = () => undefined;
  }
  world.director.targets.custom = { vin: VIN };
  world.update('hu only 003', THIRD);
  await v.update('hu only 003');
  expect(v.newStatuses().at(-1)).toBe('success');
  expect(running()).toBe('1.3.0');
}

type Row = [attack: string | undefined, what: string, prepare: () => void, reason: RegExp];

/** Replaces a served file. */
function serveInstead(name: RegExp, body: (honest: Buffer) => Buffer | 'endless' | 'drip' | 'cut') {
  world.intercept = (path, _request, response) => {
    if (!name.test(path)) return false;
    const honest = world.fileAt(path) ?? Buffer.alloc(0);
    const served = body(honest);
    if (served === 'cut') response.destroy();
    else if (served === 'endless') {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, ' ')));
      };
      response.on('drain', more);
      response.writeHead(200);
      more();
    } else if (served === 'drip') {
      response.writeHead(200);
      const timer = setInterval(() => response.write(' '), 50);
      response.on('close', () => clearInterval(timer));
    } else response.end(served);
    return true;
  };
}

describe('pki_check_fail, and the software is unchanged', () => {
  const older = (role: string) => (name: string, signed: any) => {
    if (name === role) signed.version -= 1;
  };

  const rows: Row[] = [
    // Attackers on the path.
    ['endless-data', 'an endless root', () => serveInstead(/2\.root/, () => 'endless'), /at most 512000 bytes/],
    ['endless-data', 'an endless timestamp', () => serveInstead(/director.*timestamp/, () => 'endless'), /at most 16384 bytes/],
    ['endless-data', 'endless targets', () => serveInstead(/image.*targets\.json/, () => 'endless'), /at most 5000000 bytes/],
    ['endless-data', 'an endless answer to the question for the time', () => serveInstead(/\/time$/, () => 'endless'), /at most 16384 bytes/],
    ['endless-data', 'an endless script', () => serveInstead(/targets\/scripts/, () => 'endless'), /at most \d+ bytes/],
    ['slow-retrieval', 'a timestamp that drips', () => serveInstead(/director.*timestamp/, () => 'drip'), /comes too slowly/],
    ['arbitrary-software', 'a script that was swapped', () => serveInstead(/targets\/scripts/, (honest) => Buffer.alloc(honest.length, 'x')), /does not have the hash/],
    ['arbitrary-software', 'a script of another length', () => serveInstead(/targets\/scripts/, (honest) => honest.subarray(1)), /is too short/],
    ['mix-and-match', 'a swapped snapshot', () => serveInstead(/director.*snapshot/, () => must(world.director.files.get('1.snapshot.json'))), /snapshot/],
    ['freeze', 'an old answer of the time server', () => {
      const old = world.signedTime(['00'.repeat(16)]);
      world.timeAnswer = () => old;
    }, /does not answer this request/],
    ['arbitrary-software', 'a time that a stranger has signed', () => {
      world.timeAnswer = (nonces) => world.signedTime(nonces, world.now, makeKey());
    }, /not signed by enough keys/],
    ...(['timestamp', 'snapshot', 'targets'] as const).flatMap((role): Row[] => [
      ['freeze', `a ${role} of the Director that has expired`, () => {
        world.director.roles[role].expires = SOON;
      }, /has expired/],
      ['freeze', `a ${role} of the image repository that has expired`, () => {
        world.image.roles[role].expires = SOON;
      }, /has expired/],
    ]),
    // Rollback attacks, signed with the right keys.
    ...(['timestamp', 'snapshot', 'targets'] as const).flatMap((role): Row[] => [
      ['rollback', `an older ${role} of the Director`, () => {
        // The vehicle has seen two releases, so that a rollback is possible.
        world.director.roles[role].version -= 2;
      }, /version/],
      ['rollback', `an older ${role} of the image repository`, () => {
        world.image.roles[role].version -= 2;
      }, /version/],
    ]),
    ['rollback', 'an old root in place of the next', () => serveInstead(/director.*2\.root/, () => world.director.rootBytes), /is not the next version/],
    ['mix-and-match', 'targets of another version than the snapshot says', () => {
      world.director.tamper = older('targets');
    }, /not of the version/],
    // Stolen Director keys.
    ['arbitrary-software', 'an image that the image repository does not have', () => {
      world.director.addImage('evil.bin', Buffer.from('evil'), {
        match: { hardwareIds: ['hw-a'], releaseCounter: 99 },
        ecuIdentifiers: { 'ecu-1': { hardwareId: 'hw-a' } },
      });
      Reflect.deleteProperty(world.director.targets.targets, imageName('HU', '1.2.0'));
    }, /no role lists this image/],
    ['arbitrary-software', 'an image under the name of another', () => {
      const listed = world.director.targets.targets[imageName('HU', '1.2.0')] as any;
      listed.hashes = { sha256: sha('sha256', Buffer.from('evil')) };
    }, /differ in length or hashes/],
    ['rollback', 'an image with an older release counter', () => {
      world.offer('hu only 000', { HU: { version: '1.0.5', content: Buffer.from('old'), counter: 4 } });
      world.order('hu only 000', { HU: { version: '1.0.5', content: Buffer.from('old') } });
    }, /is older than the image of the ECU ecu-1/],
    ['mix-and-match', 'another image than the script installs', () => {
      // The same length, so that only the hash differs.
      world.offer('other', { HU: { version: '1.9.0', content: softwareOf(20_000), counter: 9 } });
      Reflect.deleteProperty(world.director.targets.targets, imageName('HU', '1.2.0'));
      world.orderTarget(imageName('HU', '1.9.0'), 'HU');
    }, /orders another image for HU/],
    ['mix-and-match', 'an image too many', () => {
      world.offer('other', { TCU: { version: '9', content: Buffer.from('other'), counter: 9 } });
      world.orderTarget(imageName('TCU', '9'), 'TCU');
    }, /an image that the script does not install/],
    ['mix-and-match', 'images without a script', () => {
      Reflect.deleteProperty(world.director.targets.targets, scriptPath(SCRIPT));
    }, /images without an update script/],
    ['mix-and-match', 'a part of a bundle', () => {
      const both = { ...SECOND, TCU: { version: '2', content: Buffer.from('tcu') } };
      world.offer(SCRIPT, both);
      world.order(SCRIPT, SECOND);
    }, /only a part of the script: nothing for TCU/],
    ['wrong-ecu', 'orders for another vehicle', () => {
      world.director.targets.custom = { vin: '5YJSA1E40FF345679' };
    }, /for another vehicle/],
    ['wrong-ecu', 'orders for an ECU that is not there', () => {
      const custom = (world.director.targets.targets[imageName('HU', '1.2.0')] as any).custom;
      custom.ecuIdentifiers = { 'ecu-9': { hardwareId: 'hw-a' } };
    }, /not in the vehicle/],
    ['wrong-ecu', 'an image for other hardware', () => {
      const custom = (world.director.targets.targets[imageName('HU', '1.2.0')] as any).custom;
      custom.ecuIdentifiers = { 'ecu-2': { hardwareId: 'hw-b' } };
    }, /not for the hardware/],
    ['arbitrary-software', 'a Director that delegates', () => (world.director.targets.delegations = []), /delegates/],
    // Keys that the root does not list.
    ...(['timestamp', 'snapshot', 'targets'] as const).map((role): Row => [
      'arbitrary-software',
      `a ${role} that a stranger has signed`,
      () => (world.image.signers = (name) => (name === role ? [makeKey()] : undefined)),
      /not signed by enough keys/,
    ]),
  ]; // prettier-ignore

  test.each(sampleOf(rows, 8))('%s: %s', async (attack, _what, prepare, reason) => {
    world.offer(SCRIPT, SECOND);
    world.order(SCRIPT, SECOND);
    world.release();
    await v.update('a look, so that versions have been seen');
    v.newStatuses();
    world.release();
    const before = structuredClone({
      director: versions(world.director),
      image: versions(world.image),
      delegations: world.director.targets.delegations,
    });
    prepare();
    world.director.publish();
    world.image.publish();
    const outcome = await attacked();
    expect(outcome).toMatchObject({ attack, runs: '1.1.0' });
    expect(outcome.states.at(-1)).toBe('pki_check_fail');
    expect(outcome.reason).toMatch(reason);
    // The next cycle works, and its manifest reports the attack to the Director.
    world.director.targets.delegations = before.delegations;
    restore(world.director, before.director);
    restore(world.image, before.image);
    const { length } = world.manifests;
    await recovers();
    const report = must(world.manifests[length]?.reports.get(ECUS['OTA-MANAGER'].serial));
    expect(report.attack).toBe(attack);
    expect(report.reason).toMatch(reason);
  });

  type Repository = UptaneWorld['director'];
  const versions = ({ roles }: Repository) =>
    Object.fromEntries(Object.entries(roles).map(([name, { version }]) => [name, version]));
  function restore({ roles }: Repository, before: Readonly<Record<string, number>>): void {
    for (const [name, role] of Object.entries(roles)) {
      role.version = Math.max(role.version, must(before[name]));
      role.expires = LATER;
    }
  }
});

describe('failures other than a trust failure', () => {
  beforeEach(() => world.update(SCRIPT, SECOND));

  test.each<[state: string, what: string, name: RegExp, reason: RegExp]>([
    ['failure', 'whatever is posted', /manifest|time/, /the Director cannot be reached/],
    ['failure', 'the metadata of the Director', /director.*timestamp/, /connection has failed/],
    ['failure', 'the metadata of the image repository', /metadata\/timestamp/, /connection has failed/],
    ['failure', 'the script', /targets\/scripts/, /connection has failed/],
    ['download_fail', 'the image', /targets\/artifacts/, /.+/],
  ])('%s: someone drops %s', async (state, _what, name, reason) => {
    serveInstead(name, () => 'cut');
    const { states, attack, reason: said, runs } = await attacked();
    expect({ last: states.at(-1), attack, runs }).toEqual({
      ...{ last: state, attack: undefined, runs: '1.1.0' },
    });
    expect(said).toMatch(reason);
    await recovers();
  }); // prettier-ignore

  test.each<[state: string, what: string, serve: () => void, reason: RegExp]>([
    [
      'download_fail',
      'endless',
      () => serveInstead(/targets\/artifacts/, () => 'endless'),
      /more than the 20000 bytes/,
    ],
    [
      'download_fail',
      'too slow',
      () => serveInstead(/targets\/artifacts/, () => 'drip'),
      /stalled, 2 times/,
    ],
    [
      'download_fail',
      'too short',
      () => serveInstead(/targets\/artifacts/, (honest) => honest.subarray(1)),
      /19999/,
    ],
    [
      'md5_check_fail',
      'another one of the same length',
      () => serveInstead(/targets\/artifacts/, ({ length }) => Buffer.alloc(length, 'x')),
      /MD5/,
    ],
  ])('%s: an image that is %s', async (state, _what, serve, reason) => {
    serve();
    const outcome = await attacked();
    expect(outcome.states.at(-1)).toBe(state);
    expect(outcome.runs).toBe('1.1.0');
    expect(outcome.reason).toMatch(reason);
    await recovers();
  });

  test('failure: the Director refuses the manifest', async () => {
    world.manifestStatus = 409;
    expect(await attacked()).toMatchObject({
      states: ['failure'],
      reason: 'the Director answers the manifest with HTTP 409: replayed',
      runs: '1.1.0',
    });
    world.manifestStatus = 204;
    await recovers();
  });
});

test('md5_check_fail: an image whose hash differs from the metadata, though MD5 and SHA-256 match', async () => {
  world.offer(SCRIPT, SECOND);
  for (const targets of [world.image.targets.targets]) {
    (targets[imageName('HU', '1.2.0')] as any).hashes.sha512 = '0'.repeat(128);
  }
  world.order(SCRIPT, SECOND);
  world.release();
  const outcome = await attacked();
  expect(outcome.states.at(-1)).toBe('md5_check_fail');
  expect(outcome.reason).toMatch(/the metadata lists sha512 0{128}/);
  expect(outcome.runs).toBe('1.1.0');
});

describe('recovery', () => {
  test.each(['director', 'image'] as const)(
    'from a fast-forward of the %s repository, once its online keys are replaced',
    async (name) => {
      world.update(SCRIPT, SECOND);
      const repository = world[name];
      const { timestamp, snapshot } = repository.roles;
      const honest = { timestamp: timestamp.version, snapshot: snapshot.version };
      timestamp.version = snapshot.version = 1_000_000;
      repository.publish();
      await v.update('a look at it');
      Object.assign(timestamp, { version: honest.timestamp });
      Object.assign(snapshot, { version: honest.snapshot });
      world.release();
      expect(await attacked()).toMatchObject({ attack: 'rollback', runs: '1.1.0' });
      timestamp.keys = [makeKey()];
      snapshot.keys = [makeKey()];
      repository.roles.root.version += 1;
      await recovers();
    },
  );

  test('of a vehicle parked for two years, while roots expired', async () => {
    const parked = new Date(NOW.getTime() + 2 * YEAR_MS);
    for (const repository of [world.director, world.image]) {
      const { root, targets } = repository.roles;
      // A new root every year, the last with new keys for all roles.
      root.version += 1;
      root.expires = '2027-11-27T00:00:00Z';
      repository.publishRoot();
      root.version += 1;
      root.expires = '2028-06-01T00:00:00Z';
      targets.keys = [makeKey()];
      repository.roles.timestamp.keys = [makeKey()];
      repository.publishRoot();
    }
    world.update(SCRIPT, SECOND);
    world.now = parked;
    expect(await attacked()).toMatchObject({ attack: 'freeze', runs: '1.1.0' });
    for (const { roles } of [world.director, world.image]) {
      roles.root.version += 1;
      roles.root.expires = LATER;
    }
    await recovers();
  });
});

describe('the clock of the vehicle', () => {
  test.each([
    ['1970', 1_000],
    ['2099', Date.UTC(2099, 5, 1)],
  ])('at %s does not matter: the signed time decides', async (_year, clock) => {
    vi.useFakeTimers({ toFake: ['Date'], now: clock });
    world.update(SCRIPT, SECOND);
    await v.update(SCRIPT);
    expect(v.newStatuses().at(-1)).toBe('success');
    expect(running()).toBe('1.2.0');
    // Events carry the attested time.
    const last = must(v.platform.events.at(-1)).body.timestamp;
    expect(Math.abs(last - NOW.getTime())).toBeLessThan(60_000);
    // Nor does it revive expired metadata.
    world.director.roles.timestamp.expires = SOON;
    world.director.release('timestamp');
    await v.update(SCRIPT);
    expect(v.platform.meta('attack')).toBe('freeze');
  });

  test('is not set by a trigger, and an expired trigger is not even acknowledged', async () => {
    world.update(SCRIPT, SECOND);
    const { length } = v.platform.messages;
    v.platform.trigger(SCRIPT, 'late', NOW.getTime() - 120_000, 60);
    expect(v.platform.messages).toHaveLength(length);
    expect(v.refused).toEqual(['EXPIRED msg-cld-late']);
    // A trigger from the future makes the vehicle start a cycle, but the attested time stays.
    v.platform.trigger(SCRIPT, 'future', Date.UTC(2098, 0), 60);
    await v.agent.idle();
    expect(running()).toBe('1.2.0');
    const times = v.platform.events.map(({ body }) => body.timestamp);
    expect(Math.max(...times)).toBeLessThan(NOW.getTime() + 60_000);
  });

  test('the floor survives a restart and never decreases', async () => {
    world.now = new Date(NOW.getTime() + YEAR_MS);
    world.update(SCRIPT, SECOND);
    await v.update(SCRIPT);
    const floor = () =>
      (
        JSON.parse(readFileSync(join(v.directory, 'primary', 'time.json'), 'utf8')) as {
          floor: number;
        }
      ).floor;
    expect(floor()).toBe(NOW.getTime() + YEAR_MS);
    await v.stop();
    world.now = NOW;
    world.director.roles.timestamp.expires = '2027-06-01T00:00:00Z';
    v = startUptaneVehicle(world, { directory: v.directory });
    world.update('hu only 003', THIRD);
    await v.update('hu only 003');
    // By the server's time alone, the metadata would still be valid.
    expect(v.platform.meta('attack')).toBe('freeze');
    expect(floor()).toBe(NOW.getTime() + YEAR_MS);
    expect(running()).toBe('1.2.0');
  });
});

test('a flood of forged triggers fills a bounded queue and does no other harm', async () => {
  serveInstead(/manifest/, () => 'drip');
  const { length } = v.platform.messages;
  for (let n = 0; n < 200; n += 1) v.platform.trigger(`forged ${n}`);
  expect(v.refused).toHaveLength(184);
  await until(() => v.platform.messages.length === length + 16);
  world.intercept = () => false;
  await v.agent.idle();
  v.newStatuses();
  await recovers();
});
