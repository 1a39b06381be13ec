/** An adapter on a machine with a wrong clock, and one with a correct clock, on one database and one broker. */
import { readdirSync, rmSync } from 'node:fs';
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasTurn, isFullDepth } from '../support/depth.js';
import { type AdapterProcess, startAdapterProcess } from '../../src/test-bed/index.js';
import { operationApi, registryApi, triggerApi } from '../../src/contract/adapter-api/index.js';
import { type DispatchOptions } from '../../src/contract/index.js';
import { newDeviceMessageId } from '../../src/contract/index.js';
import { eventually, triggerEvent } from '../support/adapter.js';
import { emptyPostgresUrl, hasMosquitto } from '../support/databases.js';
import { FakeClock, faketimeLibrary } from '../support/fake-clock.js';
import { eventBytes, type TestVehicle, vehicleOf } from '../support/messages.js';
import { otaops } from '../support/process.js';
import { runCommand } from '../support/run-command.js';
import { type Server, startMosquitto, temporaryDirectory } from '../support/servers.js';

const OFFSET = 'otaops_clock_offset_seconds';
const TTL_SECONDS = 3;

const isTurn = hasTurn(0) && hasMosquitto() && faketimeLibrary !== undefined;

describe.runIf(isTurn)('a wrong clock', () => {
  const dataDir = temporaryDirectory('clocks');
  const clock = new FakeClock(20);
  let broker: Server;
  let databaseUrl: string;
  let right: AdapterProcess;
  let wrong: AdapterProcess;
  let log = '';

  beforeAll(async () => {
    broker = await startMosquitto();
    databaseUrl = await emptyPostgresUrl();
    const start = (environment: Record<string, string>) =>
      startAdapterProcess({ dataDir, databaseUrl, mqttUrl: broker.url, environment });
    right = await start({});
    wrong = await start(clock.environment);
    wrong.child.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()));
  });
  afterAll(async () => {
    await wrong.stop();
    await right.stop();
    await broker.stop();
    clock.remove();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const offsetOf = async (adapter: AdapterProcess) => (await adapter.metrics()).get(OFFSET) ?? NaN;
  const register = async (vehicles: TestVehicle[]) => {
    const lines = vehicles.map(({ vin, systemId }) => JSON.stringify({ vin, system_id: systemId }));
    const content = { type: 'application/x-ndjson', body: lines.join('\n') };
    await right.client.call(registryApi.importVehicles, { content });
  };
  const trigger = (refId: string, vehicles: TestVehicle[], dispatch: DispatchOptions) => {
    const { body, ...rest } = triggerEvent(refId, vehicles.map(({ vin }) => vin)); // prettier-ignore
    const event = { ...rest, version: 'v1' as const, body: { ...body, dispatch } };
    return right.client.call(triggerApi.trigger, { body: event });
  };
  const stateOf = (adapter: AdapterProcess, refId: string, { vin }: TestVehicle) =>
    adapter.client.call(operationApi.getOperationVehicle, { params: { 'ref-id': refId, vin } });
  const connected = (): Promise<MqttClient> =>
    mqtt.connectAsync(broker.url, { reconnectPeriod: 0, protocolVersion: 4 });

  test('that is 40 s off aborts the start of an adapter and of a CarOTA Server; the message names both times', async () => {
    const refused = async (command: string, ahead: number) => {
      const bad = new FakeClock(ahead);
      const folder = temporaryDirectory('refused');
      const url = await emptyPostgresUrl();
      const flags = ['--database-url', url, '--data-dir', folder, '--http-port', '0'];
      const run = otaops([command, ...flags], bad.environment);
      expect(await run.ended).toBe(1);
      expect(run.output()).toMatch(
        /the clock of this machine says \S+Z, that of the database \S+Z: they differ by (39|40)\.\d s/,
      );
      // Not even the first token was created.
      expect(readdirSync(folder)).toEqual([]);
      bad.remove();
      rmSync(folder, { recursive: true });
    };
    await Promise.all([refused('serve', 40), refused('carota', -40)]);
  });

  test('that is 20 s ahead appears in the metrics and in otaops doctor', async () => {
    expect(await offsetOf(wrong)).toBeCloseTo(20, 0);
    expect(await offsetOf(right)).toBeCloseTo(0, 0);
    const doctor = (url: string) =>
      runCommand(['doctor', '--url', url, '--token', right.token, '--mqtt-url', broker.url]);
    const sick = await doctor(wrong.httpUrl);
    expect(sick.code).toBe(1);
    expect(sick.output).toMatch(/BAD {2}clock: .*(19|20)\.\d\d s ahead of the database/);
    const healthy = await doctor(right.httpUrl);
    expect(healthy.code).toBe(0);
    expect(healthy.output).toMatch(/ok {3}clock/);
  });

  test.runIf(isFullDepth).each([60, -60])(
    'that is set by %i s while the process runs has no effect',
    async (ahead) => {
      clock.set(ahead);
      await eventually(
        () => offsetOf(wrong),
        (offset) => Math.abs(offset - ahead) < 1,
      );
      await eventually(
        () => Promise.resolve(log),
        (text) =>
          /"level":"error".*the clock of this machine and that of the database differ/.test(text),
      );
      const run = `run${ahead}`;
      const away = Array.from({ length: 20 }, (_, n) => vehicleOf(n + 100 + ahead, 'AWY'));
      const there = Array.from({ length: 20 }, (_, n) => vehicleOf(n + 100 + ahead, 'THR'));
      await register([...away, ...there]);

      // No trigger expires early or late, whichever adapter checks it.
      const triggered = performance.now();
      await trigger(`${run}-away`, away, { ttl: TTL_SECONDS });
      // While one adapter has claimed triggers and the broker does not answer, the other one leaves them alone.
      const heard: string[] = [];
      const vehicles = await connected();
      vehicles.on('message', (topic) => heard.push(topic));
      await vehicles.subscribeAsync(
        there.map(({ systemId }) => `c2d/${systemId}`),
        { qos: 1 },
      );
      process.kill(broker.pid, 'SIGSTOP');
      await trigger(`${run}-there`, there, {});
      await eventually(
        async () => performance.now() - triggered,
        (ms) => ms > 2_000,
      );
      process.kill(broker.pid, 'SIGCONT');

      for (const vehicle of away) {
        await eventually(
          () => stateOf(right, `${run}-away`, vehicle),
          ({ state }) => state === 'expired' || performance.now() - triggered > 40_000,
        );
        if (vehicle !== away[0]) continue;
        const seconds = (performance.now() - triggered) / 1000;
        expect(seconds).toBeGreaterThan(TTL_SECONDS - 0.1);
        // A wrong clock would make it a minute early or late; a busy machine causes a delay of seconds.
        expect(seconds).toBeLessThan(TTL_SECONDS + 30);
      }
      await eventually(
        () => Promise.resolve(new Set(heard).size),
        (count) => count === there.length,
      );
      expect(heard).toHaveLength(there.length);

      // The time of receipt is the database's, whichever adapter received it.
      const before = Date.now();
      for (const vehicle of there) {
        const event = eventBytes(vehicle, {
          messageId: newDeviceMessageId(),
          correlationId: '',
          refId: `${run}-there`,
          status: 'success',
          timestamp: Math.floor(before / 1000),
        });
        await vehicles.publishAsync(`d2c/${vehicle.systemId}`, event, { qos: 1 });
      }
      for (const vehicle of there) {
        const { history, state } = await eventually(
          () => stateOf(right, `${run}-there`, vehicle),
          (answer) => answer.history.length > 0,
        ).then(() => stateOf(right, `${run}-there`, vehicle));
        expect(state).toBe('success');
        const at = Date.parse(history[0]?.['received-at'] ?? '');
        expect(at).toBeGreaterThan(before - 500);
        expect(at).toBeLessThan(Date.now() + 500);
      }
      await vehicles.endAsync(true);
    },
  );
});
