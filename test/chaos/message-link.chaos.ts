/**
 * Messages that the broker has acknowledged to foreign vehicles, which never repeat them, are stored once and in
 * order per vehicle, while adapters are killed, frozen and restarted one by one, and the broker is restarted and
 * killed with or without connected adapters.
 */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  type AdapterProcess,
  findProgram,
  installedPostgres,
  startAdapterProcess,
  startPostgres,
} from '../../src/test-bed/index.js';
import { type Dice, say, throwDice } from '../support/dice.js';
import { isLong } from '../support/depth.js';
import {
  ifInstalled,
  type Server,
  startMosquitto,
  temporaryDirectory,
} from '../support/servers.js';
import { fleetOf } from '../../src/fleet/index.js';
import { ForeignFleet, prepareOperation } from './foreign-fleet.js';

const run = promisify(execFile);
const VEHICLES = fleetOf(isLong ? 400 : 100);
/** Mean interval between two messages of a vehicle, ms. */
const PAUSE_MS = 50;
const ROUNDS = isLong ? 8 : 1;
/** Recommended autosave interval of Mosquitto, and a margin for writing its state, ms. */
const AUTOSAVE_MS = 5_000 + 1_000;
const KEEPING_UP_MS = 120_000;
const A_MOMENT_MS = 200;

/** The installed server, because its version must match that of `pg_dump`. */
const postgres = await ifInstalled(async () => startPostgres(await installedPostgres()));
const broker = await ifInstalled(() => startMosquitto());

describe.skipIf(!postgres || !broker)('foreign vehicles on Mosquitto', () => {
  const servers = { postgres, broker } as { postgres: Server; broker: Server };
  const directory = temporaryDirectory('link');
  let dice: Dice;
  let databases = 0;
  let databaseUrl = '';
  let adapters: AdapterProcess[] = [];
  const fleets: ForeignFleet[] = [];

  beforeAll(() => {
    dice = throwDice();
  });
  afterEach(async () => {
    await Promise.all(fleets.splice(0).map((fleet) => fleet.stop()));
    for (const adapter of adapters.splice(0)) {
      adapter.child.kill('SIGCONT');
      await adapter.stop();
    }
  });
  afterAll(async () => {
    await servers.broker.stop();
    await servers.postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function admin(sql: string): Promise<void> {
    const client = new pg.Client(`${servers.postgres.url}/postgres`);
    await client.connect();
    await client.query(sql);
    await client.end();
  }
  async function appliedMessages(): Promise<number> {
    const client = new pg.Client(databaseUrl);
    await client.connect();
    const { rows } = await client.query('select sum(applied) as applied from message_totals');
    await client.end();
    return Number(rows[0]?.applied);
  }
  /** Resolves once acknowledged messages are stored a moment later, which shows that the adapters keep up. */
  async function keepingUp(fleet: ForeignFleet): Promise<void> {
    const deadline = Date.now() + KEEPING_UP_MS;
    for (let acknowledged = Infinity; (await appliedMessages()) < acknowledged;) {
      if (Date.now() > deadline) throw new Error('the adapters do not catch up');
      acknowledged = fleet.acknowledged;
      await sleep(A_MOMENT_MS);
    }
  }
  async function newDatabase(): Promise<string> {
    const name = `link_${++databases}`;
    await admin(`create database ${name}`);
    return `${servers.postgres.url}/${name}`;
  }
  async function start(url = databaseUrl): Promise<AdapterProcess> {
    // A copied database contains the tokens of the original.
    const dataDir = join(directory, new URL(databaseUrl).pathname);
    const adapter = await startAdapterProcess({
      dataDir,
      databaseUrl: url,
      mqttUrl: servers.broker.url,
    });
    adapters.push(adapter);
    return adapter;
  }
  async function end(adapter: AdapterProcess, signal: NodeJS.Signals): Promise<void> {
    const exit = new Promise((resolve) => adapter.child.once('exit', resolve));
    adapter.child.kill(signal);
    await exit;
    adapters = adapters.filter((other) => other !== adapter);
  }
  async function newSystem(): Promise<AdapterProcess> {
    databaseUrl = await newDatabase();
    const first = await start();
    await prepareOperation(first, VEHICLES);
    return first;
  }
  function drive(): ForeignFleet {
    const fleet = new ForeignFleet({
      ports: [servers.broker.port],
      vehicles: VEHICLES,
      pauseMs: PAUSE_MS,
    });
    fleets.push(fleet);
    return fleet;
  }
  const holder = async () => {
    for (;;) {
      for (const adapter of adapters) {
        if ((await adapter.metrics()).get('otaops_subscribed') === 1) return adapter;
      }
      await sleep(200);
    }
  };

  test('two adapters lose nothing while holders are killed, frozen and restarted, and the broker killed and restarted', async () => {
    await newSystem();
    await start();
    // A subscription that Mosquitto has not saved yet does not survive a kill.
    await sleep(AUTOSAVE_MS);
    const fleet = drive();
    const deeds: Record<string, () => Promise<void>> = {
      async 'kill the broker'() {
        // A backlog would exist only in its memory.
        await keepingUp(fleet);
        await servers.broker.kill();
        await sleep(dice.between(100, 1_000));
        await servers.broker.restart();
      },
      async 'restart the broker cleanly'() {
        await servers.broker.end('SIGTERM');
        await sleep(dice.between(100, 1_000));
        await servers.broker.restart();
      },
      async 'kill the holder'() {
        await end(await holder(), 'SIGKILL');
        await start();
      },
      async 'freeze the holder past its lease'() {
        const { child } = await holder();
        child.kill('SIGSTOP');
        await sleep(13_000);
        child.kill('SIGCONT');
      },
      async 'restart both adapters, one by one'() {
        for (const adapter of [...adapters]) {
          expect(await adapter.stop()).toBe(0);
          adapters = adapters.filter((other) => other !== adapter);
          await start();
        }
      },
    };
    for (let round = 0; round < ROUNDS; round++) {
      for (const [what, deed] of Object.entries(deeds)) {
        await sleep(dice.between(1_000, 2_000));
        say(`${what}  (${fleet.acknowledged} acknowledged)`);
        await deed();
      }
    }
    await sleep(1_000);
    await fleet.stop();
    await fleet.verify(await holder());
  });

  test('nothing is lost if the broker restarts cleanly while no adapter runs', async () => {
    const adapter = await newSystem();
    const fleet = drive();
    await sleep(2_000);
    await end(adapter, 'SIGKILL');
    await sleep(2_000);
    await servers.broker.end('SIGTERM');
    await sleep(500);
    await servers.broker.restart();
    await sleep(2_000);
    await fleet.stop();
    await fleet.verify(await start());
  });

  test('at most the autosave interval is lost if the broker is killed while no adapter runs', async () => {
    const adapter = await newSystem();
    const fleet = drive();
    await sleep(2_000);
    await end(adapter, 'SIGTERM');
    await sleep(8_000);
    const killedAt = Date.now();
    await servers.broker.kill();
    await servers.broker.restart();
    await sleep(2_000);
    await fleet.stop();
    const { missing: lost } = await fleet.verify(
      await start(),
      (at) => at > killedAt - AUTOSAVE_MS && at <= killedAt + 100,
    );
    say(`messages lost from the last ${AUTOSAVE_MS} ms before the kill: ${lost}`);
  });

  test('a database restored in place of a lost one receives the messages queued at the broker', async () => {
    const adapter = await newSystem();
    const fleet = drive();
    await sleep(2_000);
    await end(adapter, 'SIGKILL');
    const restored = await newDatabase();
    await copyDatabase(databaseUrl, restored);
    await sleep(2_000);
    await fleet.stop();
    await fleet.verify(await start(restored));
  });

  test('a copied database takes no messages from the original', async () => {
    const original = await newSystem();
    const fleet = drive();
    await sleep(2_000);
    const copied = await newDatabase();
    await copyDatabase(databaseUrl, copied);
    const copy = await start(copied);
    const metric = async (name: string) => (await copy.metrics()).get(name) ?? 0;
    const becomes = async (name: string, isSo: (value: number) => boolean) => {
      for (let tries = 0; !isSo(await metric(name)) && tries < 60; tries++) await sleep(500);
      expect(await metric(name)).toSatisfy(isSo);
    };
    await becomes('otaops_session_conflicts_total', (conflicts) => conflicts === 1);
    // From now on, the copy also receives every message; the original still gets all of them.
    const received = await metric('otaops_messages_received_total');
    await becomes('otaops_messages_received_total', (now) => now > received);
    await becomes('otaops_subscribed', (subscribed) => subscribed === 1);
    await fleet.stop();
    await fleet.verify(original);
  });
});

async function copyDatabase(from: string, to: string): Promise<void> {
  const { stdout } = await run('pg_config', ['--bindir']);
  const dump = findProgram('pg_dump', [stdout.trim()]) ?? 'pg_dump';
  const psql = findProgram('psql', [stdout.trim()]) ?? 'psql';
  const file = join(temporaryDirectory('dump'), 'dump.sql');
  await run(dump, ['--dbname', from, '--file', file]);
  await run(psql, ['--quiet', '--dbname', to, '--file', file]);
  rmSync(join(file, '..'), { recursive: true });
}
