/**
 * The embedded database's disk is full: the adapter reports it, loses no acknowledged message, and resumes
 * afterwards.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, test } from 'vitest';
import { startAdapterProcess } from '../../src/test-bed/index.js';
import { fleetOf } from '../../src/fleet/index.js';
import { say } from '../support/dice.js';
import { freePort } from '../support/servers.js';
import { BlockDevice, fill } from './block-device.js';
import { ForeignFleet, prepareOperation } from './foreign-fleet.js';

const VEHICLES = fleetOf(50);
const isRoot = process.getuid?.() === 0;

/** Switches WAL segments until there is no space for another, which makes the server panic. */
async function useUpLog(socketFolder: string): Promise<void> {
  const client = new pg.Client({ host: socketFolder, user: 'otaops', database: 'postgres' });
  client.on('error', () => undefined);
  try {
    await client.connect();
    for (;;) {
      await client.query("select pg_logical_emit_message(true, 'full', repeat('x', 1000))");
      await client.query('select pg_switch_wal()');
    }
  } catch (error) {
    say(`no space for another WAL segment: ${(error as Error).message}`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

test.skipIf(!isRoot)('a full disk is reported, and no acknowledged message is lost', async () => {
  const device = new BlockDevice(400);
  const dataDir = join(device.folder, 'data');
  const ports = { httpPort: await freePort(), mqttPort: await freePort() };
  const adapter = await startAdapterProcess({ dataDir, ...ports });
  await prepareOperation(adapter, VEHICLES);
  const vehicles = new ForeignFleet({
    vehicles: VEHICLES,
    ports: [ports.mqttPort],
    signIn: true,
    pauseMs: 0,
  });
  const readiness = async () => {
    const response = await fetch(`${adapter.httpUrl}/readyz`);
    const { problem } = (await response.json()) as { problem?: string };
    return { status: response.status, problem };
  };
  const until = async (isSo: () => Promise<boolean>, seconds: number, what: string) => {
    const deadline = Date.now() + seconds * 1_000;
    while (!(await isSo())) {
      if (Date.now() > deadline) {
        say(readFileSync(join(dataDir, 'database.log'), 'utf8').slice(-5_000));
        throw new Error(`${what}: ${JSON.stringify(await readiness().catch(String))}`);
      }
      await sleep(100);
    }
  };
  try {
    await until(() => Promise.resolve(vehicles.acknowledged > 500), 60, 'the vehicles do not send');
    const ballast = fill(device.folder);
    say(`the disk is full  (${vehicles.acknowledged} acknowledged)`);
    await until(async () => (await readiness()).status === 503, 30, 'still ready on a full disk');
    expect((await readiness()).problem).toMatch(/no room .*disk/);
    await useUpLog(join(dataDir, 'database'));
    let last = -1;
    await until(
      async () => {
        const before = last;
        last = vehicles.acknowledged;
        await sleep(3_000);
        return before === last;
      },
      120,
      'messages are still acknowledged',
    );
    say(`service has stopped  (${last} acknowledged): ${(await readiness()).problem}`);
    rmSync(ballast);
    await until(async () => (await readiness()).status === 200, 60, 'not ready with free space');
    await until(() => Promise.resolve(vehicles.acknowledged > last + 500), 60, 'no new messages');
    say(`service has resumed  (${vehicles.acknowledged} acknowledged)`);
    await vehicles.stop();
    await vehicles.verify(adapter);
  } finally {
    await vehicles.stop();
    await adapter.stop();
    await device.remove();
  }
});
