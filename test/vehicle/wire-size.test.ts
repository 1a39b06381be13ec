/** The bytes that one update sends and receives, with the CarOTA Server's own keys, are those in docs/vehicle.md. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  AutomaticConsent,
  openVehicle,
  provisionVehicle,
  type RealVehicle,
} from '../../src/vehicle/index.js';
import {
  type AdapterDouble,
  eventOf,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../carota/support/test-carota.js';
import { eventually } from '../support/adapter.js';
import { CountingProxy } from '../support/counting-proxy.js';
import { temporaryDirectory } from '../support/servers.js';
import { must } from '../uptane/support/must.js';
import { IDENTITY, PlatformDouble } from './support/platform-double.js';
import { softwareOf } from './support/software.js';

const { vin } = IDENTITY;
const IMAGE_BYTES = 200_000;

let adapter: AdapterDouble;
let carota: TestCarota;
let proxy: CountingProxy;
let vehicle: RealVehicle;
let platform: PlatformDouble;

beforeAll(async () => {
  adapter = await startAdapterDouble();
  carota = await startTestCarota(adapter.url);
  const { httpUrl, directorRootFile, imageRootFile, timeKeysFile } = carota.carota;
  proxy = await CountingProxy.to(Number(new URL(httpUrl).port));
  const description = {
    vin,
    ecus: [
      { serial: 'P-1', name: 'OTA-MANAGER', hardwareId: 'hw-primary', isPrimary: true },
      { serial: 'H-1', name: 'HU', hardwareId: 'hw-hu', version: '1.0.0' },
    ],
  };
  const directory = temporaryDirectory('wire-size');
  const ecus = provisionVehicle(directory, Buffer.from(JSON.stringify(description)), {
    directorRoot: readFileSync(must(directorRootFile)),
    imageRoot: readFileSync(must(imageRootFile)),
    timeKeys: readFileSync(must(timeKeysFile)),
    now: Date.now() - 1_000,
  });
  await carota.call('PUT', `/v1.0/vehicles/${vin}`, { body: { model: MODEL } });
  await carota.call('PUT', `/v1.0/vehicles/${vin}/ecus`, { body: { ecus } });
  const body = { name: 'a vehicle', role: 'vehicle', vin };
  const { token } = (await carota.call('POST', '/v1.0/tokens', { body })).body;
  platform = new PlatformDouble();
  vehicle = openVehicle({
    identity: IDENTITY,
    model: MODEL,
    link: platform,
    directory,
    carotaUrl: proxy.url,
    carotaToken: token,
    consent: new AutomaticConsent(true),
    pace: { progressSeconds: 60, checkSeconds: 60 },
    patience: { attempts: 2, pauseMs: 10 },
  });
  vehicle.agent.goOnline();
});
afterAll(async () => {
  await vehicle.stop();
  await proxy.close();
  await carota.stop();
  await adapter.stop();
});

/** Publishes and orders an update. @returns its schedule */
async function order(scriptRefId: string, version: string, counter: number): Promise<string> {
  const query = `hardwareIds=hw-hu&releaseCounter=${counter}`;
  const { body: stored } = await carota.call('POST', `/v1.0/artifacts?${query}`, {
    headers: { 'content-type': 'application/octet-stream' },
    body: softwareOf(IMAGE_BYTES),
  });
  const { sha256, md5, size } = stored as Record<string, unknown>;
  await carota.call(
    'POST',
    `/v1.0/update-scripts?hardwareIds=hw-primary&releaseCounter=${counter}`,
    {
      body: {
        version: 'v1',
        'script-ref-id': scriptRefId,
        model: MODEL,
        ecus: [{ ecu: 'HU', version, artifact: { sha256, md5, size } }],
      },
    },
  );
  const refId = `schedule of ${scriptRefId}`;
  platform.refId = refId;
  const plan = { 'ref-id': refId, 'script-ref-id': scriptRefId, model: MODEL, vins: [vin] };
  await carota.call('POST', '/v1.0/schedules', { body: plan });
  await eventually(
    async () => (await carota.call('GET', `/v1.0/vehicles/${vin}/ecus`)).body.order,
    (due) => due?.['ref-id'] === refId && due.blocked === null,
  );
  return refId;
}

/** Sends one trigger. @returns the final state, and the HTTP bytes to and from the server */
async function knocked(scriptRefId: string) {
  const before = { sent: proxy.sent, received: proxy.received };
  platform.trigger(scriptRefId);
  await vehicle.agent.idle();
  return {
    state: platform.statuses.at(-1),
    sent: proxy.sent - before.sent,
    received: proxy.received - before.received,
  };
}

const document = readFileSync(new URL('../../docs/vehicle.md', import.meta.url), 'utf8');

/** Expects that the numbers are within a tenth of the document's row. */
function expectAsDocumented(row: string, sent: number, received: number): void {
  const [, up = '', down = ''] =
    new RegExp(`^\\| ${row} +\\| ([0-9.]+) kB +\\| ([0-9.]+) kB`, 'm').exec(document) ?? [];
  for (const [what, bytes, said] of [
    ['sent', sent, up],
    ['received', received, down],
  ] as const) {
    const share = bytes / (Number(said) * 1_000);
    expect(
      Math.abs(share - 1),
      `${row}: ${bytes} bytes ${what}, documented ${said} kB`,
    ).toBeLessThan(0.1);
  }
}

test('the first update, the next one, and a trigger without an order have the documented sizes', async () => {
  const refId = await order('hu only 001', '1.1.0', 1);
  const first = await knocked('hu only 001');
  expect(first).toMatchObject({ state: 'success' });
  expectAsDocumented('first update', first.sent, first.received - IMAGE_BYTES);
  const { acks, events } = platform.bytes;
  expectAsDocumented('MQTT payloads of an update', acks + events, platform.triggerBytes);

  await carota.callBack([eventOf({ refId, vin, status: 'success' })]);
  const second = await order('hu only 002', '1.2.0', 2);
  const next = await knocked('hu only 002');
  expect(next.state).toBe('success');
  expectAsDocumented('next update', next.sent, next.received - IMAGE_BYTES);

  await carota.callBack([eventOf({ refId: second, vin, status: 'success' })]);
  const idle = await knocked('hu only 002');
  expect(idle.state).toBe('success');
  expectAsDocumented('trigger, nothing due', idle.sent, idle.received);
});
