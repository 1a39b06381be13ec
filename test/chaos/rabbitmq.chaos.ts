/**
 * A RabbitMQ cluster of three nodes with two adapters and foreign vehicles: each node and each adapter is killed in
 * turn. RabbitMQ acknowledges a message once two of the three nodes have it on disk, so nothing is lost. When a node dies or
 * returns, its queues may deliver messages again that an adapter has not received yet, behind newer ones.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type AdapterProcess, startAdapterProcess } from '../../src/test-bed/index.js';
import { say, throwDice } from '../support/dice.js';
import { isLong } from '../support/depth.js';
import { PREFETCH, startRabbitCluster } from '../support/rabbitmq.js';
import { ifInstalled, startPostgres, temporaryDirectory } from '../support/servers.js';
import { fleetOf } from '../../src/fleet/index.js';
import { ForeignFleet, prepareOperation } from './foreign-fleet.js';

const VEHICLES = fleetOf(isLong ? 200 : 40);
const PAUSE_MS = 100;
const ROUNDS = isLong ? 4 : 1;

const postgres = await ifInstalled(() => startPostgres());
const cluster = await ifInstalled(() => startRabbitCluster());

test.skipIf(!postgres || !cluster)('killing each node and adapter loses nothing', async () => {
  if (!postgres || !cluster) return;
  const dice = throwDice();
  const directory = temporaryDirectory('rabbit-chaos');
  const start = () =>
    startAdapterProcess({
      dataDir: join(directory, 'data'),
      databaseUrl: `${postgres.url}/postgres`,
      mqttUrl: cluster.mqttUrl,
    });
  const adapters: [AdapterProcess, AdapterProcess] = [await start(), await start()];
  await prepareOperation(adapters[0], VEHICLES);
  const fleet = new ForeignFleet({
    ports: cluster.nodes.map(({ mqttPort }) => mqttPort),
    vehicles: VEHICLES,
    pauseMs: PAUSE_MS,
  });
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const n of [0, 1] as const) {
        await sleep(dice.between(1_000, 3_000));
        say(`kill adapter ${n + 1}  (${fleet.acknowledged} acknowledged)`);
        adapters[n].child.kill('SIGKILL');
        adapters[n] = await start();
      }
    }
    await fleet.whilePaused(() => fleet.verify(adapters[0]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [n, node] of cluster.nodes.entries()) {
        await sleep(dice.between(1_000, 3_000));
        say(`kill node ${n + 1}  (${fleet.acknowledged} acknowledged)`);
        await node.kill();
        await sleep(dice.between(1_000, 3_000));
        await node.restart();
      }
    }
    await sleep(3_000);
    await fleet.stop();
    await fleet.verify(adapters[0], undefined, ROUNDS * cluster.nodes.length * PREFETCH);
    expect((await adapters[0].metrics()).get('otaops_sessions_lost_total')).toBe(0);
  } finally {
    await fleet.stop();
    for (const adapter of adapters) await adapter.stop();
    await cluster.stop();
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});
