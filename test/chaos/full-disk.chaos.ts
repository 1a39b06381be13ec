/** The embedded database's disk is full: it is reported, no acknowledged message is lost, and service resumes after. */
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, test } from 'vitest';
import { startAdapterProcess } from '../../src/test-bed/index.js';
import { fleetOf } from '../../src/fleet/index.js';
import { say } from '../support/dice.js';
import { freePort } from '../support/servers.js';
import { BlockDevice } from './block-device.js';
import { ForeignFleet, prepareOperation } from './foreign-fleet.js';

const VEHICLES = fleetOf(50);
const isRoot = process.getuid?.() === 0;

/** Fills the remaining space. */
function fill(folder: string): string {
  const file = join(folder, 'ballast');
  const { bavail, bsize } = statfsSync(folder);
  for (let bytes = bavail * bsize; bytes > 4_096; bytes = Math.floor(bytes / 2)) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(Math.min(bytes, 8_000_000)), { flag: 'a' });
    } catch {
      // Smaller chunks may still fit.
    }
  }
  return file;
}

/** Switches WAL segments until there is no space for another: the server panics. */
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
    say(`the log is used up: ${(error as Error).message}`);
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
      if (Date.now() > deadline) throw new Error(what);
      await sleep(100);
    }
  };
  try {
    await until(() => Promise.resolve(vehicles.acknowledged > 500), 60, 'vehicles do not send');
    const ballast = fill(device.folder);
    say(`full  (${vehicles.acknowledged} acknowledged)`);
    await until(async () => (await readiness()).status === 503, 30, 'ready on a full disk');
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
    say(`nothing goes any more  (${last} acknowledged): ${(await readiness()).problem}`);
    rmSync(ballast);
    await until(async () => (await readiness()).status === 200, 60, 'not ready with room');
    await until(() => Promise.resolve(vehicles.acknowledged > last + 500), 60, 'it does not go on');
    say(`room again  (${vehicles.acknowledged} acknowledged)`);
    await vehicles.stop();
    await vehicles.verify(adapter);
  } finally {
    await vehicles.stop();
    await adapter.stop();
    await device.remove();
  }
});
