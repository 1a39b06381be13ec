/**
 * An ECU provisioned with current metadata (Uptane, "Build-time prerequisite requirements for ECUs") rejects older
 * files in its first cycle. Each attack is repeated on an ECU with only the roots, where it works.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type InitialTrust,
  openFileSecondary,
  provisionSecondary,
  provisionVehicle,
  vehicleFiles,
} from '../../src/vehicle/index.js';
import { otaops } from '../support/process.js';
import { temporaryDirectory } from '../support/servers.js';
import { makeKey } from '../uptane/support/keys.js';
import { softwareOf } from './support/software.js';
import {
  describeVehicle,
  ECUS,
  startUptaneVehicle,
  UptaneWorld,
  VIN,
} from './support/uptane-world.js';

const OLD = { HU: { version: '1.1.0', content: softwareOf(5_000), counter: 5 } };
const NEW = { HU: { version: '1.2.0', content: softwareOf(5_000), counter: 6 } };

let world: UptaneWorld;
/** The files that both repositories served before the current ones. */
let old: Map<string, Buffer>;
let directory: string;

beforeEach(async () => {
  world = await new UptaneWorld().start();
  directory = temporaryDirectory('provisioned');
  world.update('hu 001', OLD);
  old = served();
  world.update('hu 002', NEW);
});
afterEach(() => world.close());

/** Metadata of both repositories, by its path in a folder for provisioning. */
const served = () =>
  new Map([
    ...[...world.director.files].map(([path, bytes]) => [`director/${path}`, bytes] as const),
    ...[...world.image.files]
      .filter(([path]) => path.startsWith('metadata/'))
      .map(([path, bytes]) => [`image/${path.slice('metadata/'.length)}`, bytes] as const),
  ]);

const complete = (metadata = served()): InitialTrust => ({ ...world.trust, metadata });

/** An attacker serves the old files. */
function turnBack(): void {
  world.intercept = (path, _request, response) => {
    const inDirector = path.split(`/director/${VIN}/`)[1];
    const inImage = path.split('/image/metadata/')[1];
    const name = inDirector === undefined ? `image/${inImage}` : `director/${inDirector}`;
    const file = name.endsWith('timestamp.json') ? old.get(name) : undefined;
    if (file) response.end(file);
    return file !== undefined;
  };
}

describe('the first cycle of a vehicle', () => {
  const firstCycle = async (trust: InitialTrust) => {
    provisionVehicle(directory, describeVehicle(['HU']), trust);
    const v = startUptaneVehicle(world, { directory });
    await v.update('hu 001');
    const outcome = { last: v.newStatuses().at(-1), meta: v.platform.meta() };
    await v.stop();
    return outcome;
  };

  test('with all metadata, older files are recognised as a rollback', async () => {
    turnBack();
    const { last, meta } = await firstCycle(complete());
    expect(last).toBe('pki_check_fail');
    expect(meta).toMatch(/director repository, timestamp .*version/);
  });

  test('with roots alone, older files would be accepted', async () => {
    turnBack();
    expect(await firstCycle(world.trust)).toMatchObject({ last: 'success' });
  });

  test('with all metadata, a current update succeeds', async () => {
    provisionVehicle(directory, describeVehicle(['HU']), complete());
    const v = startUptaneVehicle(world, { directory });
    await v.update('hu 002');
    expect(v.newStatuses().at(-1)).toBe('success');
    await v.stop();
  });
});

describe.each(['full', 'partial'] as const)('a Secondary with %s verification', (verification) => {
  const verdict = async (trust: InitialTrust) => {
    const description = { vin: VIN, name: 'HU', ...ECUS.HU, version: '1.0.0', verification };
    provisionSecondary(directory, Buffer.from(JSON.stringify(description)), trust);
    const { secondary } = openFileSecondary({ directory });
    await secondary.takeTime(world.signedTime([await secondary.nonce()]));
    return secondary.takeMetadata(old);
  };

  test('with current metadata, rejects older metadata from its Primary', async () => {
    await expect(verdict(complete())).rejects.toMatchObject({ code: 'rollback' });
  });

  test('with roots alone, would accept older metadata', async () => {
    expect(await verdict(world.trust)).toMatchObject({ path: 'artifacts/HU 1.1.0.bin' });
  });
});

describe('metadata for provisioning that', () => {
  const without = (name: RegExp) => new Map([...served()].filter(([path]) => !name.test(path)));

  test.each<[string, () => InitialTrust, RegExp]>([
    ['lack a file', () => complete(without(/^image\/2\.snapshot/)), /lacks image\/2\.snapshot\.json/],
    ['lack a timestamp', () => complete(without(/^director\/timestamp/)), /lacks director\/timestamp\.json/],
    [
      'are not signed by the root',
      () => {
        const { trust } = world;
        world.director.roles.timestamp.keys = [makeKey()];
        world.director.release();
        return { ...trust, metadata: served() };
      },
      /director repository, timestamp/,
    ],
    [
      'are those of another vehicle',
      () => {
        world.director.targets.custom = { vin: '5YJSA1E40FF345679' };
        world.director.release();
        return complete();
      },
      /director repository, targets .*another vehicle/,
    ],
    [
      'have expired',
      () => ({ ...complete(), now: Date.parse('2100-01-01T00:00:00Z') }),
      /director repository, root.* expired/,
    ],
  ])('%s are refused, and nothing is provisioned', (_what, trust, message) => {
    expect(() => provisionVehicle(directory, describeVehicle(['HU']), trust())).toThrow(message);
    expect(existsSync(vehicleFiles(directory).description)).toBe(false);
    expect(readdirSync(directory)).toEqual([]);
  }); // prettier-ignore
});

test('`otaops vehicle provision --metadata` reads them from a folder', async () => {
  const folder = temporaryDirectory('metadata');
  const write = (path: string, bytes: Uint8Array) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  };
  for (const [path, bytes] of served()) write(path, bytes);
  const { directorRoot, imageRoot, timeKeys } = world.trust;
  write('director.root.json', directorRoot);
  write('image.root.json', imageRoot);
  write('time-keys.json', timeKeys);
  write('vehicle.json', describeVehicle(['HU']));
  const provision = (metadata: string) =>
    otaops(
      [
        ...['vehicle', '--vehicle-dir', directory, 'provision', '--vehicle', 'vehicle.json'],
        ...['--director-root', 'director.root.json', '--image-root', 'image.root.json'],
        ...['--time-key', 'time-keys.json', '--metadata', metadata],
      ],
      {},
      folder,
    );
  const wrong = provision('nowhere');
  expect(await wrong.ended).toBe(1);
  expect(wrong.output()).toMatch(/nowhere/);
  const right = provision('.');
  expect(await right.ended).toBe(0);
  for (const repository of ['director', 'image']) {
    expect(readdirSync(join(directory, 'primary', repository)).sort()).toEqual([
      'online-keys',
      'root.json',
      'snapshot.json',
      'targets.json',
      'timestamp.json',
    ]);
  }
});
