/**
 * The full path of the seed's trigger, in real processes over real sockets: otaops serve, curl-like
 * requests, and mosquitto_sub and mosquitto_pub as a vehicle that shares no code with us.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasTurn } from '../support/depth.js';
import { httpClient } from '../support/adapter.js';
import { firstToken, otaops, type OtaopsProcess } from '../support/process.js';
import { mosquittoClients, temporaryDirectory } from '../support/servers.js';

const run = promisify(execFile);
const clients = await mosquittoClients();

/** The seed's trigger; only its curly quotes and trailing comma were corrected to valid JSON. */
const SEED_TRIGGER = `{
   "time":1625660275379,
   "version": "v1",
   "body": {
     "model" : "vehicle model a",
     "ref-id": "schedule 0909",
     "script-ref-id" : "hu only 001",
     "vins": ["5YJSA1E40FF345678", "5YJSA1E40FF345679"]
   }
}`;
const [VIN, SILENT_VIN] = ['5YJSA1E40FF345678', '5YJSA1E40FF345679'];
const SYSTEM_ID = 'c2c-sys-foreign';

describe.runIf(hasTurn(2) && clients !== undefined)('a foreign vehicle', () => {
  const dataDir = temporaryDirectory('seed');
  let server: OtaopsProcess;
  let http: ReturnType<typeof httpClient>;
  let mqttPort: string;
  let credential: string;

  beforeAll(async () => {
    server = otaops(['serve', '--http-port', '0', '--mqtt-port', '0', '--data-dir', dataDir]);
    const [, url = ''] = await server.says(/HTTP interface\s+(http:\S+)/);
    [, mqttPort = ''] = await server.says(/mqtt:\/\/127\.0\.0\.1:(\d+)/);
    const token = await firstToken(server);
    http = httpClient(url, token);
    const body = { system_id: SYSTEM_ID, device_id: 'device1234', ecu_type: 'TCU' };
    ({ credential } = (await http.call('PUT', `/v1.0/vehicles/${VIN}`, { body })).body);
    await http.call('PUT', `/v1.0/vehicles/${SILENT_VIN}`, { body: { system_id: 'c2c-sys-2' } });
  });
  afterAll(async () => {
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(0);
    rmSync(dataDir, { recursive: true, force: true });
  });

  const identity = () => [
    ...['-h', '127.0.0.1', '-p', mqttPort, '-q', '1'],
    ...['-u', SYSTEM_ID, '-P', credential, '-i', SYSTEM_ID],
  ];
  const publish = (message: object) =>
    run(clients?.pub ?? '', [
      ...identity(),
      ...['-t', `d2c/${SYSTEM_ID}`, '-m', JSON.stringify(message)],
    ]);
  const vehicleState = async () =>
    (await http.call('GET', `/v1.0/ota/operations/schedule%200909/vehicles/${VIN}`)).body;

  test('the token is in the data directory, readable only by its owner', () => {
    const file = join(dataDir, 'token');
    expect(server.output()).toContain(file);
    expect(server.output()).not.toContain(readFileSync(file, 'utf8').trim());
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('receives the trigger, acknowledges and reports until success', async () => {
    const subscriber = spawn(clients?.sub ?? '', [
      ...identity(),
      ...['-c', '-t', `c2d/${SYSTEM_ID}`, '-C', '1'],
    ]);
    let heard = '';
    subscriber.stdout.on('data', (chunk: Buffer) => (heard += chunk.toString()));

    const answer = await http.call('POST', '/v1.0/ota/trigger', { body: SEED_TRIGGER });
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ 'ref-id': 'schedule 0909', accepted: 2, rejected: [] });
    // It may subscribe before or after the trigger: a vehicle that connects receives what is due.
    await once(subscriber, 'close');

    const trigger = JSON.parse(/^\{.*\}$/m.exec(heard)?.[0] ?? '') as Record<string, string>;
    expect(trigger).toMatchObject({ vin: VIN, system_id: SYSTEM_ID, message_type: 'OTA_TRIGGER' });
    expect(JSON.parse(Buffer.from(trigger.body ?? '', 'base64').toString())).toEqual({
      model: 'vehicle model a',
      'ref-id': 'schedule 0909',
      'script-ref-id': 'hu only 001',
      vin: VIN,
    });

    // Written by hand, like the seed's examples.
    const now = Math.floor(Date.now() / 1000);
    const base64 = (body: object) => Buffer.from(JSON.stringify(body)).toString('base64');
    const envelope = (id: string, type: string, body: object) => ({
      message_id: `msg-dev-${id}`,
      correlation_id: trigger.message_id,
      version: 'v1',
      system_id: SYSTEM_ID,
      sub_system_id: '',
      vin: VIN,
      device_id: 'device1234',
      ecu_type: 'TCU',
      source_id: 'c2c-edge',
      target_id: 'c2c-otaadapter',
      message_type: type,
      time: now,
      ttl: -1,
      status: 'SUBMIT',
      property_bag: { body_encoding_type: 1 },
      body: base64(body),
    });
    await publish(envelope('ack', 'OTA_TRIGGER_ACK', { acknowledge_time: Date.now() }));
    // mosquitto_pub exits at PUBACK, which follows the commit.
    expect((await vehicleState()).state).toBe('acknowledged');

    const steps = [1, 100, 3, 4, 9, 11, 5, 6];
    for (const [n, status] of steps.entries()) {
      const meta = status === 3 ? [{ key: 'download', value: '40%' }] : [];
      const body = { status, meta, timestamp: now + 1 + n, 'ref-id': 'schedule 0909', vin: VIN };
      await publish(envelope(`event-${n}`, 'OTA_EVENT', body));
    }
    const state = await vehicleState();
    expect(state.state).toBe('success');
    expect(state.history.map((entry: { 'status-name': string }) => entry['status-name'])).toEqual([
      null,
      ...['received', 'consent_accepted', 'downloading', 'downloaded'],
      ...['md5_check_success', 'pki_check_success', 'reboot', 'success'],
    ]);
    const { body: operation } = await http.call('GET', '/v1.0/ota/operations/schedule%200909');
    expect(operation).toMatchObject({
      vehicles: 2,
      finished: 1,
      states: { success: 1, sent: 1 },
      scheduledAt: '2021-07-07T12:17:55.379Z',
    });
    expect(await http.storedMessages()).toBe(9);
  });

  test('keeps its state through kill -9 of the adapter', async () => {
    const before = await vehicleState();
    server.child.kill('SIGKILL');
    await server.ended;
    server = otaops(['serve', '--http-port', '0', '--mqtt-port', '0', '--data-dir', dataDir]);
    const [, url = ''] = await server.says(/HTTP interface\s+(http:\S+)/);
    await server.says(/mqtt:\/\/127\.0\.0\.1:(\d+)/);
    http = httpClient(url, readFileSync(join(dataDir, 'token'), 'utf8').trim());
    expect(await vehicleState()).toEqual(before);
    expect(await http.storedMessages()).toBe(9);
    expect(server.output()).not.toContain('Initial admin');
  });
});
