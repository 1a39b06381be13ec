/**
 * Faults of the CarOTA Server while vehicles report: the server and its database are killed and frozen during
 * batches, the database is read-only, a table rejects the rows of one vehicle, responses are lost in transit or never
 * sent, and the adapter is down when a schedule starts. Meanwhile, the servers report what is wrong. Afterwards, each
 * event and its consequences are stored exactly once and in order, none is missing, and no vehicle had to wait for
 * another whose events were rejected.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startAdapterProcess } from '../../src/test-bed/index.js';
import {
  eventApi,
  operationApi,
  type PulledEvents,
  receiverApi,
  registryApi,
} from '../../src/contract/adapter-api/index.js';
import { fleetOf, registrationLine } from '../../src/fleet/index.js';
import { MODEL, SECRET } from '../carota/support/test-carota.js';
import { httpClient } from '../support/adapter.js';
import { say, throwDice } from '../support/dice.js';
import { isLong } from '../support/depth.js';
import { otaops, type OtaopsProcess } from '../support/process.js';
import {
  freePort,
  ifInstalled,
  startMosquitto,
  startPostgres,
  temporaryDirectory,
} from '../support/servers.js';
import { sqlOn } from '../support/sql.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { deviations, NONE } from './deviations.js';
import { FOREIGN, numberOf } from './foreign-fleet.js';
import { MixedFleet } from './mixed-fleet.js';

const VEHICLES = isLong ? 1_000 : 250;
const EVENTS = 25;
const FOREIGN_VEHICLES = { vehicles: isLong ? 100 : 40, pauseMs: isLong ? 400 : 250 };
/** Number of vehicles in each schedule that starts while the adapter is down; they only receive their trigger. */
const LATE = 20;
const LOAD_MS = isLong ? 240_000 : 45_000;
const REF_ID = 'carota chaos';
const SCRIPT = 'hu only 001';
/** Longest wait for a response from `/readyz`, ms. */
const READY_MS = 15_000;
const PATH = `/v1.0/schedules/${encodeURIComponent(REF_ID)}`;
const TIMES = isLong
  ? {
      ...{ carota: 10, database: 6, readOnly: 5, loseAnswers: 10, poison: 4 },
      ...{ freezeCarota: 4, freezeDatabase: 4, noAnswer: 4, adapterAway: 3 },
    }
  : {
      ...{ carota: 1, database: 1, readOnly: 1, loseAnswers: 1, poison: 1 },
      ...{ freezeCarota: 1, freezeDatabase: 1, noAnswer: 1, adapterAway: 1 },
    };
type Deed = keyof typeof TIMES;

const [adapterPostgres, postgres] = [
  await ifInstalled(() => startPostgres()),
  await ifInstalled(() => startPostgres()),
];
const broker = await ifInstalled(() => startMosquitto());

test.skipIf(!adapterPostgres || !postgres || !broker)(
  'each event is stored once and in order, none is missing, and no vehicle waits for another',
  async () => {
    if (!adapterPostgres || !postgres || !broker) return;
    const dice = throwDice();
    const directory = temporaryDirectory('carota-chaos');
    const adapterPort = await freePort();
    const startAdapter = () =>
      startAdapterProcess({
        dataDir: join(directory, 'adapter'),
        databaseUrl: `${adapterPostgres.url}/postgres`,
        mqttUrl: broker.url,
        httpPort: adapterPort,
      });
    let adapter = await startAdapter();
    const databaseUrl = `${postgres.url}/postgres`;
    const port = await freePort();
    const proxy = await TcpProxy.to(port);

    const startCarota = async (): Promise<OtaopsProcess> => {
      for (;;) {
        const process = otaops(
          [
            ...['carota', '--http-port', String(port), '--log-level', 'warn'],
            ...['--data-dir', join(directory, 'carota'), '--adapter-url', adapter.httpUrl],
          ],
          {
            OTAOPS_DATABASE_URL: databaseUrl,
            OTAOPS_ADAPTER_TOKEN: adapter.token,
            OTAOPS_CALLBACK_SECRET: SECRET,
          },
        );
        try {
          await process.says(/HTTP interface/);
          return process;
        } catch (error) {
          say(`the server could not start, retrying: ${(error as Error).message.slice(0, 200)}`);
          await sleep(500);
        }
      }
    };
    const sql = sqlOn({
      connectionString: databaseUrl,
      options: '-c default_transaction_read_only=off',
    });
    const count = async (what: string) =>
      Number((await sql<{ n: string }>(`select count(*) as n from ${what}`))[0]?.n);
    const until = async (seconds: number, what: string, isSo: () => Promise<boolean>) => {
      const deadline = Date.now() + seconds * 1000;
      while (!(await isSo().catch(() => false))) {
        if (Date.now() > deadline) {
          const state = await adapter.client.call(receiverApi.listReceivers, {}).catch(String);
          say(`${JSON.stringify(state)}\n${carota.output().slice(-3_000)}`);
          throw new Error(`not within ${seconds} s: ${what}`);
        }
        await sleep(500);
      }
    };
    /**
     * What an operator does once the cause is fixed: the adapter retries a changed receiver at once, not after a backoff
     * that has grown to minutes.
     *
     * @returns whether none was failing
     */
    const retryNow = async () => {
      const { items } = await adapter.client.call(receiverApi.listReceivers, {});
      const failing = items.filter(({ failures }) => failures > 0);
      for (const { id } of failing) {
        await adapter.client.call(receiverApi.changeReceiver, {
          params: { id },
          body: { enabled: true },
        });
      }
      return failing.length === 0;
    };
    /** Waits until the adapter reports that the receiver did not answer in time. */
    const callBackFails = async () => {
      const since = Date.now();
      await retryNow();
      await until(60, 'the adapter reports a timeout of the receiver', async () => {
        const { items } = await adapter.client.call(receiverApi.listReceivers, {});
        return items.some(
          ({ failure, failedAt }) =>
            failure === 'the receiver did not answer in time' && Date.parse(failedAt ?? '') > since,
        );
      });
    };

    let carota = await startCarota();
    const token = readFileSync(join(directory, 'carota', 'token'), 'utf8').trim();
    const { call } = httpClient(`http://127.0.0.1:${port}`, token);
    const sick: string[] = [];

    /** Status and problem of the CarOTA Server; undefined if it does not respond. */
    const readiness = async () => {
      const signal = AbortSignal.timeout(READY_MS);
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal }).catch(() => null);
      if (!answer) return undefined;
      const { problem } = (await answer.json()) as { problem?: string };
      return { status: answer.status, problem };
    };
    const becomesReady = () =>
      until(60, 'the server is ready again', async () => (await readiness())?.status === 200);
    let schedules = 0;
    let fleet: MixedFleet | undefined;

    const deeds: Record<Deed, () => Promise<void>> = {
      async carota() {
        carota.child.kill('SIGKILL');
        await carota.ended;
        await sleep(dice.between(0, 2_000));
        carota = await startCarota();
      },
      async database() {
        await postgres.kill();
        await sleep(dice.between(100, 2_000));
        await postgres.restart();
      },
      async readOnly() {
        const others = `select pg_terminate_backend(pid) from pg_stat_activity
          where pid <> pg_backend_pid() and application_name = 'otaops'`;
        await sql(`alter database postgres set default_transaction_read_only = on; ${others}`);
        await sleep(dice.between(1_000, 3_000));
        await sql(`alter database postgres set default_transaction_read_only = off; ${others}`);
      },
      loseAnswers() {
        proxy.loseAnswers(3);
        return Promise.resolve();
      },
      async freezeCarota() {
        carota.child.kill('SIGSTOP');
        // `noAnswer` covers the call-back's timeout as well.
        await (isLong ? callBackFails() : sleep(3_000));
        carota.child.kill('SIGCONT');
        await becomesReady();
      },
      async freezeDatabase() {
        const backends = await sql<{ pid: number }>('select pid from pg_stat_activity');
        const pids = [...backends.map(({ pid }) => pid), postgres.pid];
        signalAll(pids, 'SIGSTOP');
        try {
          await until(30, 'the server reports that its database does not answer', async () => {
            const answer = await readiness();
            return answer?.status === 503 && answer.problem === 'the database does not answer';
          });
        } finally {
          signalAll(pids, 'SIGCONT');
        }
        await becomesReady();
      },
      async noAnswer() {
        proxy.swallow();
        await callBackFails();
        proxy.mend();
      },
      async adapterAway() {
        const exit = new Promise((resolve) => adapter.child.once('exit', resolve));
        adapter.child.kill('SIGKILL');
        await exit;
        const refId = `late ${++schedules}`;
        const late = fleetOf(VEHICLES + FOREIGN_VEHICLES.vehicles + schedules * LATE).slice(-LATE);
        const vins = late.map(({ vin }) => vin);
        const path = `/v1.0/schedules/${encodeURIComponent(refId)}`;
        const plan = { 'ref-id': refId, 'script-ref-id': SCRIPT, model: MODEL, vins };
        expect((await call('POST', '/v1.0/schedules', { body: plan })).status).toBe(201);
        const wave = async () => (await call('GET', path)).body;
        await until(30, 'the wave waits, and the log names its schedule', async () => {
          const isPosting = (await wave()).waves[0].state === 'posting';
          return isPosting && carota.output().includes(refId);
        });
        adapter = await startAdapter();
        await adapter.client.call(registryApi.importVehicles, {
          content: { type: 'application/x-ndjson', body: late.map(registrationLine).join('\n') },
        });
        await until(60, 'the adapter has accepted the wave', async () =>
          Boolean((await wave()).waves[0].postedAt),
        );
        const operation = await adapter.client.call(operationApi.getOperation, {
          params: { 'ref-id': refId },
        });
        expect(operation.vehicles).toBe(LATE);
      },
      async poison() {
        // Afterwards, only the rejected events can delay the call-back.
        await until(120, 'the call-back works again', retryNow);
        // The vehicle with the most left to report; the vehicles of `adapterAway` report nothing. Once our own have
        // reported everything, a foreign one, whose reports never end.
        const [own] = await sql<{ vin: string; events: number }>(
          `select v.vin, (select count(*)::int from events e where e.vin = v.vin) as events
           from schedule_vehicles v join schedules s on s.id = v.schedule_id
           where v.vin <> all('{${sick.join()}}') and s.ref_id not like 'late %'
           order by events limit 1`,
        );
        const foreign = [...(fleet?.sent().keys() ?? [])].find((vin) => !sick.includes(vin)) ?? '';
        const vin = own && own.events < EVENTS - 1 ? own.vin : foreign;
        sick.push(vin);
        await sql(
          `alter table events add constraint poison_${sick.length} check (vin <> '${vin}') not valid`,
        );
        const [stored, refused] = [await count('events'), await count('refused_events')];
        await until(60, 'an event of the vehicle is refused, and others are stored', async () => {
          const others = (await count('events')) - stored;
          return (await count('refused_events')) > refused && others > 20;
        });
        await until(60, 'the call-back still works', retryNow);
      },
    };

    try {
      // Records the order in which events are stored.
      await sql('alter table events add column arrival bigserial');
      const url = `http://127.0.0.1:${proxy.port}/v1.0/ota/events`;
      await adapter.client.call(receiverApi.addReceiver, {
        body: { name: 'carota', url, secret: SECRET, after: 0 },
      });
      const { body: artifact } = await call('POST', '/v1.0/artifacts?name=test', {
        headers: { 'content-type': 'application/octet-stream' },
        body: Buffer.from('software'),
      });
      const { sha256, md5, size } = artifact;
      const script = { 'script-ref-id': SCRIPT, model: MODEL };
      const ecus = [{ ecu: 'HU', version: '1.1.0', artifact: { sha256, md5, size } }];
      await call('POST', '/v1.0/update-scripts', { body: { version: 'v1', ...script, ecus } });
      fleet = await MixedFleet.start(adapter, {
        own: { vehicles: VEHICLES, events: EVENTS, spreadMs: LOAD_MS },
        foreign: FOREIGN_VEHICLES,
        port: broker.port,
        random: () => dice.random(),
      });
      const { agents, vins } = fleet;
      const plan = { 'ref-id': REF_ID, ...script, vins, guard: { maxFailures: 1, soak: 0 } };
      expect((await call('POST', '/v1.0/schedules', { body: plan })).status).toBe(201);
      await until(60, 'events arrive', async () => (await count('events')) > 0);

      const order = Object.entries(TIMES)
        .flatMap(([deed, times]) => Array.from({ length: times }, () => deed as Deed))
        .map((deed) => ({ deed, at: dice.random() }))
        .sort((a, b) => a.at - b.at);
      for (const { deed } of order) {
        await sleep(dice.between(500, isLong ? 8_000 : 3_000));
        say(`${deed}  (${fleet.progress})`);
        await deeds[deed]();
      }
      say('calm');
      const foreign = await fleet.verifyForeign(adapter);
      await until(
        LOAD_MS / 1000 + 120,
        'every update has finished, and every message is acknowledged',
        () => Promise.resolve(agents.ended === VEHICLES && agents.made === agents.acknowledged),
      );
      const total = VEHICLES * EVENTS + foreign;
      await until(360, 'every event is stored or set aside', async () => {
        const isSettled = await retryNow();
        const known = (await count('events')) + (await count('refused_events'));
        return known >= total && isSettled;
      });

      // Only the rejected events are missing, and only those of the affected vehicles.
      const refused = await count('refused_events');
      say(`${refused} events were set aside`);
      expect(refused).toBeGreaterThan(0);
      expect(await count('events')).toBe(total - refused);
      expect(await count(`refused_events where vin <> all('{${sick.join()}}')`)).toBe(0);
      expect(await count(`refused_events where reason <> 'REFUSED_BY_DATABASE'`)).toBe(0);

      for (const n of sick.keys()) {
        await sql(`alter table events drop constraint poison_${n + 1}`);
      }
      const replayed = await call('POST', '/v1.0/refused-events/replay', {
        body: { filter: {}, limit: 10_000 },
      });
      expect(replayed.body).toEqual({ stored: refused, duplicates: 0, refused: 0, more: false });

      // The same events as in the adapter's stream, each stored and counted once.
      const stream: string[] = [];
      for (let after = '0', more = true; more;) {
        const page: PulledEvents = await adapter.client.call(eventApi.pullEvents, {
          query: { limit: 5_000, after },
        });
        stream.push(...page.events.map((event) => event['event-id']));
        ({ cursor: after, more } = page);
      }
      const rows = await sql<{ event_id: string }>('select event_id from events');
      expect(rows.map(({ event_id }) => event_id).sort()).toEqual(stream.sort());
      expect(stream).toHaveLength(total);
      // Events that were set aside were stored later, by the replay.
      const stored = new Map<string, string[]>();
      const numbered = await sql<{ vin: string; meta: { key: string; value: string }[] }>(
        `select vin, meta from events where ref_id = '${FOREIGN}' and vin <> all('{${sick.join()}}') order by arrival`,
      );
      for (const { vin, meta } of numbered) {
        stored.set(vin, [...(stored.get(vin) ?? []), numberOf(meta)]);
      }
      const sent = fleet.sent();
      for (const vin of sick) sent.delete(vin);
      expect(deviations(sent, stored)).toEqual(NONE);
      await until(30, 'the schedule is completed', async () => {
        return (await call('GET', PATH)).body.status === 'completed';
      });
      const { body: schedule } = await call('GET', PATH);
      expect(schedule.states).toEqual({ success: VEHICLES });
      expect(schedule.waves).toMatchObject([
        { vehicles: VEHICLES, finished: VEHICLES, succeeded: VEHICLES, failed: 0 },
      ]);
      say(`verified ${total} events`);
    } finally {
      await fleet?.stop();
      await adapter.stop();
      carota.child.kill('SIGKILL');
      await carota.ended;
      await proxy.close();
      for (const server of [broker, postgres, adapterPostgres]) await server.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // The backend has exited.
    }
  }
}
