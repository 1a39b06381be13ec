/** The embedded servers under load, killed and frozen: PUBACK means that the message is on disk. */
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { startAdapterProcess } from '../../src/test-bed/index.js';
import { registryApi, triggerApi } from '../../src/contract/adapter-api/index.js';
import { fleetOf, registrationLine } from '../../src/fleet/index.js';
import { freePort, temporaryDirectory } from '../support/servers.js';
import { say, throwDice } from '../support/dice.js';
import { isLong } from '../support/depth.js';
import { RecordingFleet } from './recording-fleet.js';
import { verify } from './verify.js';

const VEHICLES = isLong ? 2_000 : 600;
const EVENTS = 25;
const KILLS = isLong ? 10 : 3;
const FREEZES = isLong ? 3 : 1;
const LOAD_MS = isLong ? 150_000 : 25_000;
const REF_ID = 'chaos';

test('no message is lost or counted twice', async () => {
  const dice = throwDice();
  const dataDir = temporaryDirectory('chaos-embedded');
  const ports = { httpPort: await freePort(), mqttPort: await freePort() };
  const start = () => startAdapterProcess({ dataDir, ...ports });
  let adapter = await start();
  const fleet = new RecordingFleet(fleetOf(VEHICLES), {
    mqttUrl: `mqtt://127.0.0.1:${ports.mqttPort}`,
    events: EVENTS,
    spreadMs: LOAD_MS,
    random: () => dice.random(),
  });
  try {
    const lines = fleetOf(VEHICLES).map(registrationLine).join('\n');
    await adapter.client.call(registryApi.importVehicles, {
      content: { type: 'application/x-ndjson', body: lines },
    });
    await fleet.start();
    const vins = fleetOf(VEHICLES).map(({ vin }) => vin);
    const body = { model: 'm', 'ref-id': REF_ID, 'script-ref-id': 's', vins };
    await adapter.client.call(triggerApi.trigger, {
      body: { time: Date.now(), version: 'v1', body },
    });

    const plan = [
      ...Array.from({ length: KILLS }, () => ({ deed: 'kill', at: dice.random() })),
      ...Array.from({ length: FREEZES }, () => ({ deed: 'freeze', at: dice.random() })),
    ].sort((a, b) => a.at - b.at);
    for (const { deed } of plan) {
      await sleep(dice.between(500, 6_000));
      say(`${deed}  (${fleet.acknowledged} of ${VEHICLES * (EVENTS + 1)} acknowledged)`);
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
    await verify(adapter, REF_ID, fleet);
    say(`verified ${fleet.made} messages of ${VEHICLES} vehicles`);
  } finally {
    await fleet.stop();
    await adapter.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
