/**
 * Packets disappear on one link at a time, in one direction or both, but no connection breaks. The links are those
 * between an adapter and the broker, an adapter and the database, the adapters and the call-back receiver, and the
 * vehicles and the broker. Another adapter takes over in time, `/readyz` shows which adapter cannot work, and
 * everything resumes when packets arrive again, although those held back arrive late. Neither the adapter nor the
 * receiver loses, duplicates or reorders anything, not even from vehicles that never repeat a message.
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

/** Longer than the leases, and than the timeout of a statement, a call-back or a ping. */
const FREEZE_MS = 30_000;
/**
 * Time within which a holder that is cut off is replaced (docs/deployment.md), seconds. If it still receives, the
 * broker has to end the connection, which takes one and a half times the keep-alive.
 */
const REPLACED_SECONDS = { once: 15, stillReceives: 25 };
/** Time until `/readyz` reports the loss of the database, the loss of the broker, and that either is back, seconds. */
const READY = { database: 7, broker: 20, again: 20 };
/** Time within which call-backs are retried, seconds: the timeout of a request, and the backoff. */
const CALLED_BACK_SECONDS = 30;

const replacedSeconds = (ways: readonly Direction[]) =>
  ways.includes('answers') ? REPLACED_SECONDS.once : REPLACED_SECONDS.stillReceives;

const broker = await ifInstalled(() => startMosquitto());
const postgres = broker ? await startPostgres() : undefined;

test.skipIf(!postgres || !broker)(
  'half-open connections: another adapter takes over, and nothing is lost, duplicated or out of order',
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

    /** Fails if the condition does not hold in time; reports how long it took. */
    const within = async (seconds: number, what: string, isSo: () => Promise<boolean>) => {
      const started = performance.now();
      const passed = () => (performance.now() - started) / 1000;
      while (!(await isSo().catch(() => false))) {
        if (passed() > seconds) throw new Error(`not within ${seconds} s: ${what}`);
        await sleep(100);
      }
      say(`  ${what}: ${passed().toFixed(1)} s`);
    };
    const subscribed = async ({ adapter }: Place) =>
      (await adapter.metrics()).get('otaops_subscribed') === 1;
    const ready = async ({ adapter }: Place) =>
      (await fetch(`${adapter.httpUrl}/readyz`, { signal: AbortSignal.timeout(10_000) })).status;
    /** The holder of the subscription, and the other adapter. */
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
          () => within(replacedSeconds(ways), 'other adapter reads', () => subscribed(other)),
          () => within(READY.broker, 'holder not ready', async () => (await ready(holder)) === 503),
        );
        await within(READY.again, 'it is ready again', async () => (await ready(holder)) === 200);
      },
      async database(ways) {
        const [holder, other] = await holderFirst();
        await freeze(
          holder.toDatabase,
          ways,
          () => within(REPLACED_SECONDS.once, 'other adapter reads', () => subscribed(other)),
          () =>
            within(READY.database, 'holder not ready', async () => (await ready(holder)) === 503),
        );
        await within(READY.again, 'it is ready again', async () => (await ready(holder)) === 200);
      },
      async receiver(ways) {
        await freeze(toReceiver, ways);
        const before = receiver.events().length;
        await within(CALLED_BACK_SECONDS, 'the receiver gets new events', () =>
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
      await within(240, 'the receiver has all events', () =>
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
