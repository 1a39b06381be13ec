/**
 * Power cuts while vehicles send: acknowledged messages are there once the machine is up again. A file system on a
 * private block device is shut down without flushing its memory.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type AdapterProcess, startAdapterProcess } from '../../src/test-bed/index.js';
import { operationApi } from '../../src/contract/adapter-api/index.js';
import { fleetOf } from '../../src/fleet/index.js';
import { type Dice, say, throwDice } from '../support/dice.js';
import { isLong } from '../support/depth.js';
import { freePort } from '../support/servers.js';
import { beginOperation } from './begin-operation.js';
import { BlockDevice } from './block-device.js';
import { ForeignVehicles } from './foreign-vehicles.js';

const CUTS = isLong ? 10 : 3;
const VEHICLES = 100;
const REF_ID = 'power';
const MEGABYTES = 1_500;
const isRoot = process.getuid?.() === 0;

interface Outcome {
  /** Of all acknowledged messages. */
  readonly acknowledged: number;
  readonly missing: number;
  readonly twice: number;
  /** Errors of starts after a cut. */
  readonly failure: string | undefined;
}

/** @param configuration lines for the server's configuration file */
async function cutPower(dice: Dice, configuration = ''): Promise<Outcome> {
  const device = new BlockDevice(MEGABYTES);
  const dataDir = join(device.folder, 'data');
  const ports = { httpPort: await freePort(), mqttPort: await freePort() };
  const start = () => startAdapterProcess({ dataDir, ...ports });
  let adapter: AdapterProcess | undefined = await start();
  const fleet = fleetOf(VEHICLES);
  const vehicles = new ForeignVehicles(fleet, { port: ports.mqttPort, refId: REF_ID });
  try {
    await beginOperation(adapter, fleet, REF_ID);
    if (configuration !== '') {
      await adapter.stop();
      appendDurably(join(dataDir, 'database', 'postgresql.conf'), configuration);
      adapter = await start();
    }
    vehicles.start();
    for (let cut = 0; cut < CUTS; cut++) {
      await sleep(dice.between(1_000, 5_000));
      device.cutPower();
      say(`power cut  (${vehicles.count} acknowledged)`);
      const exit = new Promise((resolve) => adapter?.child.once('exit', resolve));
      adapter.child.kill('SIGKILL');
      await exit;
      await device.unmount();
      device.mount();
      try {
        adapter = await start();
      } catch (error) {
        adapter = undefined;
        return { acknowledged: vehicles.count, missing: 0, twice: 0, failure: String(error) };
      }
      const started = adapter;
      // Under full load, the hundred answers would take most of the test.
      const found = await vehicles.whilePaused(() => compare(started, vehicles));
      if (found.missing + found.twice > 0) return { ...found, failure: undefined };
    }
    await vehicles.stop();
    return { ...(await compare(adapter, vehicles)), failure: undefined };
  } finally {
    await vehicles.stop();
    await adapter?.stop();
    await device.remove();
  }
}

/** Written durably: otherwise the cut may destroy the configuration and make the next start fail. */
function appendDurably(file: string, text: string): void {
  const descriptor = openSync(file, 'a');
  writeSync(descriptor, text);
  fsyncSync(descriptor);
  closeSync(descriptor);
}

async function compare(adapter: AdapterProcess, vehicles: ForeignVehicles) {
  let missing = 0;
  let twice = 0;
  for (const [vin, sofar] of vehicles.acknowledged) {
    // Messages that are on their way are still acknowledged.
    const acknowledged = [...sofar];
    const { history } = await adapter.client.call(operationApi.getOperationVehicle, {
      params: { 'ref-id': REF_ID, vin },
    });
    const stored = history.map(({ message_id }) => message_id);
    const distinct = new Set(stored);
    missing += acknowledged.filter((messageId) => !distinct.has(messageId)).length;
    twice += stored.length - distinct.size;
  }
  return { acknowledged: vehicles.count, missing, twice };
}

test.skipIf(!isRoot)('acknowledged messages survive a power cut', async () => {
  const outcome = await cutPower(throwDice());
  say(JSON.stringify(outcome));
  expect(outcome.acknowledged).toBeGreaterThan(1_000);
  expect(outcome).toMatchObject({ missing: 0, twice: 0, failure: undefined });
});

test.runIf(isRoot && isLong)('without fsync they do not, so the test above can fail', async () => {
  const { missing, failure } = await cutPower(throwDice(), '\nfsync = off\n');
  say(`without fsync: ${missing} missing, ${failure ?? 'started each time'}`);
  expect(missing > 0 || failure !== undefined).toBe(true);
});
