/** An update ordered by the Director, from trigger to new software: requests, checks and reports. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { must } from '../uptane/support/must.js';
import { softwareOf } from './support/software.js';
import { metaOf } from './support/platform-double.js';
import { SUCCESS } from './support/statuses.js';
import { until } from './support/until.js';
import {
  describeVehicle,
  imageName,
  scriptPath,
  startUptaneVehicle,
  UptaneWorld,
  VIN,
} from './support/uptane-world.js';

const HU = { HU: { version: '1.1.0', content: softwareOf(200_000) } };

let world: UptaneWorld;
beforeEach(async () => {
  world = await new UptaneWorld().start();
});
afterEach(() => world.close());

const running = (directory: string, ecu: string) => {
  const folder = join(directory, 'ecus', ecu);
  const { active } = JSON.parse(readFileSync(join(folder, 'boot.json'), 'utf8')) as {
    active: string;
  };
  return readFileSync(join(folder, active, 'software'));
};

test('a trigger makes the vehicle fetch, verify, install and report', async () => {
  world.update('hu only 001', HU);
  const v = startUptaneVehicle(world);
  await v.update('hu only 001');
  expect(v.platform.statuses).toEqual(SUCCESS);
  expect(v.platform.meta('version:HU')).toBe('1.1.0');
  expect(running(v.directory, 'HU').equals(HU.HU.content)).toBe(true);
  // In the standard's order; for root the next version is requested.
  const director = `/director/${VIN}`;
  expect(world.requests.map((path) => path.replace(/[0-9a-f]{64}/, 'HASH'))).toEqual([
    `POST ${director}/time`,
    `POST ${director}/manifest`,
    `${director}/2.root.json`,
    `${director}/timestamp.json`,
    `${director}/1.snapshot.json`,
    `${director}/1.targets.json`,
    '/image/metadata/2.root.json',
    '/image/metadata/timestamp.json',
    '/image/metadata/1.snapshot.json',
    '/image/metadata/1.targets.json',
    '/image/targets/scripts/HASH.hu%20only%20001.json',
    '/image/targets/artifacts/HASH.HU%201.1.0.bin',
  ]);
  await v.stop();
});

test('manifests list the software of each ECU, signed with its own key, with single-use nonces', async () => {
  world.update('both', {
    ...HU,
    TCU: { version: '2.0.0', content: softwareOf(1_000), counter: 7 },
  });
  const v = startUptaneVehicle(world, { description: describeVehicle(['HU', 'TCU']) });
  await v.update('both');
  await v.update('both');
  const [before, after] = world.manifests;
  expect([...must(before).reports.keys()]).toEqual(['ecu-0', 'ecu-1', 'ecu-2']);
  expect([...must(before).reports.values()].map(({ installed }) => installed)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect([...must(after).reports.values()].map(({ installed }) => installed)).toMatchObject([
    { path: scriptPath('both') },
    { path: imageName('HU', '1.1.0'), releaseCounter: 1 },
    { path: imageName('TCU', '2.0.0'), releaseCounter: 7, length: 1_000 },
  ]);
  const reports = world.manifests.flatMap(({ reports }) => [...reports.values()]);
  expect(new Set(reports.map(({ nonce }) => nonce)).size).toBe(6);
  const signers = new Set(reports.map(({ envelope }) => envelope.signatures[0]?.keyId));
  expect(signers.size).toBe(3);
  expect(must(after).envelope.signatures[0]?.keyId).toBe(
    must(after).reports.get('ecu-0')?.envelope.signatures[0]?.keyId,
  );
  await v.stop();
});

test('an update already installed succeeds, and the second cycle costs a fraction of the first', async () => {
  world.update('hu only 001', HU);
  const v = startUptaneVehicle(world);
  await v.update('hu only 001');
  const first = world.traffic.sent + world.traffic.received - HU.HU.content.length;
  world.requests = [];
  await v.update('hu only 001');
  const second = world.traffic.sent + world.traffic.received - HU.HU.content.length - first;
  // Bodies without the image: the cost of a cycle given in docs/vehicle.md.
  expect(first).toBeLessThan(10_000);
  expect(second).toBeLessThan(5_000);
  expect(v.platform.statuses.slice(-3)).toEqual(['received', 'pki_check_success', 'success']);
  // Unchanged files are not fetched again.
  expect(world.requests.filter((path) => /snapshot|targets\.json|\.bin/.test(path))).toEqual([]);
  await v.stop();
});

describe('a trigger is only a hint', () => {
  test('without an order, nothing is installed', async () => {
    world.offer('hu only 001', HU);
    world.orderNothing();
    world.release();
    const v = startUptaneVehicle(world);
    await v.update('hu only 001');
    expect(v.platform.statuses).toEqual(['failure']);
    expect(v.platform.meta()).toBe('the Director orders nothing for this vehicle now');
    expect(running(v.directory, 'HU').toString()).toBe('1.0.0');
    await v.stop();
  });

  test('if it names a different script than the order, neither is installed', async () => {
    world.offer('old 001', { HU: { version: '0.9.0', content: Buffer.from('old') } });
    world.update('hu only 001', HU);
    const v = startUptaneVehicle(world);
    await v.update('old 001');
    expect(v.platform.statuses).toEqual(['failure']);
    expect(v.platform.meta()).toBe("the Director orders the script 'hu only 001', not 'old 001'");
    expect(running(v.directory, 'HU').toString()).toBe('1.0.0');
    await v.stop();
  });

  test.each([
    ['success', true],
    ['rollback_success', false],
  ])(
    'forged after the update has finished as %s, it does not change that state, whatever its ids',
    async (state, isHealthy) => {
      world.update('hu only 001', HU);
      const health = 'test "$OTAOPS_VERSION" = 1.0.0 || exit 1';
      const options = isHealthy ? {} : { healthCommand: health };
      const v = startUptaneVehicle(world, options);
      await v.update('hu only 001');
      expect(v.newStatuses().at(-1)).toBe(state);
      world.orderNothing();
      world.release();
      await v.update('hu only 001');
      await v.update('another script');
      expect(v.newStatuses()).toEqual([state, state]);
      await v.stop();
      // Even if only the journal is left.
      const again = startUptaneVehicle(world, { ...options, directory: v.directory });
      await until(() => again.platform.messages.length > 0);
      const repeated = again.platform.statuses.length;
      await again.update('hu only 001');
      expect(again.platform.statuses.slice(repeated)).toContain(state);
      expect(again.platform.statuses.at(-1)).toBe(state);
      await again.stop();
    },
  );

  test('repeated, it gets the same acknowledgement and no second cycle', async () => {
    world.update('hu only 001', HU);
    const v = startUptaneVehicle(world);
    await v.update('hu only 001', 'the-same');
    const { length } = world.requests;
    await v.update('hu only 001', 'the-same');
    expect(world.requests).toHaveLength(length);
    expect(v.platform.statuses).toEqual(SUCCESS);
    await v.stop();
  });
});

test('the vehicle asks again if the Director does not know of the last success yet', async () => {
  world.update('hu only 001', HU);
  const v = startUptaneVehicle(world);
  await v.update('hu only 001');
  const next = { HU: { version: '1.2.0', content: Buffer.from('next') } };
  world.offer('hu only 002', next);
  let asked = 0;
  world.intercept = (path) => {
    if (path.endsWith('/manifest') && (asked += 1) === 2) {
      world.order('hu only 002', next);
      world.release();
    }
    return false;
  };
  await v.update('hu only 002');
  expect(asked).toBe(2);
  expect(v.platform.statuses).toEqual([...SUCCESS, ...SUCCESS]);
  await v.stop();
});

test('an urgent update does not wait for a slow download', async () => {
  const slow = { HU: { version: '1.1.0', content: softwareOf(3_000_000) } };
  world.update('slow 001', slow);
  const v = startUptaneVehicle(world, { bytesPerSecond: 200_000 });
  v.platform.trigger('slow 001');
  await until(() => v.runner.current?.phase === 'downloading');
  // A trigger alone never interrupts an update …
  world.offer('urgent 002', { HU: { version: '1.2.0', content: Buffer.from('urgent') } });
  v.platform.trigger('urgent 002');
  await until(() => world.manifests.length === 2);
  // The second cycle starts when the first has finished.
  v.platform.trigger('urgent 002');
  await until(() => world.manifests.length === 3);
  const progress = () => v.platform.events.filter(({ body }) => body.status === 3).length;
  const before = progress();
  await until(() => progress() > before);
  expect(v.runner.current?.trigger.scriptRefId).toBe('slow 001');
  // … but a new order of the Director does.
  world.order('urgent 002', { HU: { version: '1.2.0', content: Buffer.from('urgent') } });
  world.release();
  v.platform.trigger('urgent 002');
  await v.agent.idle();
  expect(v.platform.statuses.slice(0, 3)).toEqual(['received', 'pki_check_success', 'cancel']);
  expect(v.platform.statuses.slice(3, 3 + SUCCESS.length)).toEqual(SUCCESS);
  const cancelled = v.platform.events.find(({ body }) => body.status === 2);
  expect(metaOf(must(cancelled).body.meta, 'reason')).toMatch(/is ordered in its place$/);
  expect(running(v.directory, 'HU').toString()).toBe('urgent');
  await v.stop();
});
