/**
 * The event call-back under load, while its receiver and adapters are killed during batches: each event
 * is delivered at least once and in order per vehicle; none is missing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { expect, test } from 'vitest';
import { type AdapterProcess, startAdapterProcess } from '../../src/test-bed/index.js';
import {
  eventApi,
  type PulledEvents,
  receiverApi,
  registryApi,
  triggerApi,
} from '../../src/contract/adapter-api/index.js';
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

const VEHICLES = isLong ? 1_500 : 500;
const EVENTS = 25;
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
  'each event is called back in order; none is missing',
  async () => {
    if (!postgres || !broker) return;
    const dice = throwDice();
    const directory = temporaryDirectory('call-back-chaos');
    const log = join(directory, 'receiver.log');
    writeFileSync(log, '');
    const port = await freePort();

    const startReceiver = async (): Promise<ChildProcess> => {
      const script = fileURLToPath(new URL('./receiver-process.mjs', import.meta.url));
      const child = spawn(process.execPath, [script, String(port), log], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      return child;
    };
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

    let receiver = await startReceiver();
    const adapters: [AdapterProcess, AdapterProcess] = [await startAdapter(), await startAdapter()];
    const deeds: Record<Deed, () => Promise<void>> = {
      async receiver() {
        await kill(receiver);
        await sleep(dice.between(0, 4_000));
        receiver = await startReceiver();
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

    const fleet = new RecordingFleet(fleetOf(VEHICLES), {
      mqttUrl: broker.url,
      events: EVENTS,
      spreadMs: LOAD_MS,
      random: () => dice.random(),
    });
    try {
      const [{ client }] = adapters;
      const lines = fleetOf(VEHICLES).map(registrationLine).join('\n');
      await client.call(registryApi.importVehicles, {
        content: { type: 'application/x-ndjson', body: lines },
      });
      const url = `http://127.0.0.1:${port}/events`;
      await client.call(receiverApi.addReceiver, { body: { name: 'carota', url, after: 0 } });
      await fleet.start();
      const vins = fleetOf(VEHICLES).map(({ vin }) => vin);
      const body = { model: 'm', 'ref-id': REF_ID, 'script-ref-id': 's', vins };
      await client.call(triggerApi.trigger, { body: { time: Date.now(), version: 'v1', body } });

      const plan = Object.entries(TIMES)
        .flatMap(([deed, times]) => Array.from({ length: times }, () => deed as Deed))
        .map((deed) => ({ deed, at: dice.random() }))
        .sort((a, b) => a.at - b.at);
      for (const { deed } of plan) {
        await sleep(dice.between(300, isLong ? 8_000 : 2_500));
        say(`${deed}  (${fleet.acknowledged} of ${VEHICLES * (EVENTS + 1)} acknowledged)`);
        await deeds[deed]();
      }
      say('calm');
      const total = VEHICLES * EVENTS;
      const told = () => readFileSync(log, 'utf8').split('\n').filter(Boolean);
      await until(
        240,
        () => new Set(told()).size >= total,
        () => `${new Set(told()).size} of ${total} told`,
      );

      // This adapter may learn with a short delay what the other one has just called back.
      const stream: string[] = [];
      for (let after = '0', isEnd = false; !isEnd && stream.length < total;) {
        const page: PulledEvents = await adapters[0].client.call(eventApi.pullEvents, {
          query: { limit: 5_000, wait: 10, after },
        });
        stream.push(...page.events.map((event) => `${event.vin} ${event['event-id']}`));
        after = page.cursor;
        isEnd = page.events.length === 0;
      }
      const sql = new pg.Client(`${postgres.url}/postgres`);
      await sql.connect();
      const { rows } = await sql.query<{ n: string; missing: string }>(
        `select count(*) as n, (select count(*) from event_batches where position is null) as missing
       from messages where status is not null`,
      );
      await sql.end();
      // Stream, database, vehicles and deliveries agree.
      expect(rows).toEqual([{ n: String(total), missing: '0' }]);
      expect(stream).toHaveLength(total);
      expect(new Set(stream).size).toBe(total);
      const first = [...new Set(told())];
      expect(new Set(first)).toEqual(new Set(stream));
      const ofVehicle = (lines: readonly string[]) => {
        const byVin = new Map<string, string[]>();
        for (const line of lines) {
          const [vin = ''] = line.split(' ');
          const known = byVin.get(vin);
          if (known) known.push(line);
          else byVin.set(vin, [line]);
        }
        return byVin;
      };
      const expected = ofVehicle(stream);
      for (const [vin, lines] of ofVehicle(first)) expect(lines).toEqual(expected.get(vin));
      say(`verified ${total} events, told ${told().length} times`);
    } finally {
      await fleet.stop();
      for (const adapter of adapters) await adapter.stop();
      receiver.kill('SIGKILL');
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
