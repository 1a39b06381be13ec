/** Bad servers, forged scripts, full disks, wrong clocks: each leads to the right result and leaves working software. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type UpdateScript } from '../../src/update-script/index.js';
import { DAY_MS, newAuthority, newSigner } from '../support/certificates.js';
import {
  type CarotaDouble,
  type Fault,
  softwareOf,
  startCarotaDouble,
} from './support/carota-double.js';
import { MODEL, startVehicle, type TestVehicleOptions } from './support/test-vehicle.js';

let carota: CarotaDouble;
beforeAll(async () => {
  carota = await startCarotaDouble();
});
afterAll(() => carota.close());
beforeEach(() => {
  carota.fault = undefined;
  carota.requests.length = 0;
});

const SOFTWARE = softwareOf(3_000_000);

function scriptOf(fields: Partial<UpdateScript> = {}): UpdateScript {
  return {
    version: 'v1',
    'script-ref-id': 'hu only 001',
    model: MODEL,
    ecus: [{ ecu: 'HU', version: '1.1.0', artifact: carota.artifact(SOFTWARE) }],
    ...fields,
  };
}

/** One trigger, its result, and the software that runs afterwards. */
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

describe('a server that', () => {
  beforeEach(() => carota.publish(scriptOf()));

  test.each<[string, Fault]>([
    ['breaks off twice', { kind: 'truncate', after: 1_200_000, times: 2 }],
    ['stalls once', { kind: 'stall', after: 1_500_000, times: 1 }],
    ['answers 500 twice', { kind: 'status', status: 500, times: 2 }],
    ['answers 416 once', { kind: 'status', status: 416, times: 1 }],
    ['answers 403 once, as for an expired URL', { kind: 'status', status: 403, times: 1 }],
    ['knows no ranges', { kind: 'no ranges', after: 1_200_000 }],
  ])('%s: the update succeeds all the same', async (_what, fault) => {
    carota.fault = fault;
    expect(await updated()).toEqual({ ends: 'success', reason: undefined, runs: '1.1.0' });
  });

  test.each<[string, Fault, string, RegExp]>([
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
  ])('%s: it ends with the reason', async (_what, fault, ends, reason) => {
    carota.fault = fault;
    expect(await updated()).toEqual({ ends, reason: expect.stringMatching(reason), runs: '1.0.0' });
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

  test('rejects an expired URL is asked for a new one', async () => {
    carota.fault = { kind: 'status', status: 403, times: 1 };
    await updated();
    const [first, second] = carota.requests.map(({ path }) => path.split('?')[1]);
    expect(first).not.toBe(second);
  });
});

describe('a script that', () => {
  const refused = { ends: 'pki_check_fail', runs: '1.0.0' };

  test('a foreign authority has signed is rejected', async () => {
    const foreign = await newAuthority('anchor');
    await carota.publish(scriptOf(), await newSigner(foreign));
    const outcome = await updated();
    expect(outcome).toMatchObject(refused);
    expect(outcome.reason).toMatch(/does not lead to a trust anchor/);
  });

  test('an expired certificate has signed is rejected', async () => {
    const [from, to] = [Date.now() - 9 * DAY_MS, Date.now() - DAY_MS];
    await carota.publish(scriptOf(), await newSigner(carota.anchor, { from, to }), from + DAY_MS);
    const outcome = await updated();
    expect(outcome).toMatchObject(refused);
    expect(outcome.reason).toMatch(/expired on/);
  });

  test('is for another model is rejected', async () => {
    await carota.publish(scriptOf({ model: 'vehicle model b' }));
    const outcome = await updated();
    expect(outcome).toMatchObject(refused);
    expect(outcome.reason).toBe(`the script is for model 'vehicle model b', this is '${MODEL}'`);
  });

  test('is not the requested one is rejected, even if properly signed', async () => {
    await carota.publish(scriptOf({ 'script-ref-id': 'another' }));
    const delivery = await fetch(`${carota.url}/v1.0/update-scripts/another/delivery`);
    carota.answer('hu only 001', ((await delivery.json()) as { script: string }).script);
    const outcome = await updated();
    expect(outcome).toMatchObject(refused);
    expect(outcome.reason).toBe("this is script 'another', not 'hu only 001'");
  });

  test('is malformed ends in failure', async () => {
    carota.answer('hu only 001', { nothing: true });
    const outcome = await updated();
    expect(outcome).toMatchObject({ ends: 'failure', runs: '1.0.0' });
    expect(outcome.reason).toMatch(/not an update script/);
  });

  test('is older than the running software is rejected, unless it allows the downgrade', async () => {
    await carota.publish(scriptOf());
    expect(await updated({ ecus: { HU: '2.0.0' } })).toEqual({
      ends: 'failure',
      reason: 'HU runs 2.0.0: 1.1.0 is older, and the script does not allow a downgrade',
      runs: '2.0.0',
    });
    await carota.publish(scriptOf({ 'script-ref-id': 'back', downgrade: true }));
    expect(await updated({ ecus: { HU: '2.0.0' } }, 'back')).toMatchObject({
      ends: 'success',
      runs: '1.1.0',
    });
  });

  test('does not permit the running version as a start is rejected', async () => {
    const artifact = carota.artifact(SOFTWARE);
    await carota.publish(
      scriptOf({ ecus: [{ ecu: 'HU', version: '1.1.0', from: ['1.0.5', '0.9.*'], artifact }] }),
    );
    expect(await updated()).toMatchObject({
      ends: 'failure',
      reason: 'HU runs 1.0.0: 1.1.0 may be installed from 1.0.5, 0.9.* only',
    });
  });

  test('names an ECU that the vehicle does not have is rejected', async () => {
    const artifact = carota.artifact(SOFTWARE);
    await carota.publish(scriptOf({ ecus: [{ ecu: 'XYZ', version: '1.1.0', artifact }] }));
    expect(await updated()).toMatchObject({
      ends: 'failure',
      reason: 'there is no ECU XYZ in this vehicle',
    });
  });
});

describe('a vehicle', () => {
  beforeEach(() => carota.publish(scriptOf()));

  test('with a full disk downloads nothing', async () => {
    const outcome = await updated({ downloads: { freeBytes: () => Promise.resolve(5_000_000) } });
    expect(outcome).toMatchObject({ ends: 'download_fail', runs: '1.0.0' });
    expect(outcome.reason).toMatch(/^the disk is full: \d+ bytes are needed, 5000000 are free$/);
    expect(carota.requests).toEqual([]);
  });

  test('whose clock says 1970 does not adopt the time of the trigger, and reports this', async () => {
    const v = startVehicle({ carota, clock: () => 1_000 });
    v.platform.trigger('hu only 001');
    await v.agent.idle();
    expect(v.platform.statuses.at(-1)).toBe('pki_check_fail');
    expect(v.platform.meta()).toMatch(/the clock says 1970-01-01/);
    expect(await v.runs()).toBe('1.0.0');
    await v.stop();
  });
});
