/** `otaops secondary`: provisioned by the command line, run as a process, killed during its update. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isFullDepth } from '../support/depth.js';
import { keyIdOf } from '../../src/uptane/keys/key-id.js';
import { otaops, type OtaopsProcess } from '../support/process.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';
import { must } from '../uptane/support/must.js';
import { softwareOf } from './support/software.js';
import {
  describeVehicle,
  ECUS,
  startUptaneVehicle,
  UptaneWorld,
  VIN,
} from './support/uptane-world.js';

const TCU = { TCU: { version: '1.1.0', content: softwareOf(2_000_000), counter: 1 } };

let world: UptaneWorld;
let directory: string;
let ecu: OtaopsProcess | undefined;
beforeEach(async () => {
  world = await new UptaneWorld().start();
  directory = temporaryDirectory('secondary-process');
  const { directorRoot, imageRoot, timeKeys } = world.trust;
  writeFileSync(join(directory, 'director.json'), directorRoot);
  writeFileSync(join(directory, 'image.json'), imageRoot);
  writeFileSync(join(directory, 'time.json'), timeKeys);
});
afterEach(async () => {
  ecu?.child.kill('SIGKILL');
  await ecu?.ended;
  await world.close();
});

const own = () => join(directory, 'tcu');
const trust = () => [
  ...['--director-root', join(directory, 'director.json')],
  ...['--image-root', join(directory, 'image.json')],
  ...['--time-key', join(directory, 'time.json')],
];

/** @returns its output */
async function provision() {
  const description = join(directory, 'tcu.json');
  writeFileSync(
    description,
    JSON.stringify({ vin: VIN, name: 'TCU', ...ECUS.TCU, version: '1.0.0' }),
  );
  const command = ['secondary', '--secondary-dir', own(), 'provision', '--ecu', description];
  return runCommand([...command, ...trust()]);
}

async function start(): Promise<void> {
  ecu = otaops(['secondary', '--secondary-dir', own(), '--log-level', 'silent']);
  await ecu.says(/ECU TCU \(ecu-2\) of \S+ listens at/);
}

async function kill(): Promise<void> {
  ecu?.child.kill('SIGKILL');
  await ecu?.ended;
}

function running() {
  const folder = join(own(), 'slots', 'TCU');
  const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
  const slot = join(folder, must(json(join(folder, 'boot.json')).active));
  const { version, sha256 } = json(join(slot, 'manifest.json'));
  const software = readFileSync(join(slot, 'software'));
  expect(createHash('sha256').update(software).digest('hex')).toBe(sha256);
  return version;
}

const startPrimary = () =>
  startUptaneVehicle(world, {
    description: describeVehicle(['TCU'], {
      TCU: { socket: join(own(), 'ecu.sock'), version: undefined },
    }),
    patience: { attempts: 200, pauseMs: 50 },
  });

test('a Secondary provisioned and started by the command line installs its update and stops on request', async () => {
  const { code, stdout } = await provision();
  expect(code).toBe(0);
  const entry = JSON.parse(stdout) as { publicKey: Record<string, string> };
  expect(entry).toMatchObject({ name: 'TCU', ...ECUS.TCU, isPrimary: false });
  await start();
  world.update('tcu 001', TCU);
  const v = startPrimary();
  await v.update('tcu 001');
  expect(v.platform.statuses.at(-1)).toBe('success');
  expect(running()).toBe('1.1.0');
  const report = must(world.manifests[0]?.reports.get(ECUS.TCU.serial));
  expect(report.envelope.signatures[0]?.keyId).toBe(keyIdOf(entry.publicKey));
  await v.stop();
  ecu?.child.kill('SIGTERM');
  expect(await ecu?.ended).toBe(0);
});

test.runIf(isFullDepth)(
  'a Secondary killed at each step of its update gets time to restart, and the result is the same',
  async () => {
    await provision();
    await start();
    world.update('tcu 001', TCU);
    const killed: string[] = [];
    let restarts = Promise.resolve();
    const v = startUptaneVehicle(world, {
      description: describeVehicle(['TCU'], {
        TCU: { socket: join(own(), 'ecu.sock'), version: undefined },
      }),
      // A process start can be slow on a busy machine.
      pace: { checkSeconds: 120 },
      patience: { attempts: 200, pauseMs: 50 },
      onOutcome: (phase) => {
        killed.push(phase);
        restarts = restarts.then(async () => {
          await kill();
          // After any kill, the slot that it would start is intact.
          running();
          await start();
        });
      },
    });
    await v.update('tcu 001');
    await restarts;
    expect(killed).toEqual(
      expect.arrayContaining(['fetching', 'downloading', 'installing', 'rebooting', 'checking']),
    );
    expect(v.platform.statuses.at(-1)).toBe('success');
    expect(running()).toBe('1.1.0');
    await v.stop();
  },
);

test('errors name missing provisioning, folders and files', async () => {
  expect(await runCommand(['secondary'])).toMatchObject({ code: 2 });
  const unprovisioned = await runCommand(['secondary', '--secondary-dir', own()]);
  expect(unprovisioned.code).toBe(1);
  expect(unprovisioned.output).toMatch(/ecu\.json is missing: it has not been provisioned/);
  await provision();
  expect((await provision()).output).toMatch(/already provisioned/);
  const vehicle = join(directory, 'vehicle.json');
  writeFileSync(vehicle, describeVehicle());
  const car = ['vehicle', '--vehicle-dir', join(directory, 'car')];
  const missing = await runCommand([...car, 'provision', '--vehicle', 'nowhere.json', ...trust()]);
  expect(missing.output).toMatch(/nowhere\.json/);
  const made = await runCommand([...car, 'provision', '--vehicle', vehicle, ...trust()]);
  expect((JSON.parse(made.stdout) as { name: string }[]).map(({ name }) => name)).toEqual([
    'OTA-MANAGER',
    'HU',
  ]);
  const other = await runCommand([
    ...[...car, '--vin', '5YJSA1E40FF345679', '--model', 'm', '--credential', 'c'],
    ...['--carota-token', 't', '--log-level', 'silent'],
  ]);
  expect(other.output).toMatch(/vehicle\.json is for 5YJSA1E40FF345678, not 5YJSA1E40FF345679/);
});
