/**
 * Two adapters and a CarOTA Server on a PostgreSQL primary with a synchronous standby, under load. The primary is
 * killed (or frozen, so that its connections are half-open) and the standby is promoted. All three follow it within
 * 10 s without a restart, and afterwards everything agrees with the vehicles' own records.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startAdapterProcess } from '../../src/test-bed/index.js';
import { triggerApi } from '../../src/contract/adapter-api/index.js';
import { carotaTokenApi } from '../../src/contract/carota-api/index.js';
import { Client } from '../../src/contract/index.js';
import { say, throwDice } from '../support/dice.js';
import { isLong } from '../support/depth.js';
import { startPostgresPair } from '../support/postgres-pair.js';
import { firstToken, otaops } from '../support/process.js';
import { ifInstalled, startMosquitto, temporaryDirectory } from '../support/servers.js';
import { MixedFleet } from './mixed-fleet.js';
import { whenAvailable } from './when-available.js';

const VEHICLES = isLong ? 2_000 : 300;
const EVENTS = 12;
const FOREIGN = { vehicles: isLong ? 200 : 40, pauseMs: 250 };
const SPREAD_MS = isLong ? 60_000 : 12_000;
const FOLLOW_SECONDS = 10;

test.each(['SIGKILL', 'SIGSTOP'] as const)(
  '%s of the primary: all servers follow the standby, with nothing lost, duplicated or out of order',
  async (signal) => {
    const pair = await ifInstalled(startPostgresPair);
    const broker = await ifInstalled(() => startMosquitto());
    if (!pair || !broker) return;
    const dice = throwDice();
    const directory = temporaryDirectory('fail-over');
    for (const name of ['adapter', 'carota']) await pair.primary.query(`create database ${name}`);
    const start = () =>
      startAdapterProcess({
        dataDir: join(directory, 'adapter'),
        databaseUrl: `${pair.url}/adapter`,
        mqttUrl: broker.url,
      });
    const adapters = [await start(), await start()] as const;
    const [adapter] = adapters;
    const carota = otaops([
      'carota',
      ...['--database-url', `${pair.url}/carota`, '--data-dir', join(directory, 'carota')],
      ...['--http-port', '0', '--log-level', 'warn'],
    ]);
    const carotaUrl = (await carota.says(/HTTP interface\s+(http:\S+)/))[1] ?? '';
    const token = await firstToken(carota);
    const places = [...adapters.map(({ httpUrl }) => httpUrl), carotaUrl];
    let fleet: MixedFleet | undefined;
    let frozen: number[] = [];
    try {
      fleet = await MixedFleet.start(adapter, {
        own: { vehicles: VEHICLES, events: EVENTS, spreadMs: SPREAD_MS },
        foreign: FOREIGN,
        port: broker.port,
        random: () => dice.random(),
      });
      const vins = [...fleet.vins];
      const event = {
        time: Date.now(),
        version: 'v1' as const,
        body: { model: 'm', 'ref-id': 'fail-over', 'script-ref-id': 's', vins },
      };
      await adapter.client.call(triggerApi.trigger, { body: event });
      while (fleet.agents.acknowledged < (VEHICLES * EVENTS) / 4) await sleep(50);

      say(`${signal}  (${fleet.progress})`);
      if (signal === 'SIGKILL') await pair.primary.kill();
      else {
        const backends = await pair.primary.query('select pid from pg_stat_activity');
        frozen = [pair.primary.pid, ...backends.split('\n').map(Number)];
        sendAll(frozen, 'SIGSTOP');
      }
      await pair.standby.promote();
      const promoted = performance.now();
      const seconds = await Promise.all(
        places.map(async (url) => {
          for (;;) {
            const answer = await fetch(`${url}/readyz`, {
              signal: AbortSignal.timeout(1_000),
            }).catch(() => undefined);
            if (answer?.ok) return (performance.now() - promoted) / 1000;
            await sleep(50);
          }
        }),
      );
      say(`followed after ${seconds.map((s) => s.toFixed(1)).join(', ')} s`);
      for (const each of seconds) expect(each).toBeLessThan(FOLLOW_SECONDS);
      // Write through an adapter and the CarOTA Server; repeating the trigger adds nothing.
      // A connection to the old primary that was still open may have answered /readyz, and been given up since.
      const repeated = await whenAvailable(() =>
        adapters[1].client.call(triggerApi.trigger, { body: event }),
      );
      expect(repeated).toMatchObject({ accepted: 0 });
      const toCarota = new Client({ url: carotaUrl, token });
      const body = { role: 'viewer', name: 'after' } as const;
      await whenAvailable(() => toCarota.call(carotaTokenApi.createToken, { body }));
      expect((performance.now() - promoted) / 1000).toBeLessThan(FOLLOW_SECONDS);
      sendAll(frozen, 'SIGCONT');
      await fleet.verify(adapter, 'fail-over');
    } finally {
      await fleet?.stop();
      for (const each of adapters) await each.stop();
      carota.child.kill('SIGTERM');
      await carota.ended;
      sendAll(frozen, 'SIGCONT');
      await broker.stop();
      await pair.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

function sendAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // The backend has exited.
    }
  }
}
