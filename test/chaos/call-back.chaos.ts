/**
 * The event call-back under load, while its receiver and adapters are killed during batches. Each event is delivered
 * at least once and in order per vehicle. None is missing, not even from vehicles that never repeat a message.
 */
import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, test } from 'vitest';
import { type AdapterProcess, startAdapterProcess } from '../../src/test-bed/index.js';
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
import { CalledBack } from './called-back.js';
import { MixedFleet } from './mixed-fleet.js';

const VEHICLES = isLong ? 1_500 : 400;
const EVENTS = 25;
const FOREIGN = { vehicles: isLong ? 200 : 50, pauseMs: isLong ? 400 : 250 };
const REF_ID = 'call-back chaos';
const TIMES = isLong
  ? { receiver: 12, adapter: 10, freeze: 2, database: 3 }
  : { receiver: 3, adapter: 3, freeze: 1, database: 1 };
type Deed = keyof typeof TIMES;
/** Longer than the lease on a receiver. */
const FREEZE_MS = 22_000;
const LOAD_MS = isLong ? 240_000 : 40_000;

const broker = await ifInstalled(() => startMosquitto());
const postgres = broker ? await startPostgres() : undefined;

test.skipIf(!postgres || !broker)(
  'each event is delivered to the receiver in order; none is missing',
  async () => {
    if (!postgres || !broker) return;
    const dice = throwDice();
    const directory = temporaryDirectory('call-back-chaos');
    const port = await freePort();
    const receiver = new CalledBack(port, join(directory, 'receiver.log'));
    await receiver.start();
    const startAdapter = async (): Promise<AdapterProcess> => {
      for (;;) {
        try {
          return await startAdapterProcess({
            dataDir: join(directory, 'data'),
            databaseUrl: `${postgres.url}/postgres`,
            mqttUrl: broker.url,
          });
        } catch (error) {
          say(`an adapter could not start, retrying: ${(error as Error).message.slice(0, 200)}`);
          await sleep(500);
        }
      }
    };
    const kill = async (child: ChildProcess) => {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    };

    const adapters: [AdapterProcess, AdapterProcess] = [await startAdapter(), await startAdapter()];
    const deeds: Record<Deed, () => Promise<void>> = {
      async receiver() {
        await receiver.kill();
        await sleep(dice.between(0, 4_000));
        await receiver.start();
      },
      async adapter() {
        const at = dice.random() < 0.5 ? 0 : 1;
        await kill(adapters[at].child);
        adapters[at] = await startAdapter();
      },
      async freeze() {
        const { child } = dice.pick(adapters);
        child.kill('SIGSTOP');
        await sleep(FREEZE_MS);
        child.kill('SIGCONT');
      },
      async database() {
        await postgres.kill();
        await sleep(dice.between(100, 1_500));
        await postgres.restart();
      },
    };

    let fleet: MixedFleet | undefined;
    try {
      const [{ client }] = adapters;
      const url = `http://127.0.0.1:${port}/events`;
      await client.call(receiverApi.addReceiver, { body: { name: 'carota', url, after: 0 } });
      fleet = await MixedFleet.start(adapters[0], {
        own: { vehicles: VEHICLES, events: EVENTS, spreadMs: LOAD_MS },
        foreign: FOREIGN,
        port: broker.port,
        random: () => dice.random(),
      });
      await fleet.trigger(client, REF_ID);

      const plan = Object.entries(TIMES)
        .flatMap(([deed, times]) => Array.from({ length: times }, () => deed as Deed))
        .map((deed) => ({ deed, at: dice.random() }))
        .sort((a, b) => a.at - b.at);
      for (const { deed } of plan) {
        await sleep(dice.between(300, isLong ? 8_000 : 2_500));
        say(`${deed}  (${fleet.progress})`);
        await deeds[deed]();
      }
      say('calm');
      const total = VEHICLES * EVENTS + (await fleet.verifyForeign(adapters[0]));
      await until(
        240,
        () => receiver.events().length >= total,
        () => `${receiver.events().length} of ${total} delivered`,
      );
      const sql = new pg.Client(`${postgres.url}/postgres`);
      await sql.connect();
      const { rows } = await sql.query<{ n: string; missing: string }>(
        `select count(*) as n, (select count(*) from event_batches where position is null) as missing
       from messages where status is not null`,
      );
      await sql.end();
      expect(rows).toEqual([{ n: String(total), missing: '0' }]);
      expect(await receiver.verify(adapters[0], fleet.sent())).toBe(total);
      say(`verified ${total} events, delivered ${receiver.deliveries().length} times`);
    } finally {
      await fleet?.stop();
      for (const adapter of adapters) await adapter.stop();
      await receiver.kill();
      await broker.stop();
      await postgres.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

async function until(seconds: number, isSo: () => boolean, tell: () => string): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`still ${tell()}`);
    await sleep(500);
  }
}
