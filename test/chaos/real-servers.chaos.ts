/**
 * Two adapters on PostgreSQL and Mosquitto, under load, while the adapters and servers are killed, frozen and cut
 * off. Afterwards, everything must agree with the vehicles' own records.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { type AdapterProcess, startAdapterProcess } from '../../src/test-bed/index.js';
import {
  freePort,
  ifInstalled,
  startMosquitto,
  startPostgres,
  temporaryDirectory,
} from '../support/servers.js';
import { say, throwDice } from '../support/dice.js';
import { isLong } from '../support/depth.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { MixedFleet } from './mixed-fleet.js';

/** Enough vehicles for faults to hit messages from the first to the last, even on a slow machine. */
const VEHICLES = isLong ? 2_000 : 500;
const EVENTS = 25;
const FOREIGN = { vehicles: isLong ? 200 : 50, pauseMs: isLong ? 400 : 250 };
const REF_ID = 'chaos';
/** How often each fault occurs; the first three are kills. */
const TIMES = isLong
  ? { adapter: 12, database: 6, broker: 6, rolling: 4, freeze: 3, cutDatabase: 3, cutBroker: 3 }
  : { adapter: 2, database: 1, broker: 1, rolling: 1, freeze: 1, cutDatabase: 1, cutBroker: 1 };
type Deed = keyof typeof TIMES;
/** Longer than the leases of sessions and claims, and than the broker's keep-alive. */
const FREEZE_MS = 28_000;
const LOAD_MS = isLong ? 300_000 : 70_000;
/** Recommended autosave interval of Mosquitto, and a margin for writing its state, ms. */
const AUTOSAVE_MS = 5_000 + 1_000;
/** Time within which an adapter that reads has stored everything, ms. */
const READ_WITHIN_MS = 2_000;

const broker = await ifInstalled(() => startMosquitto());
const postgres = broker ? await startPostgres() : undefined;

test.skipIf(!postgres || !broker)('no message is lost, counted twice or out of order', async () => {
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
  /** After a restart, one adapter has its old instance name, and the other a new one. */
  const places: [Place, Place] = [await place(await freePort()), await place(0)];

  const again = async (at: Place) => {
    for (;;) {
      try {
        at.adapter = await at.start();
        return;
      } catch (error) {
        say(`an adapter could not start, retrying: ${(error as Error).message.slice(0, 200)}`);
        await sleep(500);
      }
    }
  };
  const gone = (adapter: AdapterProcess) =>
    new Promise<number | null>((resolve) => adapter.child.once('exit', resolve));

  let fleet: MixedFleet | undefined;
  /**
   * When Mosquitto was killed while no adapter read: only Mosquitto had the messages since its last autosave
   * (docs/deployment.md).
   */
  const unread: number[] = [];
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
      const isRead = await fleet?.keepsUp(places[0].adapter, READ_WITHIN_MS).catch(() => false);
      if (isRead !== true) {
        say('  no adapter reads');
        unread.push(Date.now());
      }
      await broker.kill();
      await sleep(dice.between(100, 2_000));
      await broker.restart();
    },
    async rolling() {
      for (const at of places) {
        const code = await at.adapter.stop();
        say('  an adapter has stopped');
        if (code !== 0) throw new Error(`an adapter exited with ${code}`);
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

  try {
    const [{ adapter }] = places;
    fleet = await MixedFleet.start(adapter, {
      own: { vehicles: VEHICLES, events: EVENTS, spreadMs: LOAD_MS },
      foreign: FOREIGN,
      port: broker.port,
      random: () => dice.random(),
    });
    // The faults start together with the first trigger.
    await fleet.trigger(adapter.client, REF_ID);

    const plan = Object.entries(TIMES)
      .flatMap(([deed, times]) => Array.from({ length: times }, () => deed as Deed))
      .map((deed) => ({ deed, at: dice.random() }))
      .sort((a, b) => a.at - b.at);
    for (const { deed } of plan) {
      await sleep(dice.between(300, isLong ? 8_000 : 2_000));
      say(`${deed}  (${fleet.progress})`);
      await deeds[deed]();
    }
    say('calm');
    await fleet.verify(places[0].adapter, REF_ID, (at) =>
      unread.some((killed) => at > killed - AUTOSAVE_MS && at <= killed + 100),
    );
  } finally {
    await fleet?.stop();
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
