/** `otaops uptane-client`, over HTTP and on disk, as seen from outside. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sampleOf } from '../support/depth.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';
import { type HttpWorld, serveWorld } from './support/http-world.js';
import { makeKey } from './support/keys.js';
import { FIRMWARE, forEcu, match, TestWorld, VEHICLE, VIN } from './support/test-vehicle.js';

let world: TestWorld;
let http: HttpWorld;
let directory: string;
let images: string;
let state: string;

beforeEach(async () => {
  world = new TestWorld().order().provision();
  http = await serveWorld(world);
  directory = temporaryDirectory('uptane');
  images = join(directory, 'images');
  state = join(directory, 'state');
  writeFileSync(
    join(directory, 'vehicle.json'),
    JSON.stringify({
      vin: VIN,
      primary: 'ecu-1',
      ecus: [...VEHICLE.ecus].map(([ecu_id, hardware_id]) => ({ ecu_id, hardware_id })),
    }),
  );
  writeFileSync(join(directory, 'director-root.json'), world.director.rootBytes);
  writeFileSync(join(directory, 'image-root.json'), world.image.rootBytes);
});
afterEach(() => http.close());

const initArguments = () => [
  ...['uptane-client', '--state', state, 'init'],
  ...['--vehicle', join(directory, 'vehicle.json')],
  ...['--director-root', join(directory, 'director-root.json')],
  ...['--image-root', join(directory, 'image-root.json')],
];
const updateArguments = () => [
  ...['uptane-client', '--state', state, 'update'],
  ...['--director-url', http.directorUrl, '--image-url', http.imageUrl, '--images-dir', images],
];

interface Outcome {
  readonly exit: number;
  readonly result: string;
  readonly code?: string;
  readonly message: string;
}

async function run(args: string[]): Promise<Outcome> {
  const { code, stdout } = await runCommand(args);
  const lines = stdout.trimEnd().split('\n');
  return { exit: code, ...(JSON.parse(lines.at(-1) ?? '') as Omit<Outcome, 'exit'>) };
}
const init = () => run(initArguments());
const update = () => run(updateArguments());

/** Files of the images directory with their content. */
function installed(): Record<string, string> {
  try {
    return Object.fromEntries(
      readdirSync(images).map((name) => [name, readFileSync(join(images, name), 'utf8')]),
    );
  } catch {
    return {};
  }
}

test('init, an update, and a cycle without changes', async () => {
  expect(await init()).toMatchObject({ exit: 0 });
  expect(http.requests).toEqual([]);
  expect(await update()).toMatchObject({ exit: 0, result: 'updated' });
  expect(installed()).toEqual({ 'ecu-1': 'firmware' });
  const { sha256 } = (world.image.targets.targets[FIRMWARE] as any).hashes;
  expect(http.requests.at(-1)).toBe(`/image/targets/brakes/${sha256}.firmware%201.bin`);
  expect(await update()).toMatchObject({ exit: 0, result: 'no-update' });
});

test('new images replace old ones, separately per ECU', async () => {
  await init();
  await update();
  const both = { match: match(2, ['hw-a', 'hw-b']) };
  world.director.targets.targets = {};
  world.image.addImage('both', Buffer.from('both'), both);
  world.director.addImage('both', Buffer.from('both'), {
    ...both,
    ecuIdentifiers: { ...forEcu(), ...forEcu('ecu-2', 'hw-b') },
  });
  world.director.release();
  world.image.release();
  http.requests.length = 0;
  expect(await update()).toMatchObject({ result: 'updated' });
  expect(installed()).toEqual({ 'ecu-1': 'both', 'ecu-2': 'both' });
  expect(http.requests.filter((path) => path.includes('/targets/'))).toHaveLength(1);
  writeFileSync(join(images, 'ecu-1'), 'changed');
  expect(installed()['ecu-2']).toBe('both');
});

test('an image of many chunks, on a different file system than the state', async () => {
  const content = randomBytes(5_000_000);
  world.image.addImage('big', content, { match: match() });
  world.director.targets.targets = {};
  world.director.addImage('big', content, { match: match(), ecuIdentifiers: forEcu() });
  world.director.release();
  world.image.release();
  // A memory file system if available; otherwise the same file system, which works too.
  images = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : directory, 'otaops-uptane-'));
  await init();
  expect(await update()).toMatchObject({ result: 'updated' });
  expect(readdirSync(images)).toEqual(['ecu-1']);
  expect(readFileSync(join(images, 'ecu-1')).equals(content)).toBe(true);
  rmSync(images, { recursive: true });
});

describe('an image that contradicts the metadata', () => {
  const serve = async (content: string | Buffer) => {
    await init();
    for (const path of world.image.files.keys()) {
      if (path.startsWith('targets/')) world.image.files.set(path, Buffer.from(content));
    }
    return update();
  };

  test.each([
    ['other bytes', 'f1rmware', 'hash'],
    ['too few', 'firmwar', 'length'],
    ['none', '', 'length'],
    ['too many', 'firmware!', 'length'],
  ])('%s', async (_what, content, code) => {
    expect(await serve(content)).toMatchObject({ exit: 1, result: 'refused', code });
    expect(installed()).toEqual({});
  });

  test('it is missing', async () => {
    await init();
    for (const path of world.image.files.keys()) {
      if (path.startsWith('targets/')) world.image.files.delete(path);
    }
    expect(await update()).toMatchObject({ exit: 1, code: 'network' });
  });

  test('one wrong image leaves all ECUs unchanged', async () => {
    await init();
    await update();
    world.order(FIRMWARE, 'firmware 2', 2);
    world.image.addImage('b', Buffer.from('b'), { match: match(1, ['hw-b']) });
    world.director.addImage('b', Buffer.from('b'), {
      match: match(1, ['hw-b']),
      ecuIdentifiers: forEcu('ecu-2', 'hw-b'),
    });
    world.director.release();
    world.image.release();
    for (const path of world.image.files.keys()) {
      if (path.endsWith('.b')) world.image.files.set(path, Buffer.from('x'));
    }
    expect(await update()).toMatchObject({ code: 'hash' });
    expect(installed()).toEqual({ 'ecu-1': 'firmware' });
  });
});

test('only one of the listed hashes is wrong', async () => {
  await init();
  for (const { targets } of [world.director, world.image]) {
    (targets.targets[FIRMWARE] as any).hashes.sha512 = '0'.repeat(128);
  }
  world.director.release();
  world.image.release();
  expect(await update()).toMatchObject({ exit: 1, code: 'hash' });
});

test('an older release than installed is rejected, even after a restart', async () => {
  await init();
  world.order(FIRMWARE, 'firmware 5', 5);
  world.director.release();
  world.image.release();
  await update();
  world.order(FIRMWARE, 'firmware 4', 4);
  world.director.release();
  world.image.release();
  expect(await update()).toMatchObject({ exit: 1, code: 'release-counter' });
  expect(installed()).toEqual({ 'ecu-1': 'firmware 5' });
});

test('a rejection names repository, role, version, check, expected and found values', async () => {
  await init();
  world.director.targets.custom = { vin: '5YJSA1E40FF345679' };
  world.director.release();
  expect((await update()).message).toBe(
    'director repository, targets version 2: is for another vehicle: ' +
      'expected 5YJSA1E40FF345678, found 5YJSA1E40FF345679 (POUF, section 6)',
  );
});

describe('invalid input', () => {
  test.each<[what: string, file: string, content: string]>([
    ['a vehicle that is no JSON', 'vehicle.json', 'vin'],
    ['a vehicle without VIN', 'vehicle.json', '{"primary":"a","ecus":[]}'],
    [
      'an ECU whose name is a path',
      'vehicle.json',
      '{"vin":"v","primary":"../a","ecus":[{"ecu_id":"../a","hardware_id":"h"}]}',
    ],
    [
      'an ECU twice',
      'vehicle.json',
      '{"vin":"v","primary":"a","ecus":[{"ecu_id":"a","hardware_id":"h"},{"ecu_id":"a","hardware_id":"h"}]}',
    ],
    ['a root that is none', 'director-root.json', '{}'],
    ['a root that is cut off', 'image-root.json', '{"signed":'],
  ])('%s is refused, and nothing changes', async (_what, file, content) => {
    await init();
    await update();
    writeFileSync(join(directory, file), content);
    expect(await init()).toMatchObject({ exit: 1, result: 'refused', code: 'malformed' });
    expect(await update()).toMatchObject({ exit: 0, result: 'no-update' });
  });

  test('a missing file', async () => {
    directory = join(directory, 'nowhere');
    expect(await init()).toMatchObject({ exit: 1, result: 'refused', code: 'storage' });
  });

  test('an update before init', async () => {
    expect(await update()).toMatchObject({ exit: 1, result: 'refused', code: 'storage' });
  });

  test('init replaces the previous vehicle', async () => {
    await init();
    await update();
    world = new TestWorld().order(FIRMWARE, 'other').provision();
    await http.close();
    http = await serveWorld(world);
    writeFileSync(join(directory, 'director-root.json'), world.director.rootBytes);
    writeFileSync(join(directory, 'image-root.json'), world.image.rootBytes);
    await init();
    expect(await update()).toMatchObject({ result: 'updated' });
    expect(installed()).toEqual({ 'ecu-1': 'other' });
  });
});

test('after a power cut during installation, the ECU’s actual image is determined', async () => {
  await init();
  await update();
  const path = join(state, 'installed.json');
  const before = JSON.parse(readFileSync(path, 'utf8'));
  world.order(FIRMWARE, 'firmware 5', 5);
  world.director.release();
  world.image.release();
  await update();
  const after = JSON.parse(readFileSync(path, 'utf8'));
  // Between the two writes: the new image is in place, the old one still on record.
  writeFileSync(path, JSON.stringify({ installed: before.installed, pending: after.installed }));
  world.order(FIRMWARE, 'firmware 4', 4);
  world.director.release();
  world.image.release();
  expect(await update()).toMatchObject({ code: 'release-counter' });
  // Before the image was moved.
  writeFileSync(join(images, 'ecu-1'), 'firmware');
  writeFileSync(path, JSON.stringify({ installed: before.installed, pending: after.installed }));
  expect(await update()).toMatchObject({ result: 'updated' });
  expect(installed()).toEqual({ 'ecu-1': 'firmware 4' });
});

/** Requests of the cycle below. */
const REQUESTS = 12;

/** The real process is killed once at each request of a cycle; in a quick run, at some of them. */
test('a client killed at any request completes the update in the next cycle', async () => {
  await init();
  await update();
  world.image.addRole('supplier');
  const image = { match: match(2) };
  world.image.addImage('brakes/2', Buffer.from('2'), image, world.image.delegated.get('supplier'));
  world.image.delegate(world.image.targets, 'supplier', { paths: ['brakes/*'] });
  world.director.targets.targets = {};
  world.director.addImage('brakes/2', Buffer.from('2'), { ...image, ecuIdentifiers: forEcu() });
  for (const { roles } of [world.director, world.image]) roles.timestamp.keys = [makeKey()];
  world.director.release('root', 'targets', 'snapshot', 'timestamp');
  world.image.release('root', 'targets', 'snapshot', 'timestamp');

  const moments = sampleOf(
    Array.from({ length: REQUESTS }, (_, n) => n + 1),
    12,
  );
  // After the last request nothing is left to kill.
  for (const at of [...moments, REQUESTS + 1]) {
    await init();
    let count = 0;
    const client = spawn(process.execPath, ['dist/cli/main.js', ...updateArguments()], {
      stdio: 'ignore',
    });
    http.intercept = () => {
      count += 1;
      if (count === at) client.kill('SIGKILL');
      return count === at;
    };
    const signal = await new Promise((resolve) =>
      client.on('exit', (_code, cause) => resolve(cause)),
    );
    http.intercept = () => false;
    expect(signal, `killed at request ${at}`).toBe(at > REQUESTS ? null : 'SIGKILL');
    expect(installed()).toEqual({ 'ecu-1': at > REQUESTS ? '2' : 'firmware' });
    if (at > REQUESTS) break;
    expect(await update()).toMatchObject({ exit: 0, result: 'updated' });
    expect(installed()).toEqual({ 'ecu-1': '2' });
    writeFileSync(join(images, 'ecu-1'), 'firmware');
  }
});

test('nothing is written elsewhere, and no temporary files remain', async () => {
  mkdirSync(images);
  await init();
  await update();
  expect(readdirSync(directory).sort()).toEqual([
    'director-root.json',
    'image-root.json',
    'images',
    'state',
    'vehicle.json',
  ]);
  expect(readdirSync(state).sort()).toEqual([
    'director',
    'image',
    'installed.json',
    'vehicle.json',
  ]);
});
