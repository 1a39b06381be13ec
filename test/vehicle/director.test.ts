/** The vehicle and the CarOTA Server's Director: provisioning, registration, order, update, manifest. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  AutomaticConsent,
  openVehicle,
  provisionVehicle,
  type RealVehicle,
} from '../../src/vehicle/index.js';
import { eventOf, MODEL } from '../carota/support/test-carota.js';
import { DirectorWorld, serveBoth } from '../carota/support/test-director.js';
import { temporaryDirectory } from '../support/servers.js';
import { IDENTITY, PlatformDouble } from './support/platform-double.js';
import { SUCCESS } from './support/statuses.js';

const { vin } = IDENTITY;

let world: DirectorWorld;
let images: Awaited<ReturnType<typeof serveBoth>>;
beforeAll(async () => {
  world = await DirectorWorld.start();
  images = await serveBoth(world);
});
afterAll(async () => {
  await images.close();
  await world.stop();
});

let directory: string;
let vehicle: RealVehicle;
let platform: PlatformDouble;

async function provision(): Promise<void> {
  directory = temporaryDirectory('vehicle-at-director');
  const ecu = (serial: string, name: string, hardwareId: string) => ({ serial, name, hardwareId });
  const description = {
    vin,
    ecus: [
      { ...ecu('P-1', 'OTA-MANAGER', 'hw-primary'), isPrimary: true },
      { ...ecu('H-1', 'HU', 'hw-hu'), version: '1.0.0' },
      { ...ecu('T-1', 'TCU', 'hw-tcu'), version: '1.0.0', verification: 'partial' },
    ],
  };
  const metadata = join(world.carota.dataDir, 'director', 'metadata');
  const inventory = provisionVehicle(directory, Buffer.from(JSON.stringify(description)), {
    directorRoot: readFileSync(join(metadata, '1.root.json')),
    imageRoot: world.repository.rootBytes,
    timeKeys: readFileSync(join(metadata, 'time-keys.json')),
    now: Date.now() - 1_000,
  });
  await world.carota.call('PUT', `/v1.0/vehicles/${vin}`, { body: { model: MODEL } });
  // The inventory accepts what provisioning prints.
  const body = { ecus: inventory };
  const answer = await world.carota.call('PUT', `/v1.0/vehicles/${vin}/ecus`, { body });
  expect(answer.status).toBe(200);
}

async function start(): Promise<void> {
  const body = { name: 'a vehicle', role: 'vehicle', vin };
  const { token } = (await world.carota.call('POST', '/v1.0/tokens', { body })).body;
  platform = new PlatformDouble();
  vehicle = openVehicle({
    identity: IDENTITY,
    model: MODEL,
    link: platform,
    directory,
    carotaUrl: world.carota.carota.httpUrl,
    imageUrl: images.imageUrl,
    carotaToken: token,
    consent: new AutomaticConsent(true),
    pace: { progressSeconds: 0, checkSeconds: 60 },
    patience: { attempts: 2, pauseMs: 10 },
  });
  vehicle.agent.goOnline();
}

async function trigger(scriptRefId: string): Promise<string[]> {
  const before = platform.statuses.length;
  platform.trigger(scriptRefId);
  await vehicle.agent.idle();
  return platform.statuses.slice(before);
}

beforeEach(async () => {
  await world.publish({ scriptRefId: 'at-director', images: { HU: 'radio', TCU: 'modem' } });
});
afterEach(() => vehicle.stop());

test('a vehicle updates as ordered, keeps its state after a forged trigger, and reports an attack to the metrics', async () => {
  await provision();
  await start();
  const refId = await world.schedule('at-director', [vin]);
  platform.refId = refId;
  expect(await trigger('at-director')).toEqual(SUCCESS);
  await world.carota.callBack([eventOf({ refId, vin, status: 'success' })]);
  // After the update the Director orders nothing more; the forged trigger does not change the result.
  expect(await trigger('at-director')).toEqual(['success']);
  const { ecus } = await world.ecus(vin);
  expect(ecus.map(({ standing }: any) => standing)).toEqual(Array(3).fill('as-ordered'));
  // An attacker with the image repository's online keys publishes older versions.
  const updates = { HU: { version: '1.2.0' } };
  await world.publish({ scriptRefId: 'next', images: { HU: 'radio 2' }, updates });
  const second = await world.schedule('next', [vin]);
  platform.refId = second;
  const { timestamp } = world.repository.roles;
  const honest = timestamp.version;
  timestamp.version = 1;
  world.repository.publish();
  expect(await trigger('next')).toEqual(['pki_check_fail']);
  expect(platform.meta('attack')).toBe('rollback');
  timestamp.version = honest + 1;
  world.repository.publish();
  expect(await trigger('next')).toEqual(SUCCESS);
  await world.carota.callBack([eventOf({ refId: second, vin, status: 'success' })]);
  expect(await world.metric('otaops_carota_attack_reports_total', '{attack="rollback"}')).toBe(1);
});
