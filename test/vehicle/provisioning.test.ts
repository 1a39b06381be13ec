/** Provisioning of a vehicle and a Secondary: what is refused, and the earliest time that they accept. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openFileSecondary, provisionVehicle, vehicleFiles } from '../../src/vehicle/index.js';
import { temporaryDirectory } from '../support/servers.js';
import {
  describeVehicle,
  ECUS,
  NOW,
  startUptaneVehicle,
  UptaneWorld,
} from './support/uptane-world.js';

let world: UptaneWorld;
let directory: string;

beforeAll(async () => {
  world = await new UptaneWorld().start();
});
afterAll(() => world.close());
beforeEach(() => {
  directory = temporaryDirectory('provisioning');
});

test.each<[string, object, RegExp]>([
  ['no Primary', { ecus: [{ name: 'HU', ...ECUS.HU }] }, /exactly one ECU must have "isPrimary": true, not 0/],
  ['a Primary by another name', { ecus: [{ name: 'HU', ...ECUS.HU, isPrimary: true }] }, /must be OTA-MANAGER/],
  ['one serial twice', { ecus: [{ name: 'OTA-MANAGER', ...ECUS.HU, isPrimary: true }, { name: 'HU', ...ECUS.HU }] }, /two ECUs have the serial ecu-1/],
  ['no VIN', { vin: 'x' }, /\/vin/],
  ['a member that is none', { colour: 'red' }, /colour|additional/],
])('%s is refused, and nothing is provisioned', (_what, change, message) => {
  const vehicle = { ...(JSON.parse(describeVehicle().toString()) as object), ...change };
  const description = Buffer.from(JSON.stringify(vehicle));
  expect(() => provisionVehicle(directory, description, world.trust)).toThrow(message);
  expect(existsSync(vehicleFiles(directory).description)).toBe(false);
}); // prettier-ignore

test('the error names each missing or invalid file', () => {
  expect(() => openFileSecondary({ directory })).toThrow(/ecu\.json is missing: it has not been provisioned/);
  const wrong = { ...world.trust, timeKeys: Buffer.from('[{}]') };
  const description = describeVehicle();
  expect(() => provisionVehicle(directory, description, wrong)).toThrow(/the time keys: key 1 is not/);
  const noRoot = { ...world.trust, directorRoot: Buffer.from('{}') };
  expect(() => provisionVehicle(directory, description, noRoot)).toThrow(/director repository, root: signatures is missing/);
  provisionVehicle(directory, description, world.trust);
  expect(() => provisionVehicle(directory, description, world.trust)).toThrow(/already provisioned/);
  expect(() => startUptaneVehicle(world, { directory: temporaryDirectory('empty') })).toThrow(/vehicle\.json is missing/);
  writeFileSync(join(directory, 'primary', 'key.pem'), 'x');
  expect(() => startUptaneVehicle(world, { directory })).toThrow(/key\.pem is not the key of an ECU/);
}); // prettier-ignore

test('no ECU accepts a time before its provisioning', () => {
  provisionVehicle(directory, describeVehicle(), world.trust);
  const floors = [join(directory, 'primary'), vehicleFiles(directory).ecu(ECUS.HU.serial)].map(
    (folder) => JSON.parse(readFileSync(join(folder, 'time.json'), 'utf8')) as object,
  );
  expect(floors).toEqual([{ floor: NOW.getTime() - 1_000 }, { floor: NOW.getTime() - 1_000 }]);
});
