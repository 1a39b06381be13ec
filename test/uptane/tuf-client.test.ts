/** `otaops tuf-client`: where TUF differs from Uptane. The public suite tests the rest. */
import { must } from './support/must.js';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';
import { type HttpWorld, serveWorld } from './support/http-world.js';
import { makeKey } from './support/keys.js';
import { FIRMWARE, match, TestWorld } from './support/test-vehicle.js';

let world: TestWorld;
let http: HttpWorld;
let directory: string;

beforeEach(async () => {
  world = new TestWorld().order();
  http = await serveWorld(world);
  directory = temporaryDirectory('uptane');
});
afterEach(() => http.close());

const client = (...args: string[]) =>
  runCommand(['tuf-client', '--metadata-dir', join(directory, 'metadata'), ...args]);

async function init() {
  world.provision();
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'root.json'), world.image.rootBytes);
  expect((await client('init', join(directory, 'root.json'))).code).toBe(0);
}
const refresh = () => client('--metadata-url', `${http.imageUrl}/metadata/`, 'refresh');
const download = (...paths: string[]) =>
  client(
    ...['--metadata-url', `${http.imageUrl}/metadata`],
    ...['--target-base-url', `${http.imageUrl}/targets/`],
    ...['--target-dir', join(directory, 'targets')],
    ...paths.flatMap((path) => ['--target-name', path]),
    'download',
  );

test('a target is downloaded once', async () => {
  await init();
  expect((await refresh()).code).toBe(0);
  expect((await download(FIRMWARE, FIRMWARE)).code).toBe(0);
  expect(readdirSync(join(directory, 'targets'))).toEqual(['brakes%2Ffirmware%201.bin']);
  http.requests.length = 0;
  expect((await download(FIRMWARE)).code).toBe(0);
  expect(http.requests.filter((path) => path.startsWith('/image/targets/'))).toEqual([]);
});

test('a key id does not have to be the hash of its key', async () => {
  for (const role of Object.values(world.image.roles)) {
    const [key] = role.keys;
    role.keys = [{ ...must(key), id: `any ${must(key).id.slice(0, 8)}` }];
  }
  await init();
  expect((await refresh()).code).toBe(0);
});

test('one key under two ids still counts once', async () => {
  const key = makeKey();
  Object.assign(world.image.targets, { keys: [key, { ...key, id: 'other' }], threshold: 2 });
  await init();
  expect(await refresh()).toMatchObject({ code: 1 });
});

test('a root not signed by its own keys is not trusted', async () => {
  world.image.signers = (role) => (role === 'root' ? [makeKey()] : undefined);
  await init();
  expect(await refresh()).toMatchObject({ code: 1 });
  expect(http.requests).toEqual([]);
});

test('the search continues below a terminating delegation', async () => {
  const { image } = world;
  image.targets.targets = {};
  const a = image.addRole('a');
  const b = image.addRole('b');
  image.addImage(FIRMWARE, Buffer.from('firmware'), { match: match() }, b);
  image.delegate(image.targets, 'a', { paths: ['brakes/*'], terminating: true });
  image.delegate(a, 'b', { paths: ['brakes/*'] });
  await init();
  expect((await download(FIRMWARE)).code).toBe(0);
});

test('delegations by path hash prefixes are followed', async () => {
  const { image } = world;
  image.targets.targets = {};
  const a = image.addRole('a');
  image.addImage(FIRMWARE, Buffer.from('firmware'), { match: match() }, a);
  const { createHash } = await import('node:crypto');
  const digest = createHash('sha256').update(FIRMWARE).digest('hex');
  image.delegate(image.targets, 'a');
  image.tamper = (role, signed) => {
    if (role !== 'targets') return;
    delete signed.delegations.roles[0].paths;
    signed.delegations.roles[0].path_hash_prefixes = ['ffff', digest.slice(0, 3)];
  };
  await init();
  expect((await download(FIRMWARE)).code).toBe(0);
  expect(await download('other')).toMatchObject({ code: 1 });
});

test('without consistent snapshots, file names contain neither versions nor hashes', async () => {
  world.image.tamper = (role, signed) => {
    if (role === 'root') signed.consistent_snapshot = false;
  };
  await init();
  for (const role of ['snapshot', 'targets'] as const) {
    world.image.files.set(
      world.image.path(role),
      must(world.image.files.get(world.image.path(role, 1))),
    );
    world.image.files.delete(world.image.path(role, 1));
  }
  world.image.files.set('targets/brakes/firmware%201.bin', Buffer.from('firmware'));
  expect((await download(FIRMWARE)).code).toBe(0);
});

test('missing arguments are named', async () => {
  expect((await client('refresh')).output).toContain('--metadata-url is required');
  expect((await client('--metadata-url', 'ftp://x', 'refresh')).code).toBe(2);
});
