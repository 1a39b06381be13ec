/**
 * Bad servers, unsuitable scripts and full disks: the vehicle ends up on working software. Attacks:
 * uptane-attacks.test.ts.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { HttpDownloads } from '../../src/vehicle/index.js';
import { sampleOf } from '../support/depth.js';
import { temporaryDirectory } from '../support/servers.js';
import { type Fault } from './support/carota-double.js';
import { MODEL } from './support/platform-double.js';
import { softwareOf } from './support/software.js';
import { startVehicle, type TestVehicleOptions } from './support/test-vehicle.js';
import { updatesOf } from './support/updates.js';

const SOFTWARE = softwareOf(3_000_000);
const { carota, scriptOf } = await updatesOf(SOFTWARE);

/** Sends one trigger. @returns its result, and the software that runs afterwards */
async function updated(options: Partial<TestVehicleOptions> = {}, scriptRefId = 'hu only 001') {
  const v = startVehicle({ carota, ...options });
  await v.update(scriptRefId);
  const outcome = {
    ends: v.platform.statuses.at(-1),
    reason: v.platform.meta(),
    runs: await v.runs(),
  };
  await v.stop();
  return outcome;
}

/** Detects a stalled server soon. */
const impatient = { slowest: { bytes: 1_000, seconds: 0.5 } };

describe('a server that', () => {
  beforeEach(() => carota.publish(scriptOf()));

  test.each(
    sampleOf<[string, Fault]>(
      [
        ['breaks off twice', { kind: 'truncate', after: 1_200_000, times: 2 }],
        ['stalls once', { kind: 'stall', after: 1_500_000, times: 1 }],
        ['answers 500 twice', { kind: 'status', status: 500, times: 2 }],
        ['answers 416 once', { kind: 'status', status: 416, times: 1 }],
        ['answers 403 once, as for an expired URL', { kind: 'status', status: 403, times: 1 }],
        ['knows no ranges', { kind: 'no ranges', after: 1_200_000 }],
      ],
      3,
    ),
  )('%s: the update still succeeds', async (_what, fault) => {
    carota.fault = fault;
    expect(await updated(impatient)).toEqual({ ends: 'success', reason: undefined, runs: '1.1.0' });
  });

  test.each(
    sampleOf<[string, Fault, string, RegExp]>(
      [
        [
          'always closes the connection at the same offset',
          { kind: 'truncate', after: 0, times: 99 },
          'download_fail',
          /connection|terminated|socket|closed/,
        ],
        [
          'always stalls',
          { kind: 'stall', after: 0, times: 99 },
          'download_fail',
          /the server has stalled, 3 times/,
        ],
        [
          'always answers 404',
          { kind: 'status', status: 404, times: 99 },
          'download_fail',
          /HTTP 404, 3 times/,
        ],
        [
          'always answers 416',
          { kind: 'status', status: 416, times: 99 },
          'download_fail',
          /HTTP 416, 3 times/,
        ],
        [
          'always answers 500',
          { kind: 'status', status: 500, times: 99 },
          'download_fail',
          /HTTP 500, 3 times/,
        ],
        [
          'answers with an unexpected status',
          { kind: 'status', status: 302, times: 99 },
          'download_fail',
          /HTTP 302/,
        ],
        [
          'serves a longer file',
          { kind: 'length', by: 5 },
          'download_fail',
          /wrong length: the server has 3000005 bytes, the script says 3000000/,
        ],
        [
          'serves a shorter file',
          { kind: 'length', by: -5 },
          'download_fail',
          /wrong length: the server has 2999995/,
        ],
        [
          'corrupts a byte',
          { kind: 'corrupt' },
          'md5_check_fail',
          /the MD5 of the download is [0-9a-f]{32}, the script says/,
        ],
        [
          'changes the file during the download',
          { kind: 'changed', after: 1_500_000 },
          'md5_check_fail',
          /the MD5 of the download/,
        ],
      ],
      3,
    ),
  )('%s: the update ends with the reason', async (_what, fault, ends, reason) => {
    carota.fault = fault;
    expect(await updated(impatient)).toEqual({
      ends,
      reason: expect.stringMatching(reason),
      runs: '1.0.0',
    });
  });

  test('closes the connection: only the remaining bytes are requested', async () => {
    carota.fault = { kind: 'truncate', after: 2_000_000, times: 1 };
    await updated();
    const [first, second] = carota.requests;
    expect(first?.range).toBeUndefined();
    const from = Number(/^bytes=(\d+)-$/.exec(second?.range ?? '')?.[1]);
    expect(from).toBeGreaterThan(1_000_000);
    expect((second?.bytes ?? 0) + from).toBe(SOFTWARE.length);
  });

  test('rejects an expired URL: the vehicle requests a new one', async () => {
    carota.fault = { kind: 'status', status: 403, times: 1 };
    const artifact = carota.artifact(SOFTWARE);
    const asked: boolean[] = [];
    const downloads = new HttpDownloads({
      directory: temporaryDirectory('downloads'),
      locate: (_what, fresh) => {
        asked.push(fresh);
        const { sha256 } = artifact;
        return Promise.resolve(`${carota.url}/image/targets/artifacts/${sha256}.${sha256}`);
      },
      pauseMs: 5,
    });
    const { signal } = new AbortController();
    await downloads.download({ scriptRefId: 's', artifact, onProgress: () => undefined, signal });
    expect(asked).toEqual([false, true]);
    expect(await downloads.fault(artifact, signal)).toBeUndefined();
  });
});

describe('a script that', () => {
  const refused = { ends: 'pki_check_fail', runs: '1.0.0' };

  test('is for another model is refused', async () => {
    carota.publish(scriptOf({ model: 'vehicle model b' }));
    const outcome = await updated();
    expect(outcome).toMatchObject(refused);
    expect(outcome.reason).toBe(`the script is for model 'vehicle model b', this is '${MODEL}'`);
  });

  test('has another name than requested is refused, even if signed correctly', async () => {
    carota.publish(scriptOf({ 'script-ref-id': 'another' }), 'hu only 001');
    const outcome = await updated();
    expect(outcome).toMatchObject(refused);
    expect(outcome.reason).toBe("the update script calls itself 'another', not 'hu only 001'");
  });

  test.each([
    ['no script', '{ "nothing": true }', /^the update script is not valid: \/\S+ is missing$/],
    ['no JSON', 'radio 1', /^the update script is not JSON: /],
  ])('is %s is refused', async (_what, text, reason) => {
    carota.publishBytes('hu only 001', Buffer.from(text), scriptOf());
    const outcome = await updated();
    expect(outcome).toMatchObject(refused);
    expect(outcome.reason).toMatch(reason);
  });

  test('is older than the running version is refused, unless it allows the downgrade', async () => {
    carota.publish(scriptOf());
    expect(await updated({ ecus: { HU: '2.0.0' } })).toEqual({
      ends: 'failure',
      reason: 'HU runs 2.0.0: 1.1.0 is older, and the script does not allow a downgrade',
      runs: '2.0.0',
    });
    carota.publish(scriptOf({ 'script-ref-id': 'back', downgrade: true }));
    expect(await updated({ ecus: { HU: '2.0.0' } }, 'back')).toMatchObject({
      ends: 'success',
      runs: '1.1.0',
    });
  });

  test('does not start from the running version is refused', async () => {
    const artifact = carota.artifact(SOFTWARE);
    carota.publish(
      scriptOf({ ecus: [{ ecu: 'HU', version: '1.1.0', from: ['1.0.5', '0.9.*'], artifact }] }),
    );
    expect(await updated()).toMatchObject({
      ends: 'failure',
      reason: 'HU runs 1.0.0: 1.1.0 may be installed from 1.0.5, 0.9.* only',
    });
  });

  test('conflicts with another ECU’s software is refused', async () => {
    const artifact = carota.artifact(SOFTWARE);
    const scriptWith = (versions: string[]) =>
      scriptOf({
        ecus: [{ ecu: 'HU', version: '1.1.0', conflicts: [{ ecu: 'TCU', versions }], artifact }],
      });
    carota.publish(scriptWith(['1.0.*']));
    expect(await updated({ ecus: { HU: '1.0.0', TCU: '1.0.7' } })).toMatchObject({
      ends: 'failure',
      reason: 'HU 1.1.0 conflicts with TCU 1.0.*: it would have 1.0.7',
      runs: '1.0.0',
    });
    carota.publish({ ...scriptWith(['2.*']), 'script-ref-id': 'fits' });
    expect(await updated({ ecus: { HU: '1.0.0', TCU: '1.0.7' } }, 'fits')).toMatchObject({
      ends: 'success',
      runs: '1.1.0',
    });
  });

  test('names an ECU that the vehicle does not have is refused', async () => {
    const artifact = carota.artifact(SOFTWARE);
    carota.publish(scriptOf({ ecus: [{ ecu: 'XYZ', version: '1.1.0', artifact }] }));
    expect(await updated()).toMatchObject({
      ends: 'failure',
      reason: 'there is no ECU XYZ in this vehicle',
    });
  });
});

describe('a vehicle', () => {
  beforeEach(() => carota.publish(scriptOf()));

  test('with a full disk downloads nothing', async () => {
    const outcome = await updated({ freeBytes: () => Promise.resolve(5_000_000) });
    expect(outcome).toMatchObject({ ends: 'download_fail', runs: '1.0.0' });
    expect(outcome.reason).toMatch(/^the disk is full: \d+ bytes are needed, 5000000 are free$/);
    expect(carota.requests).toEqual([]);
  });
});
