/**
 * Three adapters on one database and one broker, under load, while the clocks of two adapters are set back and forth
 * by up to a minute, and these adapters are killed and restarted. Afterwards, everything must agree with the
 * vehicles' own records, and every stored time must come from the database's clock.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type AdapterProcess, startAdapterProcess } from '../../src/test-bed/index.js';
import { openPostgres } from '../../src/service/database/index.js';
import { say, throwDice } from '../support/dice.js';
import { isLong } from '../support/depth.js';
import { FakeClock, faketimeLibrary } from '../support/fake-clock.js';
import {
  ifInstalled,
  startMosquitto,
  startPostgres,
  temporaryDirectory,
} from '../support/servers.js';
import { MixedFleet } from './mixed-fleet.js';

const VEHICLES = isLong ? 2_000 : 500;
const EVENTS = 12;
const FOREIGN = { vehicles: isLong ? 200 : 50, pauseMs: 250 };
const SPREAD_MS = isLong ? 120_000 : 20_000;
const DEEDS = isLong ? 40 : 8;
const REF_ID = 'wrong clocks';

const postgres = await ifInstalled(() => startPostgres());
const broker = await ifInstalled(() => startMosquitto());
const canRun = postgres && broker && faketimeLibrary !== undefined;

test.skipIf(!canRun)(
  'wrong clocks: nothing is lost, duplicated or out of order, and every stored time is correct',
  async () => {
    if (!postgres || !broker) return;
    const dice = throwDice();
    const directory = temporaryDirectory('wrong-clocks');
    const url = `${postgres.url}/postgres`;
    const clocks = [new FakeClock(20), new FakeClock(-20)] as const;
    const place = (environment: Record<string, string>, clock?: FakeClock) => {
      const start = () =>
        startAdapterProcess({
          dataDir: join(directory, 'data'),
          databaseUrl: url,
          mqttUrl: broker.url,
          environment,
        });
      return { start, clock, adapter: undefined as AdapterProcess | undefined };
    };
    const right = place({});
    const wrong = [
      place(clocks[0].environment, clocks[0]),
      place(clocks[1].environment, clocks[1]),
    ] as const;
    const places = [right, ...wrong];
    // Start one adapter after the other: the first creates the token.
    for (const at of places) at.adapter = await at.start();
    const database = openPostgres({ url });
    const began = Date.now();

    let fleet: MixedFleet | undefined;
    try {
      const { adapter } = right;
      if (!adapter) throw new Error('no adapter');
      fleet = await MixedFleet.start(adapter, {
        own: { vehicles: VEHICLES, events: EVENTS, spreadMs: SPREAD_MS },
        foreign: FOREIGN,
        port: broker.port,
        random: () => dice.random(),
      });
      // The `ttl` is long enough to replace an adapter that had claimed triggers, and shorter than the clock offset.
      await fleet.trigger(adapter.client, REF_ID, { ttl: 55 });
      for (let n = 0; n < DEEDS; n++) {
        const at = dice.pick(wrong);
        const ahead = Math.round(dice.between(-60, 60));
        at.clock?.set(ahead);
        say(`a clock is ${ahead} s ahead`);
        if (n % 4 === 3) {
          const exit = new Promise((resolve) => at.adapter?.child.once('exit', resolve));
          at.adapter?.child.kill('SIGKILL');
          await exit;
          // The adapter would not start with a larger offset.
          at.clock?.set(Math.round(dice.between(-28, 28)));
          at.adapter = await at.start();
          say('  and its adapter was killed and restarted');
        }
        await sleep(dice.between(1_000, 4_000));
      }
      await fleet.verify(adapter, REF_ID);

      const ended = Date.now();
      const times = await database.query<{ what: string; wrong: number; rows: number }>(
        `select what, count(*) as rows, count(*) filter (where at not between $1 and $2) as wrong from (
         select 'received' as what, received_at as at from messages
         union all select 'delivery log', at from delivery_log
         union all select 'updated', updated_at from deliveries
         union all select 'adapter seen', seen_at from adapters
         union all select 'sample', at from operation_samples
       ) t group by what`,
        [new Date(began - 1_000), new Date(ended + 1_000)],
      );
      for (const { what, wrong, rows } of times) {
        say(`${what}: ${rows} times, ${wrong} of them not from the database’s clock`);
        expect(rows, what).toBeGreaterThan(0);
        expect(wrong, what).toBe(0);
      }
      const [expired] = await database.query<{ count: number }>(
        `select count(*) as count from delivery_log where what = 'expired'`,
      );
      expect(expired?.count).toBe(0);
      // No lease ended early: only triggers of offline vehicles were repeated within a lease.
      const [twice] = await database.query<{ count: number }>(
        `select count(*) as count from (
         select at - lag(at) over (partition by operation_id, vin order by at) as since
         from delivery_log where what = 'sent'
       ) s where since < interval '15 s'`,
      );
      expect(twice?.count).toBe(0);
    } finally {
      await fleet?.stop();
      await database.close();
      for (const { adapter } of places) await adapter?.stop();
      for (const clock of clocks) clock.remove();
      await broker.stop();
      await postgres.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  },
);
