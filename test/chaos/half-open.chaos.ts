/**
 * Packets disappear on one link at a time, in one direction or both, and no connection breaks: between an adapter and the
 * broker, an adapter and the database, the adapters and the receiver of call-backs, the vehicles and the broker. Another
 * adapter reads in time, `/readyz` says who cannot work, all goes on when packets arrive again, and those that were held
 * back arrive late. Nothing is lost, twice or out of order, at the adapter and at the receiver, also of vehicles that never
 * repeat.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startAdapterProcess } from '../../src/test-bed/index.js';
import { receiverApi } from '../../src/contract/adapter-api/index.js';
import {
  freePort,
  ifInstalled,
  startMosquitto,
  startPostgres,
  temporaryDirectory,
} from '../support/servers.js';
import { say, throwDice } from '../support/dice.js';
import { isLong } from '../support/depth.js';
import { type Direction, DIRECTIONS, TcpProxy } from '../support/tcp-proxy.js';
import { CalledBack } from './called-back.js';
import { MixedFleet } from './mixed-fleet.js';

const VEHICLES = isLong ? 1_000 : 200;
const EVENTS = 25;
const FOREIGN = { vehicles: isLong ? 200 : 50, pauseMs: isLong ? 400 : 250 };
const REF_ID = 'half-open';
const LOAD_MS = isLong ? 500_000 : 90_000;
const WAYS: readonly (readonly Direction[])[] = [DIRECTIONS, ['requests'], ['answers']];

/** Longer than the leases, and than a statement, a call-back or a ping waits for its answer. */
const FREEZE_MS = 30_000;
/**
 * A holder that is cut off is replaced (docs/deployment.md), seconds. If it still receives, the broker has to end the
 * connection, after one and a half times the keep-alive.
 */
const REPLACED_SECONDS = { once: 15, stillReceives: 25 };
/** `/readyz` of an adapter without its database, without its broker, and after either is back, seconds. */
const READY = { database: 7, broker: 20, again: 20 };
/** Call-backs are retried within this time, seconds: a request that runs out of time, and the pauses. */
const CALLED_BACK_SECONDS = 30;

const replacedSeconds = (ways: readonly Direction[]) =>
  ways.includes('answers') ? REPLACED_SECONDS.once : REPLACED_SECONDS.stillReceives;

const broker = await ifInstalled(() => startMosquitto());
const postgres = broker ? await startPostgres() : undefined;

test.skipIf(!postgres || !broker)(
  'half-open connections: another adapter takes over, nothing is lost, twice or out of order',
  async () => {
    if (!postgres || !broker) return;
    const dice = throwDice();
    const directory = temporaryDirectory('half-open');
    const receiverPort = await freePort();
    const receiver = new CalledBack(receiverPort, join(directory, 'receiver.log'));
    await receiver.start();
    const toReceiver = await TcpProxy.to(receiverPort);
    const toVehicles = await TcpProxy.to(broker.port);
    const place = async () => {
      const toDatabase = await TcpProxy.to(postgres.port);
      const toBroker = await TcpProxy.to(broker.port);
      const adapter = await startAdapterProcess({
        dataDir: join(directory, 'data'),
        databaseUrl: `postgres://otaops@127.0.0.1:${toDatabase.port}/postgres`,
        mqttUrl: `mqtt://127.0.0.1:${toBroker.port}`,
      });
      return { toDatabase, toBroker, adapter };
    };
    type Place = Awaited<ReturnType<typeof place>>;
    const places: [Place, Place] = [await place(), await place()];

    /** @returns after how many seconds */
    const within = async (seconds: number, what: string, isSo: () => Promise<boolean>) => {
      const started = performance.now();
      const passed = () => (performance.now() - started) / 1000;
      while (!(await isSo().catch(() => false))) {
        if (passed() > seconds) throw new Error(`not so within ${seconds} s: ${what}`);
        await sleep(100);
      }
      say(`  ${what}: ${passed().toFixed(1)} s`);
    };
    const subscribed = async ({ adapter }: Place) =>
      (await adapter.metrics()).get('otaops_subscribed') === 1;
    const ready = async ({ adapter }: Place) =>
      (await fetch(`${adapter.httpUrl}/readyz`, { signal: AbortSignal.timeout(10_000) })).status;
    /** The holder of the subscription, and the other one. */
    const holderFirst = async (): Promise<[Place, Place]> => {
      for (;;) {
        const [first, second] = places;
        if (await subscribed(first)) return [first, second];
        if (await subscribed(second)) return [second, first];
        await sleep(200);
      }
    };
    const freeze = async (
      proxy: TcpProxy,
      ways: readonly Direction[],
      ...meanwhile: (() => Promise<void>)[]
    ) => {
      proxy.freeze(ways);
      try {
        await Promise.all([...meanwhile.map((work) => work()), sleep(FREEZE_MS)]);
      } finally {
        proxy.thaw();
      }
    };

    let fleet: MixedFleet | undefined;
    const deeds: Record<string, (ways: readonly Direction[]) => Promise<void>> = {
      async broker(ways) {
        const [holder, other] = await holderFirst();
        await freeze(
          holder.toBroker,
          ways,
          () => within(replacedSeconds(ways), 'the other one reads', () => subscribed(other)),
          () => within(READY.broker, 'it is not ready', async () => (await ready(holder)) === 503),
        );
        await within(READY.again, 'it is ready again', async () => (await ready(holder)) === 200);
      },
      async database(ways) {
        const [holder, other] = await holderFirst();
        await freeze(
          holder.toDatabase,
          ways,
          () => within(REPLACED_SECONDS.once, 'the other one reads', () => subscribed(other)),
          () =>
            within(READY.database, 'it is not ready', async () => (await ready(holder)) === 503),
        );
        await within(READY.again, 'it is ready again', async () => (await ready(holder)) === 200);
      },
      async receiver(ways) {
        await freeze(toReceiver, ways);
        const before = receiver.events().length;
        await within(CALLED_BACK_SECONDS, 'events are called back again', () =>
          Promise.resolve(receiver.events().length > before),
        );
      },
      async vehicles(ways) {
        await freeze(toVehicles, ways);
      },
    };

    try {
      const [{ adapter }] = places;
      await adapter.client.call(receiverApi.addReceiver, {
        body: { name: 'carota', url: `http://127.0.0.1:${toReceiver.port}/events`, after: 0 },
      });
      fleet = await MixedFleet.start(adapter, {
        own: { vehicles: VEHICLES, events: EVENTS, spreadMs: LOAD_MS },
        foreign: FOREIGN,
        port: toVehicles.port,
        random: () => dice.random(),
      });
      await fleet.trigger(adapter.client, REF_ID);
      for (const [link, deed] of Object.entries(deeds)) {
        for (const ways of isLong ? WAYS : [dice.pick([WAYS[0] ?? [], ...WAYS.slice(1)])]) {
          await sleep(dice.between(1_000, 3_000));
          say(`${link}: no ${ways.join(', no ')}  (${fleet.progress})`);
          await deed(ways);
        }
      }
      say('calm');
      const total = await fleet.verify(adapter, REF_ID);
      await within(240, 'all are called back', () =>
        Promise.resolve(receiver.events().length >= total),
      );
      expect(await receiver.verify(adapter, fleet.sent())).toBe(total);
      say(`verified ${total} events, delivered ${receiver.deliveries().length} times`);
    } finally {
      await fleet?.stop();
      for (const { adapter, toDatabase, toBroker } of places) {
        toDatabase.thaw();
        toBroker.thaw();
        await adapter.stop();
        await toDatabase.close();
        await toBroker.close();
      }
      await receiver.kill();
      await toReceiver.close();
      await toVehicles.close();
      await broker.stop();
      await postgres.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  },
);
