/**
 * A campaign with real parts: CarOTA Server, adapter and 20 full vehicle agents, each in its own process. Three
 * fail and roll back, one user declines, one vehicle receives a forged script; then the guard stops a bad schedule.
 */
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signScript, type UpdateScript } from '../../src/update-script/index.js';
import { credentialOf, eventually, httpClient } from '../support/adapter.js';
import { newAuthority, newSigner } from '../support/certificates.js';
import { vehicleOf } from '../support/messages.js';
import { otaops, type OtaopsProcess } from '../support/process.js';
import { freePort, temporaryDirectory } from '../support/servers.js';

const MODEL = 'vehicle model a';
const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const vehicles = Array.from({ length: 20 }, (_, n) => vehicleOf(n, 'WBA'));
const vins = vehicles.map(({ vin }) => vin);
const SICK = new Set(vins.slice(5, 8));
const REFUSING = vins[8] ?? '';
const DECEIVED = vins[9] ?? '';

/** Version 2 fails on every vehicle; 1.1 on three. */
const healthOf = (vin: string) =>
  `case "$OTAOPS_VERSION" in 2.*) echo "no start" >&2; exit 1;; ${SICK.has(vin) ? '1.1.0) echo "no start" >&2; exit 1;;' : ''} esac`;

const directory = temporaryDirectory('campaign');
const processes: OtaopsProcess[] = [];
let adapter: ReturnType<typeof httpClient>;
let carota: ReturnType<typeof httpClient>;
let forger: Server;
let planner: OtaopsProcess;
/** Starts the CarOTA Server; a restart uses the same port and data. */
let startPlanner: () => Promise<string>;

function start(args: string[]): OtaopsProcess {
  const started = otaops(args, {}, directory);
  processes.push(started);
  return started;
}

async function startServers() {
  const carotaPort = await freePort();
  const serve = start([
    ...['serve', '--http-port', '0', '--mqtt-port', '0', '--data-dir', join(directory, 'adapter')],
    ...['--callback-url', `http://127.0.0.1:${carotaPort}/v1.0/ota/events`],
    ...['--callback-secret', SECRET, '--callback-allow', '127.0.0.0/8'],
  ]);
  const [, adapterUrl = ''] = await serve.says(/HTTP interface\s+(http:\S+)/);
  const [, mqttUrl = ''] = await serve.says(/(mqtt:\S+)/);
  const adapterToken = readFileSync(join(directory, 'adapter', 'token'), 'utf8').trim();
  adapter = httpClient(adapterUrl, adapterToken);
  const tokenOf = async (role: string) =>
    (await adapter.call('POST', '/v1.0/tokens', { body: { role, name: role } })).body
      .token as string;
  const [triggering, controlling] = [await tokenOf('carota'), await tokenOf('operator')];
  startPlanner = async () => {
    planner = start([
      ...['carota', '--http-port', String(carotaPort), '--data-dir', join(directory, 'carota')],
      ...['--adapter-url', adapterUrl, '--adapter-token', triggering],
      ...['--adapter-control-token', controlling, '--callback-secret', SECRET],
    ]);
    const [, url = ''] = await planner.says(/HTTP interface\s+(http:\S+)/);
    return url;
  };
  const carotaUrl = await startPlanner();
  const carotaToken = readFileSync(join(directory, 'carota', 'token'), 'utf8').trim();
  carota = httpClient(carotaUrl, carotaToken);
  return { mqttUrl, carotaUrl };
}

/** Answers as the CarOTA Server does, but for the signature: that of a foreign authority of the same name. */
async function startForger(carotaUrl: string, token: string): Promise<string> {
  const foreign = await newSigner(await newAuthority('OTA Operations trial authority'));
  forger = createServer((request, response) => {
    const forge = async () => {
      const real = await fetch(carotaUrl + (request.url ?? ''), {
        headers: { 'authorization-token': token },
      });
      const delivery = (await real.json()) as { script: string };
      const [, payload = ''] = delivery.script.split('.');
      const script = JSON.parse(Buffer.from(payload, 'base64url').toString()) as UpdateScript;
      const forged = await signScript(script, foreign, Date.now());
      response.end(JSON.stringify({ ...delivery, script: forged }));
    };
    void forge();
  });
  forger.listen(0, '127.0.0.1');
  await once(forger, 'listening');
  return `http://127.0.0.1:${(forger.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  const { mqttUrl, carotaUrl } = await startServers();
  await adapter.register(...vehicles);
  const rows = vins.map((vin) => `${vin},${MODEL},1.0.0`);
  await carota.call('POST', '/v1.0/vehicles/import', {
    headers: { 'content-type': 'text/csv' },
    body: ['vin,model,version:HU', ...rows].join('\n'),
  });
  const { body } = await carota.call('POST', '/v1.0/tokens', {
    body: { role: 'vehicle', name: 'all' },
  });
  const forgerUrl = await startForger(carotaUrl, body.token);
  const started = vehicles.map(({ vin, systemId }) =>
    start([
      ...['vehicle', '--vin', vin, '--model', MODEL, '--system-id', systemId],
      ...['--credential', credentialOf(vin), '--mqtt-url', mqttUrl, '--log-level', 'warn'],
      ...['--carota-url', vin === DECEIVED ? forgerUrl : carotaUrl, '--carota-token', body.token],
      ...['--trust-anchor', join(directory, 'carota', 'signing', 'trust-anchor.pem')],
      ...['--consent', vin === REFUSING ? 'refuse' : 'accept', '--health-command', healthOf(vin)],
      ...['--progress-seconds', '0.1'],
    ]),
  );
  await Promise.all(started.map((vehicle) => vehicle.says(/^Connected to/m)));
});

afterAll(async () => {
  for (const { child } of processes.toReversed()) child.kill('SIGTERM');
  const ended = await Promise.all(processes.map((one) => one.ended));
  forger.close();
  rmSync(directory, { recursive: true, force: true });
  expect(ended.filter((code) => code !== 0)).toEqual(['SIGKILL']);
});

async function publish(scriptRefId: string, version: string): Promise<void> {
  const { body: stored } = await carota.call('POST', `/v1.0/artifacts?name=${version}`, {
    headers: { 'content-type': 'application/octet-stream' },
    body: Buffer.alloc(400_000, version),
  });
  const { sha256, md5, size } = stored as { sha256: string; md5: string; size: number };
  const { status } = await carota.call('POST', '/v1.0/update-scripts', {
    body: {
      version: 'v1',
      'script-ref-id': scriptRefId,
      model: MODEL,
      ecus: [{ ecu: 'HU', version, from: ['1.*'], artifact: { sha256, md5, size } }],
      consent: { text: 'Now?' },
    },
  });
  expect(status).toBe(201);
}

const scheduleOf = async (refId: string) =>
  (await carota.call('GET', `/v1.0/schedules/${encodeURIComponent(refId)}`)).body;
const operationOf = async (refId: string) =>
  (await adapter.call('GET', `/v1.0/ota/operations/${encodeURIComponent(refId)}`)).body;

/** Polls until the condition holds, for up to 90 s. */
async function untilStatus(refId: string, status: string) {
  for (let tries = 0; tries < 2; tries++) {
    try {
      return await eventually(
        () => scheduleOf(refId),
        (schedule) => schedule.status === status,
      );
    } catch (error) {
      if (tries === 1) throw error;
    }
  }
  throw new Error('unreachable');
}

test('a campaign in waves: 15 succeed, 3 roll back, 1 user declines, 1 vehicle detects the forgery', async () => {
  await publish('hu only 001', '1.1.0');
  const refId = 'schedule 1';
  const { status } = await carota.call('POST', '/v1.0/schedules', {
    body: {
      'ref-id': refId,
      'script-ref-id': 'hu only 001',
      model: MODEL,
      filter: { ecu: 'HU', versions: ['1.0.*'] },
      waves: [{ vins: vins.slice(0, 2) }, { percent: 40 }],
      guard: {
        test: { tolerated: 0.3, intolerable: 0.9, falseStop: 0.01, missedStop: 0.1 },
        undecided: 'continue',
      },
    },
  });
  expect(status).toBe(201);
  await untilStatus(refId, 'completed');
  const due = { success: 15, rollback_success: 3, consent_rejected: 1, pki_check_fail: 1 };
  // A failed vehicle has finished, and may still report its rollback.
  const schedule = await eventually(
    () => scheduleOf(refId),
    ({ states }) => states.rollback_success === due.rollback_success,
  );
  expect(schedule.states).toEqual(due);
  expect(schedule.waves.map(({ vehicles: size }: any) => size)).toEqual([2, 8, 10]);
  // The adapter, which shares only messages with the CarOTA Server, agrees.
  expect(await operationOf(refId)).toMatchObject({ vehicles: 20, finished: 20, states: due });

  const reasonOf = async (vin: string) =>
    (await carota.call('GET', `/v1.0/schedules/${encodeURIComponent(refId)}/vehicles/${vin}`)).body;
  expect(await reasonOf(DECEIVED)).toMatchObject({
    state: 'pki_check_fail',
    reason: expect.stringMatching(/does not lead to a trust anchor/),
  });
  expect(await reasonOf(REFUSING)).toMatchObject({ reason: 'declined by the user' });
  const [sick = ''] = SICK;
  const history = await reasonOf(sick);
  expect(history.reason).toBe('HU: no start');
  const names = history.events.map((event: any) => event['status-name']).toReversed();
  expect(names.filter((name: string) => name !== 'downloading')).toEqual([
    ...['received', 'pki_check_success', 'consent_accepted', 'downloaded', 'md5_check_success'],
    ...['reboot', 'failure', 'rollback_success'],
  ]);

  for (const vin of vins) {
    const failed = SICK.has(vin) || vin === REFUSING || vin === DECEIVED;
    const { body } = await carota.call('GET', `/v1.0/vehicles/${vin}`);
    expect(body.versions, vin).toEqual({ HU: failed ? '1.0.0' : '1.1.0' });
    const ecu = join(directory, '.otaops-vehicle', vin, 'ecus', 'HU');
    const { active } = JSON.parse(readFileSync(join(ecu, 'boot.json'), 'utf8')) as {
      active: string;
    };
    const manifest = JSON.parse(readFileSync(join(ecu, active, 'manifest.json'), 'utf8')) as {
      version: string;
    };
    expect(manifest.version, vin).toBe(failed ? '1.0.0' : '1.1.0');
  }
});

test('the guard stops a bad schedule after a few vehicles; the others are never triggered', async () => {
  await publish('hu only 002', '2.0.0');
  const refId = 'schedule 2';
  const good = vins.filter((vin) => !SICK.has(vin) && vin !== REFUSING && vin !== DECEIVED);
  await carota.call('POST', '/v1.0/schedules', {
    body: {
      'ref-id': refId,
      'script-ref-id': 'hu only 002',
      model: MODEL,
      vins: good,
      waves: [{ vehicles: 4 }],
      guard: { test: { tolerated: 0.05, intolerable: 0.5, falseStop: 0.05, missedStop: 0.1 } },
    },
  });
  const schedule = await untilStatus(refId, 'stopped');
  expect(schedule.reason).toMatch(/^2 of 2 vehicles failed$/);
  const stop = schedule.decisions.find(({ decision }: any) => decision === 'stop');
  expect(stop.figures.evidence).toBeGreaterThanOrEqual(stop.figures.stopAt);
  const operation = await eventually(
    () => operationOf(refId),
    ({ status, finished }) => status === 'cancelled' && finished === 4,
  );
  expect(operation.vehicles).toBe(4);
  for (const vin of good) {
    expect((await carota.call('GET', `/v1.0/vehicles/${vin}`)).body.versions).toEqual({
      HU: '1.1.0',
    });
  }
});

test('the CarOTA Server is killed between waves: each vehicle is triggered once, and the campaign finishes', async () => {
  await publish('hu only 003', '1.2.0');
  const refId = 'schedule 3';
  const good = vins.filter((vin) => !SICK.has(vin) && vin !== REFUSING && vin !== DECEIVED);
  await carota.call('POST', '/v1.0/schedules', {
    body: {
      'ref-id': refId,
      'script-ref-id': 'hu only 003',
      model: MODEL,
      vins: good,
      waves: [{ vehicles: 3 }, { vehicles: 3 }],
      guard: { maxFailures: 3 },
    },
  });
  await eventually(
    () => scheduleOf(refId),
    ({ waves }) => waves[0]?.state === 'running' || waves[0]?.state === 'passed',
  );
  planner.child.kill('SIGKILL');
  await planner.ended;
  await startPlanner();
  const schedule = await untilStatus(refId, 'completed');
  expect(schedule.states).toEqual({ success: good.length });
  const posts = schedule.decisions.filter(({ decision }: any) => decision === 'post');
  expect(posts.map(({ wave }: any) => wave)).toEqual([1, 2, 3]);
  const operation = await operationOf(refId);
  expect(operation).toMatchObject({ vehicles: good.length, states: { success: good.length } });
  for (const vin of good) {
    const { body } = await adapter.call(
      'GET',
      `/v1.0/ota/operations/${encodeURIComponent(refId)}/vehicles/${vin}`,
    );
    const received = body.history.filter((entry: any) => entry['status-name'] === 'received');
    expect(received, vin).toHaveLength(1);
  }
});
