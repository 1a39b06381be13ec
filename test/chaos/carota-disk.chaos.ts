/**
 * Faults of the CarOTA Server's disk, which holds its embedded database and its image repository, while vehicles
 * report to an adapter on another disk: a power cut, a full disk, a missing image repository. The server reports what
 * is wrong; in the end it has stored each event once and in order.
 */
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startAdapterProcess } from '../../src/test-bed/index.js';
import { receiverApi } from '../../src/contract/adapter-api/index.js';
import { fleetOf } from '../../src/fleet/index.js';
import { SECRET } from '../carota/support/test-carota.js';
import { httpClient } from '../support/adapter.js';
import { say, throwDice } from '../support/dice.js';
import { isLong } from '../support/depth.js';
import { firstToken, otaops } from '../support/process.js';
import { freePort, temporaryDirectory } from '../support/servers.js';
import { sqlOn } from '../support/sql.js';
import { BlockDevice, fill } from './block-device.js';
import { deviations, NONE } from './deviations.js';
import { ForeignFleet, numberOf, prepareOperation } from './foreign-fleet.js';

const VEHICLES = fleetOf(isLong ? 100 : 40);
/** Mean interval between two messages of a vehicle, ms. */
const PAUSE_MS = 250;
const CUTS = isLong ? 10 : 2;
const MEGABYTES = 1_500;
const isRoot = process.getuid?.() === 0;

test.skipIf(!isRoot)(
  'each event is stored once and in order, whatever happens to the disk',
  async () => {
    const dice = throwDice();
    const directory = temporaryDirectory('carota-disk');
    const device = new BlockDevice(MEGABYTES);
    const dataDir = join(device.folder, 'data');
    const mqttPort = await freePort();
    const adapter = await startAdapterProcess({ dataDir: join(directory, 'adapter'), mqttPort });
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const start = async () => {
      const server = otaops(
        [
          ...['carota', '--http-port', String(port), '--log-level', 'warn'],
          ...['--data-dir', dataDir, '--adapter-url', adapter.httpUrl],
        ],
        { OTAOPS_ADAPTER_TOKEN: adapter.token, OTAOPS_CALLBACK_SECRET: SECRET },
      );
      await server.says(/HTTP interface/);
      return server;
    };
    const sql = sqlOn({ host: join(dataDir, 'database'), user: 'otaops', database: 'postgres' });
    const count = async () =>
      Number((await sql<{ n: string }>('select count(*) as n from events'))[0]?.n);
    const until = async (seconds: number, what: string, isSo: () => Promise<boolean>) => {
      const deadline = Date.now() + seconds * 1000;
      while (!(await isSo().catch(() => false))) {
        if (Date.now() > deadline)
          throw new Error(`not within ${seconds} s: ${what}\n${carota.output().slice(-2_000)}`);
        await sleep(200);
      }
    };
    const readiness = async () => {
      const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) });
      const { problem } = (await answer.json()) as { problem?: string };
      return { status: answer.status, problem };
    };
    /** What an operator does once the cause is fixed, instead of waiting for a backoff that has grown to minutes. */
    const retryNow = async () => {
      const { items } = await adapter.client.call(receiverApi.listReceivers, {});
      for (const { id } of items.filter(({ failures }) => failures > 0)) {
        const body = { enabled: true };
        await adapter.client.call(receiverApi.changeReceiver, { params: { id }, body });
      }
    };
    /** Waits until new events arrive. */
    const goesOn = async () => {
      const before = await count();
      await until(60, 'events arrive again', async () => {
        await retryNow();
        return (await count()) > before + VEHICLES.length;
      });
    };

    let carota = await start();
    const token = await firstToken(carota);
    const { call } = httpClient(url, token);
    let fleet: ForeignFleet | undefined;
    const acts: Record<string, () => Promise<void>> = {
      'power cut': async () => {
        device.cutPower();
        carota.child.kill('SIGKILL');
        await carota.ended;
        await device.unmount();
        device.mount();
        carota = await start();
        await goesOn();
      },
      'the disk is full': async () => {
        const ballast = fill(device.folder);
        await until(30, 'the server reports that there is no room', async () => {
          const { status, problem } = await readiness();
          return status === 503 && problem?.includes('no room on the disk') === true;
        });
        const upload = await call('POST', '/v1.0/artifacts', {
          headers: { 'content-type': 'application/octet-stream' },
          body: Buffer.from('software'),
        });
        expect(upload).toMatchObject({ status: 409, body: { errorMessage: /disk|free/ } });
        rmSync(ballast);
        // Otherwise the next power cut may bring it back.
        device.sync();
        await until(60, 'the server is ready', async () => (await readiness()).status === 200);
        await goesOn();
      },
      'the image repository is missing': async () => {
        const folder = join(dataDir, 'image-repository');
        renameSync(folder, `${folder}.away`);
        const away = await call('GET', '/v1.0/image-repository');
        expect(away.status).toBe(404);
        expect(away.body.errorMessage).toContain('there is no repository');
        expect((await fetch(`${url}/uptane/image/metadata/timestamp.json`)).status).toBe(404);
        await goesOn();
        renameSync(`${folder}.away`, folder);
        expect((await call('GET', '/v1.0/image-repository')).status).toBe(200);
      },
    };
    try {
      // Records the order in which events are stored.
      await sql('alter table events add column arrival bigserial');
      await sql('grant usage on all sequences in schema public to public');
      await prepareOperation(adapter, VEHICLES);
      await adapter.client.call(receiverApi.addReceiver, {
        body: { name: 'carota', url: `${url}/v1.0/ota/events`, secret: SECRET, after: 0 },
      });
      const foreign = new ForeignFleet({
        vehicles: VEHICLES,
        ports: [mqttPort],
        signIn: true,
        pauseMs: PAUSE_MS,
      });
      fleet = foreign;
      await until(60, 'events arrive', async () => (await count()) > VEHICLES.length);
      const plan = [
        ...Array.from({ length: CUTS }, () => 'power cut'),
        'the disk is full',
        'the image repository is missing',
      ]
        .map((act) => ({ act, at: dice.random() }))
        .sort((a, b) => a.at - b.at);
      for (const { act } of plan) {
        await sleep(dice.between(200, 2_000));
        say(`${act}  (${foreign.acknowledged} acknowledged)`);
        await acts[act]?.();
      }
      await foreign.stop();
      const { stored } = await foreign.verify(adapter);
      await until(120, 'all events have arrived', async () => {
        await retryNow();
        return (await count()) >= stored;
      });
      const arrived = new Map<string, string[]>();
      for (const { vin, meta } of await sql<{
        vin: string;
        meta: { key: string; value: string }[];
      }>('select vin, meta from events order by arrival')) {
        arrived.set(vin, [...(arrived.get(vin) ?? []), numberOf(meta)]);
      }
      expect(deviations(foreign.sent(), arrived)).toEqual(NONE);
      say(`verified ${stored} events`);
    } finally {
      await fleet?.stop();
      carota.child.kill('SIGTERM');
      await carota.ended;
      await adapter.stop();
      await device.remove();
      rmSync(directory, { recursive: true, force: true });
    }
  },
);
