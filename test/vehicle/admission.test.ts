/**
 * A vehicle asks for admission before it downloads and before it installs, and follows the answer (contract section
 * 10).
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { softwareOf } from './support/software.js';
import { ADMITTED, startUptaneVehicle, UptaneWorld } from './support/uptane-world.js';
import { until } from './support/until.js';

const BILL = { HU: { version: '1.1.0', content: softwareOf(20_000), counter: 5 } };
const later = (retryAfter: number) => ({
  status: 200,
  body: { admitted: false, retryAfter, reason: '100 vehicles are exposed and undecided' },
});
const refusal = (status: number, errorCode: string, errorMessage: string) => ({
  status,
  body: { title: 'x', status, errorCode, errorMessage },
});

let world: UptaneWorld;
beforeEach(async () => {
  world = await new UptaneWorld().start();
});
afterEach(() => world.close());

/** Indexes, among all requests, of those for admission; `downloads` likewise. */
const asked = () =>
  world.allRequests.flatMap((path, place) => (path.endsWith('/admission') ? [place] : []));
const downloads = () =>
  world.allRequests.flatMap((path, place) =>
    path.includes('/image/targets/artifacts/') ? [place] : [],
  );

async function update(admissions: UptaneWorld['admissions']) {
  world.admissions = admissions;
  world.update('hu only 001', BILL);
  const vehicle = startUptaneVehicle(world);
  await vehicle.update('hu only 001');
  const { statuses } = vehicle.platform;
  await vehicle.stop();
  return { statuses, vehicle };
}

test('a vehicle asks before the download, and once more before the installation', async () => {
  const { statuses } = await update([ADMITTED]);
  expect(statuses.at(-1)).toBe('success');
  expect(asked()).toHaveLength(2);
  const [first = NaN, second = NaN] = asked();
  const [download = NaN] = downloads();
  expect(first).toBeLessThan(download);
  expect(second).toBeGreaterThan(downloads().at(-1) ?? NaN);
  expect(world.allRequests[first]).toMatch(
    /^POST \/v1\.0\/schedules\/[^/]+\/vehicles\/[A-Z0-9]{17}\/admission$/,
  );
});

test('a vehicle waits until it is admitted, and downloads nothing before that', async () => {
  const { statuses } = await update([later(0), later(0), ADMITTED]);
  expect(statuses.at(-1)).toBe('success');
  expect(asked()).toHaveLength(4);
  expect(downloads()[0]).toBeGreaterThan(asked()[2] ?? NaN);
});

test.each<[what: string, answer: UptaneWorld['admissions'][number]]>([
  ['a server error', { status: 503, body: 'x' }],
  ['a 404 that is not ours', { status: 404, body: '<html>' }],
  ['a revoked token', refusal(401, 'UNAUTHORIZED', 'no such token')],
  ['what is no JSON', { status: 200, body: 'welcome to our WLAN' }],
  ['other JSON', { status: 200, body: { admitted: 'yes' } }],
])('after %s, a vehicle asks again', async (_what, answer) => {
  const { statuses } = await update([answer, answer, ADMITTED]);
  expect(statuses.at(-1)).toBe('success');
  expect(asked()).toHaveLength(4);
});

test('a vehicle downloads nothing if the schedule has ended before the download', async () => {
  const { statuses, vehicle } = await update([
    refusal(409, 'SCHEDULE_STATUS', 'the schedule is stopped: 3 vehicles failed'),
  ]);
  expect(statuses.at(-1)).toBe('cancel');
  expect(vehicle.platform.meta('reason')).toBe('the schedule is stopped: 3 vehicles failed');
  expect(downloads()).toEqual([]);
});

test('a vehicle installs nothing if the schedule has ended before the installation', async () => {
  const { statuses } = await update([
    ADMITTED,
    refusal(409, 'SCHEDULE_STATUS', 'the schedule is stopped'),
  ]);
  expect(statuses).toContain('md5_check_success');
  expect(statuses).not.toContain('reboot');
  expect(statuses.at(-1)).toBe('cancel');
});

test('the update fails if the vehicle is not in the schedule', async () => {
  const { statuses } = await update([refusal(404, 'VEHICLE_NOT_FOUND', 'not in this schedule')]);
  expect(statuses.at(-1)).toBe('failure');
});

test('the user may cancel while the vehicle waits', async () => {
  world.admissions = [later(600)];
  world.update('hu only 001', BILL);
  const vehicle = startUptaneVehicle(world);
  const updated = vehicle.update('hu only 001');
  await until(() => asked().length > 0);
  vehicle.runner.cancel('by the user');
  await updated;
  expect(vehicle.platform.statuses.at(-1)).toBe('cancel');
  await vehicle.stop();
});
