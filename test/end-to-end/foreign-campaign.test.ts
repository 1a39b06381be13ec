/**
 * A campaign of vehicles that share no code with ours: they never ask for admission, and their reports arrive late,
 * repeatedly or in the wrong order at a real adapter, which delivers them to a real CarOTA Server. Results follow
 * contract section 10.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';
import { CAROTA_SCHEMA } from '../../src/carota/schema.js';
import { type EventStatusName } from '../../src/contract/index.js';
import { hasTurn } from '../support/depth.js';
import { credentialOf, eventually, httpClient } from '../support/adapter.js';
import { newDatabase, type TestDatabase } from '../support/databases.js';
import { eventBytes, vehicleOf } from '../support/messages.js';
import { connectVehicle, type MqttVehicle } from '../support/mqtt-vehicle.js';
import { otaops, type OtaopsProcess } from '../support/process.js';
import { SECRET_KEY } from '../support/secret-key.js';
import { freePort, temporaryDirectory } from '../support/servers.js';
import { publishScript } from './support/publish-script.js';

const MODEL = 'vehicle model a';
const SCRIPT = 'hu only 001';
const SECRET = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
const vehicles = Array.from({ length: 12 }, (_, n) => vehicleOf(n, 'WVF'));
const directory = temporaryDirectory('foreign');

let databases: { adapter: TestDatabase; carota: TestDatabase };
let servers: OtaopsProcess[];
let adapter: ReturnType<typeof httpClient>;
let carota: ReturnType<typeof httpClient>;
const connected: MqttVehicle[] = [];

beforeAll(async () => {
  databases = {
    adapter: await newDatabase(ADAPTER_SCHEMA),
    carota: await newDatabase(CAROTA_SCHEMA),
  };
  const ports = [await freePort(), await freePort(), await freePort()];
  const [adapterPort, mqttPort, carotaPort] = ports.map(String);
  const [adapterUrl = '', carotaUrl = ''] = [adapterPort, carotaPort].map(
    (port) => `http://127.0.0.1:${port}`,
  );
  const tokenIn = (part: string) => readFileSync(join(directory, part, 'token'), 'utf8').trim();
  const started = async (part: string, args: string[]) => {
    const server = otaops([
      ...[...args, '--data-dir', join(directory, part), '--log-level', 'warn'],
      ...['--callback-secret', SECRET, '--secret-key', SECRET_KEY],
    ]);
    await server.says(/HTTP interface/);
    return server;
  };
  const first = await started('adapter', [
    ...['serve', '--http-port', adapterPort ?? '', '--mqtt-port', mqttPort ?? ''],
    ...['--database-url', databases.adapter.url, '--callback-allow', '127.0.0.0/8'],
    ...['--callback-url', `${carotaUrl}/v1.0/ota/events`],
  ]);
  adapter = httpClient(adapterUrl, tokenIn('adapter'));
  const tokenOf = async (role: string): Promise<string> =>
    (await adapter.call('POST', '/v1.0/tokens', { body: { role, name: role } })).body.token;
  const second = await started('carota', [
    ...['carota', '--http-port', carotaPort ?? '', '--database-url', databases.carota.url],
    ...['--adapter-url', adapterUrl, '--adapter-token', await tokenOf('carota')],
    ...['--adapter-control-token', await tokenOf('operator')],
  ]);
  servers = [second, first];
  carota = httpClient(carotaUrl, tokenIn('carota'));
  for (const { vin, systemId } of vehicles) {
    const body = {
      ...{ system_id: systemId, device_id: 'device1234', ecu_type: 'TCU', model: MODEL },
      credential: credentialOf(vin),
    };
    const { status } = await adapter.call('PUT', `/v1.0/vehicles/${vin}`, { body });
    expect(status).toBeLessThan(300);
  }
  await publishScript(carota, { scriptRefId: SCRIPT, model: MODEL, software: 'software' });
  for (const vehicle of vehicles) {
    connected.push(await connectVehicle(`mqtt://127.0.0.1:${mqttPort}`, vehicle));
  }
});
afterAll(async () => {
  for (const vehicle of connected) await vehicle.end();
  for (const { child } of servers) child.kill('SIGTERM');
  const ended = await Promise.all(servers.map((server) => server.ended));
  await databases.adapter.drop();
  await databases.carota.drop();
  rmSync(directory, { recursive: true, force: true });
  expect(ended).toEqual([0, 0]);
});

const path = (refId: string) => `/v1.0/schedules/${encodeURIComponent(refId)}`;
const until = (refId: string, holds: (schedule: any) => boolean) =>
  eventually(async () => (await carota.call('GET', path(refId))).body, holds, 60_000);

/** Plans a schedule, and waits until all vehicles are triggered. */
async function running(refId: string, guard: object): Promise<void> {
  const vins = vehicles.map(({ vin }) => vin);
  const body = { 'ref-id': refId, 'script-ref-id': SCRIPT, model: MODEL, vins, guard };
  expect((await carota.call('POST', '/v1.0/schedules', { body })).status).toBe(201);
  await until(refId, ({ waves }) => (waves[0]?.postedAt ?? null) !== null);
}

/** The states that a vehicle reports, with their times in ms after a common start. */
type Report = readonly [status: EventStatusName, at: number];
const start = Date.now() - 60_000;
let messages = 0;
async function report(refId: string, n: number, reports: readonly Report[], times = 1) {
  const vehicle = vehicles[n];
  if (!vehicle) throw new Error('no vehicle');
  for (const [status, at] of reports) {
    messages += 1;
    const event = { status, timestamp: start + at, messageId: `msg-dev-${messages}` };
    const bytes = eventBytes(vehicle, { refId, correlationId: '', ...event });
    for (let time = 0; time < times; time += 1) await connected[n]?.send(bytes);
  }
}
const resultOf = async (refId: string, n: number) =>
  (await carota.call('GET', `${path(refId)}/vehicles/${vehicles[n]?.vin ?? ''}`)).body;

const TEST = { tolerated: 0.01, intolerable: 0.5, falseStop: 0.0001, missedStop: 0.0001 };
/** Seconds. */
const HOUR = 3_600;

test.runIf(hasTurn(1))(
  'results depend on what is reported, not on its order or number',
  async () => {
    const refId = 'schedule in any order';
    await running(refId, { test: TEST, afterReboot: HOUR, soak: HOUR });
    // Both fail within the soak; the second one reports the failure first.
    await report(refId, 0, [
      ['downloading', 1],
      ['reboot', 2],
      ['success', 3],
      ['failure', 4],
    ]);
    await report(refId, 1, [
      ['failure', 4],
      ['success', 3],
      ['reboot', 2],
    ]);
    // A failure followed by success, reported in reverse.
    await report(refId, 2, [
      ['success', 5],
      ['download_fail', 2],
      ['downloading', 1],
    ]);
    // Everything three times.
    await report(
      refId,
      3,
      [
        ['consent_accepted', 1],
        ['downloading', 2],
        ['reboot', 3],
        ['success', 4],
      ],
      3,
    );
    await report(refId, 4, [['consent_rejected', 1]], 2);
    await report(refId, 5, [
      ['cancel', 3],
      ['downloading', 1],
    ]);
    await report(refId, 6, [['pki_check_fail', 1]], 2);
    await report(refId, 7, [
      ['downloading', 1],
      ['reboot', 2],
      ['pause', 3],
    ]);
    await report(refId, 8, [['received', 1]]);
    // The call-back keeps the order in which the adapter received the events.
    const { exposure } = await until(refId, ({ states }) => states.received === 1);
    const results = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7, 8].map((n) => resultOf(refId, n)));
    expect(results.map(({ state, result, place }) => [state, result, place])).toEqual([
      ['failure', 'failed', 1],
      ['failure', 'failed', 2],
      ['success', 'undecided', 3],
      ['success', 'undecided', 4],
      ['consent_rejected', null, null],
      ['cancel', 'withdrawn', 5],
      ['pki_check_fail', null, null],
      ['pause', 'undecided', 6],
      ['received', null, null],
    ]);
    expect(exposure).toMatchObject({
      ...{ exposed: 6, undecided: 3, succeeded: 0, failed: 2, silent: 0 },
      ...{ withdrawn: 2, failedEarly: 1 },
    });
    // It reported `pause` after its reboot, which is not final.
    const [, , , , , , , rebooted] = results;
    const time = Date.parse(rebooted.decidesAt) - Date.parse(rebooted.exposedAt);
    expect(time).toBeLessThan(2 * HOUR * 1000);
    expect(await until(refId, () => true)).toMatchObject({ status: 'running' });
  },
  120_000,
);

test.runIf(hasTurn(1))(
  'silence counts as failed until success follows, a failure after the soak does not, and failures stop the schedule',
  async () => {
    const refId = 'schedule in time';
    await running(refId, { maxFailures: 3, afterReboot: 2, soak: 1 });
    await report(refId, 0, [
      ['downloading', 1],
      ['reboot', 2],
      ['pause', 3],
    ]);
    await report(refId, 1, [['success', 2]]);
    await report(refId, 2, [
      ['downloading', 1],
      ['reboot', 2],
    ]);
    await until(refId, ({ exposure }) => exposure.silent === 2 && exposure.succeeded === 1);
    // A failure after the soak no longer counts; a vehicle that was silent succeeds after all.
    await report(refId, 1, [['failure', 3]], 2);
    await report(refId, 2, [['success', 3]], 2);
    const { exposure, status } = await until(refId, (one) => one.exposure.succeeded === 2);
    expect({ status, exposure }).toMatchObject({
      status: 'running',
      exposure: { exposed: 3, undecided: 0, failed: 0, silent: 1 },
    });
    expect(await resultOf(refId, 1)).toMatchObject({ state: 'failure', result: 'succeeded' });
    await report(refId, 3, [['md5_check_fail', 2]], 3);
    expect((await until(refId, (one) => one.exposure.failed === 1)).status).toBe('running');
    await report(refId, 4, [
      ['failure', 3],
      ['downloading', 2],
    ]);
    const stopped = await until(refId, (one) => one.status === 'stopped');
    expect(stopped.reason).toBe('3 vehicles failed, 1 of them by silence');
    const operation = `/v1.0/ota/operations/${encodeURIComponent(refId)}`;
    await eventually(
      async () => (await adapter.call('GET', operation)).body,
      (answer) => answer.status === 'cancelled',
      60_000,
    );
  },
  120_000,
);
