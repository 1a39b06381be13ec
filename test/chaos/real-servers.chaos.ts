/**
 * Two adapters on PostgreSQL and Mosquitto, under load, while they and the servers are killed,
 * frozen and cut off. Afterwards everything must agree with the vehicles' own records.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { type AdapterProcess, startAdapterProcess } from '../../src/test-bed/index.js';
import { registryApi, triggerApi } from '../../src/contract/adapter-api/index.js';
import { fleetOf, registrationLine } from '../../src/fleet/index.js';
import {
  freePort,
  ifInstalled,
  startMosquitto,
  startPostgres,
  temporaryDirectory,
} from '../support/servers.js';
import { say, throwDice } from '../support/dice.js';
import { isLong } from '../support/depth.js';
import { RecordingFleet } from './recording-fleet.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { verify } from './verify.js';

/** So many that faults meet messages from the first one to the last, also on a slow machine. */
const VEHICLES = isLong ? 2_000 : 600;
const EVENTS = 25;
const REF_ID = 'chaos';
/** Number of each fault; the first four are kills. */
const TIMES = isLong
  ? { adapter: 12, database: 6, broker: 6, rolling: 4, freeze: 3, cutDatabase: 3, cutBroker: 3 }
  : { adapter: 2, database: 1, broker: 1, rolling: 1, freeze: 1, cutDatabase: 1, cutBroker: 1 };
type Deed = keyof typeof TIMES;
/** Longer than the leases of sessions and claims, and than the broker's keep-alive. */
const FREEZE_MS = 28_000;
const LOAD_MS = isLong ? 300_000 : 70_000;

const broker = await ifInstalled(() => startMosquitto());
const postgres = broker ? await startPostgres() : undefined;

test.skipIf(!postgres || !broker)('no message is lost or counted twice', async () => {
  if (!postgres || !broker) return;
  const dice = throwDice();
  const directory = temporaryDirectory('chaos');
  const dataDir = join(directory, 'data');

  /** A slot in which an adapter runs, is lost and returns. */
  const place = async (httpPort: number) => {
    const toDatabase = await TcpProxy.to(postgres.port);
    const toBroker = await TcpProxy.to(broker.port);
    const start = () =>
      startAdapterProcess({
        dataDir,
        httpPort,
        databaseUrl: `postgres://otaops@127.0.0.1:${toDatabase.port}/postgres`,
        mqttUrl: `mqtt://127.0.0.1:${toBroker.port}`,
      });
    return { toDatabase, toBroker, start, adapter: await start() };
  };
  type Place = Awaited<ReturnType<typeof place>>;
  /** One returns under its old name, the other under a new one. */
  const places: [Place, Place] = [await place(await freePort()), await place(0)];

  const again = async (at: Place) => {
    for (;;) {
      try {
        at.adapter = await at.start();
        return;
      } catch (error) {
        say(`an adapter could not start, trying again: ${(error as Error).message.slice(0, 200)}`);
        await sleep(500);
      }
    }
  };
  const gone = (adapter: AdapterProcess) =>
    new Promise<number | null>((resolve) => adapter.child.once('exit', resolve));

  const deeds: Record<Deed, () => Promise<void>> = {
    async adapter() {
      const at = dice.pick(places);
      const exit = gone(at.adapter);
      at.adapter.child.kill('SIGKILL');
      await exit;
      await sleep(dice.between(0, 3_000));
      await again(at);
    },
    async database() {
      await postgres.kill();
      await sleep(dice.between(100, 3_000));
      await postgres.restart();
    },
    async broker() {
      await broker.kill();
      await sleep(dice.between(100, 2_000));
      await broker.restart();
    },
    async rolling() {
      for (const at of places) {
        const code = await at.adapter.stop();
        say('  one has ended in order');
        if (code !== 0) throw new Error(`an adapter ended with ${code}`);
        await again(at);
      }
    },
    async freeze() {
      const { adapter } = dice.pick(places);
      adapter.child.kill('SIGSTOP');
      await sleep(FREEZE_MS);
      adapter.child.kill('SIGCONT');
    },
    async cutDatabase() {
      dice.pick(places).toDatabase.cutHalfOpen();
      await sleep(dice.between(1_000, 3_000));
    },
    async cutBroker() {
      dice.pick(places).toBroker.cutHalfOpen();
      await sleep(dice.between(1_000, 3_000));
    },
  };

  const fleet = new RecordingFleet(fleetOf(VEHICLES), {
    mqttUrl: broker.url,
    events: EVENTS,
    spreadMs: LOAD_MS,
    random: () => dice.random(),
  });
  try {
    const [{ adapter }] = places;
    const lines = fleetOf(VEHICLES).map(registrationLine).join('\n');
    await adapter.client.call(registryApi.importVehicles, {
      content: { type: 'application/x-ndjson', body: lines },
    });
    await fleet.start();
    const vins = fleetOf(VEHICLES).map(({ vin }) => vin);
    const body = { model: 'm', 'ref-id': REF_ID, 'script-ref-id': 's', vins };
    // Faults start with the first trigger.
    await adapter.client.call(triggerApi.trigger, {
      body: { time: Date.now(), version: 'v1', body },
    });

    const plan = Object.entries(TIMES)
      .flatMap(([deed, times]) => Array.from({ length: times }, () => deed as Deed))
      .map((deed) => ({ deed, at: dice.random() }))
      .sort((a, b) => a.at - b.at);
    for (const { deed } of plan) {
      await sleep(dice.between(300, isLong ? 8_000 : 2_000));
      say(`${deed}  (${fleet.acknowledged} of ${VEHICLES * (EVENTS + 1)} acknowledged)`);
      await deeds[deed]();
    }
    say('calm');
    await verify(places[0].adapter, REF_ID, fleet);
    say(`verified ${fleet.made} messages of ${VEHICLES} vehicles`);
  } finally {
    await fleet.stop();
    for (const { adapter, toDatabase, toBroker } of places) {
      await adapter.stop();
      await toDatabase.close();
      await toBroker.close();
    }
    await broker.stop();
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});
