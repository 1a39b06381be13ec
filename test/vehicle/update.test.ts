/** A real update: real files are downloaded, verified, installed, started, and rolled back if necessary. */
import { describe, expect, test } from 'vitest';
import { takingTurns } from '../support/depth.js';
import { metaOf } from './support/platform-double.js';
import { slow } from './support/slow-installer.js';
import { softwareOf } from './support/software.js';
import { SUCCESS } from './support/statuses.js';
import { until } from './support/until.js';
import { updatesOf } from './support/updates.js';

/** Tests with siblings on the same subject take turns. */
const isTurn = takingTurns(2);

const SOFTWARE = softwareOf(300_000);
const { carota, scriptOf, vehicle } = await updatesOf(SOFTWARE);

test('a trigger leads to an acknowledgement, the events of an update, and new software', async () => {
  // Large enough to need several reads from the network (300 KB each on Node.js 24).
  const software = softwareOf(3_000_000);
  const v = vehicle({ pace: { progressPercent: 20 } }, scriptOf({}, software));
  await v.update();
  expect(v.platform.messages[0]?.message_type).toBe('OTA_TRIGGER_ACK');
  expect(v.platform.statuses).toEqual(SUCCESS);
  const percents = v.platform.events
    .map(({ body }) => metaOf(body.meta, 'download'))
    .filter(Boolean);
  expect(percents.length).toBeGreaterThan(1);
  expect(percents.length).toBeLessThanOrEqual(6);
  expect(v.platform.meta('version:HU')).toBe('1.1.0');
  expect(await v.runs()).toBe('1.1.0');
  expect(v.software('HU', 'b').equals(software)).toBe(true);
  expect(v.software('HU', 'a').toString()).toBe('1.0.0');
  const times = v.platform.events.map(({ body }) => body.timestamp);
  expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
  await v.stop();
});

test('ECUs are updated in dependency order, skipping those already up to date', async () => {
  const order: string[] = [];
  const artifact = carota.artifact(SOFTWARE);
  const v = vehicle(
    {
      ecus: { HU: '1.0.0', TCU: '1.0.0', GW: '2.0.0' },
      installer: (real) => ({
        version: (ecu) => real.version(ecu),
        async install(update, file, signal) {
          order.push(update.ecu);
          await real.install(update, file, signal);
        },
        activate: (update) => real.activate(update),
        check: (ecu, signal) => real.check(ecu, signal),
        confirm: (update) => real.confirm(update),
        revert: (update) => real.revert(update),
      }),
    },
    scriptOf({
      ecus: [
        { ecu: 'HU', version: '1.1.0', artifact, after: ['GW'] },
        { ecu: 'TCU', version: '1.1.0', artifact },
        { ecu: 'GW', version: '2.1.0', artifact, after: ['TCU'] },
      ],
    }),
  );
  await v.update();
  expect(order).toEqual(['TCU', 'GW', 'HU']);
  expect(v.platform.statuses).toEqual(SUCCESS);
  expect(carota.requests).toHaveLength(1);
  expect([await v.runs('HU'), await v.runs('TCU'), await v.runs('GW')]).toEqual([
    '1.1.0',
    '1.1.0',
    '2.1.0',
  ]);
  await v.stop();
});

describe('repeated triggers', () => {
  test('the same trigger gets the same acknowledgement and no second update', async () => {
    const v = vehicle();
    const id = crypto.randomUUID();
    v.platform.trigger('hu only 001', id);
    v.platform.trigger('hu only 001', id);
    await v.agent.idle();
    v.platform.trigger('hu only 001', id);
    await v.agent.idle();
    const acks = v.platform.messages.filter(
      ({ message_type }) => message_type === 'OTA_TRIGGER_ACK',
    );
    expect(acks.length).toBeGreaterThanOrEqual(2);
    expect(new Set(acks.map(({ message_id }) => message_id)).size).toBe(1);
    expect(v.platform.statuses).toEqual(SUCCESS);
    await v.stop();
  });

  test('a new trigger for installed software succeeds at once, with the reason', async () => {
    const v = vehicle();
    await v.update();
    await v.update();
    expect(v.platform.statuses).toEqual([...SUCCESS, 'received', 'pki_check_success', 'success']);
    expect(v.platform.meta()).toBe('all versions are already installed');
    await v.stop();
  });

  test.runIf(isTurn())('two simultaneous triggers are processed one after the other', async () => {
    const v = vehicle();
    const second = scriptOf({
      'script-ref-id': 'hu only 002',
      ecus: [{ ecu: 'HU', version: '1.2.0', artifact: carota.artifact(softwareOf(1_000)) }],
    });
    carota.publishAfter(scriptOf(), second);
    v.platform.trigger('hu only 001');
    v.platform.trigger('hu only 002');
    await v.agent.idle();
    expect(v.platform.statuses).toEqual([...SUCCESS, ...SUCCESS]);
    expect(await v.runs()).toBe('1.2.0');
    await v.stop();
  });
});

describe('software that fails its health check', () => {
  const sick = (...versions: string[]) => ({
    health: (version: string) =>
      versions.includes(version)
        ? Promise.reject(new Error('no answer from it'))
        : Promise.resolve(),
  });

  test('is rolled back to the previous software', async () => {
    const v = vehicle(sick('1.1.0'));
    await v.update();
    expect(v.platform.statuses).toEqual([...SUCCESS.slice(0, -1), 'failure', 'rollback_success']);
    expect(v.platform.meta()).toBe('HU: no answer from it');
    expect(await v.runs()).toBe('1.0.0');
    await v.stop();
  });

  test.runIf(isTurn())(
    'is reported as rollback_fail if the previous software is unhealthy too',
    async () => {
      const v = vehicle(sick('1.1.0', '1.0.0'));
      await v.update();
      expect(v.platform.statuses.slice(-2)).toEqual(['failure', 'rollback_fail']);
      expect(v.platform.meta()).toMatch(/no answer from it; then the previous software: HU/);
      await v.stop();
    },
  );

  test.runIf(isTurn())('stays if the script does not allow a rollback', async () => {
    const v = vehicle(sick('1.1.0'), scriptOf({ rollback: false }));
    await v.update();
    expect(v.platform.statuses.at(-1)).toBe('failure');
    expect(await v.installer.version('HU')).toBe('1.1.0');
    await v.stop();
  });

  test.runIf(isTurn())('is rolled back at the timeout if its check hangs', async () => {
    const v = vehicle({
      health: (version, signal) =>
        version === '1.1.0'
          ? new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => reject(signal.reason as Error));
            })
          : Promise.resolve(),
      pace: { checkSeconds: 0.3 },
    });
    await v.update();
    expect(v.platform.statuses.slice(-2)).toEqual(['failure', 'rollback_success']);
    expect(v.platform.meta()).toBe('HU: no health in 0.3 s');
    await v.stop();
  });

  test.runIf(isTurn())(
    'is kept if it is healthy but cannot be confirmed, and the report says so',
    async () => {
      const v = vehicle({
        installer: (real) => ({
          ...slow(real, 0),
          confirm: () => Promise.reject(new Error('boot loader does not answer')),
        }),
      });
      await v.update();
      expect(v.platform.statuses).toEqual(SUCCESS);
      expect(v.platform.meta('not-confirmed')).toBe('boot loader does not answer');
      expect(await v.runs()).toBe('1.1.0');
      await v.stop();
    },
  );

  test.runIf(isTurn())('is rolled back on all ECUs if one is unhealthy', async () => {
    const artifact = carota.artifact(SOFTWARE);
    const v = vehicle(
      { ecus: { HU: '1.0.0', TCU: '1.0.1' }, ...sick('2.0.0') },
      scriptOf({
        ecus: [
          { ecu: 'HU', version: '1.1.0', artifact },
          { ecu: 'TCU', version: '2.0.0', artifact },
        ],
      }),
    );
    await v.update();
    expect(v.platform.statuses.at(-1)).toBe('rollback_success');
    expect([await v.runs('HU'), await v.runs('TCU')]).toEqual(['1.0.0', '1.0.1']);
    await v.stop();
  });

  test.runIf(isTurn())('leaves the old software running if its installation fails', async () => {
    const v = vehicle({
      installer: (real) => ({
        ...slow(real, 0),
        install: () => Promise.reject(new Error('flash write error at 0x100')),
      }),
    });
    await v.update();
    expect(v.platform.statuses.slice(-2)).toEqual(['failure', 'rollback_success']);
    expect(v.platform.meta()).toBe('HU 1.1.0: flash write error at 0x100');
    expect(await v.runs()).toBe('1.0.0');
    await v.stop();
  });
});

test('reports made while the vehicle is offline are sent later, in order', async () => {
  const v = vehicle();
  v.platform.trigger('hu only 001');
  await v.agent.goOffline();
  await until(() => v.runner.current === undefined && v.platform.messages.length < 3);
  await until(async () => (await v.installer.version('HU')) === '1.1.0');
  expect(v.platform.events).toEqual([]);
  v.agent.goOnline();
  await v.agent.idle();
  expect(v.platform.statuses).toEqual(SUCCESS);
  await v.stop();
});

test('a vehicle refuses a script that the Director has not ordered', async () => {
  const v = vehicle();
  v.platform.trigger('unknown script');
  await v.agent.idle();
  expect(v.platform.statuses).toEqual(['failure']);
  expect(v.platform.meta()).toBe(
    "the Director orders the script 'hu only 001', not 'unknown script'",
  );
  expect(await v.runs()).toBe('1.0.0');
  await v.stop();
});
