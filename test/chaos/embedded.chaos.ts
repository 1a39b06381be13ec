/** The embedded servers are killed and frozen under load: a PUBACK means that the message is on disk. */
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { startAdapterProcess } from '../../src/test-bed/index.js';
import { freePort, temporaryDirectory } from '../support/servers.js';
import { say, throwDice } from '../support/dice.js';
import { isLong } from '../support/depth.js';
import { MixedFleet } from './mixed-fleet.js';

const VEHICLES = isLong ? 2_000 : 500;
const EVENTS = 25;
const FOREIGN = { vehicles: isLong ? 200 : 50, pauseMs: 200 };
const KILLS = isLong ? 10 : 3;
const FREEZES = isLong ? 3 : 1;
const LOAD_MS = isLong ? 150_000 : 25_000;
const REF_ID = 'chaos';

test('no message is lost, counted twice or out of order', async () => {
  const dice = throwDice();
  const dataDir = temporaryDirectory('chaos-embedded');
  const ports = { httpPort: await freePort(), mqttPort: await freePort() };
  const start = () => startAdapterProcess({ dataDir, ...ports });
  let adapter = await start();
  let fleet: MixedFleet | undefined;
  try {
    fleet = await MixedFleet.start(adapter, {
      own: { vehicles: VEHICLES, events: EVENTS, spreadMs: LOAD_MS },
      foreign: FOREIGN,
      port: ports.mqttPort,
      signIn: true,
      random: () => dice.random(),
    });
    await fleet.trigger(adapter.client, REF_ID);

    const plan = [
      ...Array.from({ length: KILLS }, () => ({ deed: 'kill', at: dice.random() })),
      ...Array.from({ length: FREEZES }, () => ({ deed: 'freeze', at: dice.random() })),
    ].sort((a, b) => a.at - b.at);
    for (const { deed } of plan) {
      await sleep(dice.between(500, 6_000));
      say(`${deed}  (${fleet.progress})`);
      if (deed === 'freeze') {
        adapter.child.kill('SIGSTOP');
        await sleep(5_000);
        adapter.child.kill('SIGCONT');
        continue;
      }
      const exit = new Promise((resolve) => adapter.child.once('exit', resolve));
      adapter.child.kill('SIGKILL');
      await exit;
      adapter = await start();
    }
    say('calm');
    await fleet.verify(adapter, REF_ID);
  } finally {
    await fleet?.stop();
    await adapter.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
