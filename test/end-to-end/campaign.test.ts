/**
 * A campaign with everything real, at full depth: CarOTA Server, adapter and 20 full vehicle agents, each a process of
 * its own that verifies by Uptane. (In a quick run the last operation of the quickstart is such a campaign, of four
 * vehicles.) Some fail and roll back, one user refuses, one vehicle gets a forged image, one gets orders from a thief
 * with the Director's online keys, and one was parked in a garage for two years; then the guard stops a bad schedule,
 * and the server is killed and restarts with other Director keys.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { provisionSecondary, provisionVehicle } from '../../src/vehicle/index.js';
import { credentialOf, eventually, httpClient } from '../support/adapter.js';
import { isFullDepth } from '../support/depth.js';
import { vehicleOf } from '../support/messages.js';
import { otaops, type OtaopsProcess } from '../support/process.js';
import { freePort, temporaryDirectory } from '../support/servers.js';
import { DirectorThief, ImageForger } from './support/attackers.js';
import { AGE_DAYS, DirectorFolder, establishImageRepository } from './support/trust-of-years.js';

const MODEL = 'vehicle model a';
const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const vehicles = Array.from({ length: 20 }, (_, n) => vehicleOf(n, 'WBA'));
const vins = vehicles.map(({ vin }) => vin);
/** The first two are the first wave, and healthy; the roles of the others follow. */
const SICK = new Set(vins.slice(2, 5));
const [REFUSING = '', FORGED = '', ROBBED = '', PARKED = '', SEPARATE = ''] = vins.slice(5);
const healthy = vins.filter((vin) => !SICK.has(vin) && vin !== REFUSING);
const unharmed = healthy.filter((vin) => vin !== FORGED && vin !== ROBBED);

/** Version 2 is bad for everyone; 1.1 for some of them. */
const healthOf = (vin: string) =>
  `case "$OTAOPS_VERSION" in 2.*) echo "no start" >&2; exit 1;; ${SICK.has(vin) ? '1.1.0) echo "no start" >&2; exit 1;;' : ''} esac`;

const directory = temporaryDirectory('campaign');
const dataDir = join(directory, 'carota');
const director = new DirectorFolder(dataDir);
const folderOf = (vin: string) => join(directory, '.otaops-vehicle', vin);
/** The folder of the Secondary that runs in its own process. */
const separateFolder = join(directory, 'separate');
const processes: OtaopsProcess[] = [];
let adapter: ReturnType<typeof httpClient>;
let carota: ReturnType<typeof httpClient>;
let forger: ImageForger;
let thief: DirectorThief;
let planner: OtaopsProcess;
/** Starts the CarOTA Server; a restart uses the same port and data. */
let startPlanner: () => Promise<string>;
let startVehicle: (vin: string) => OtaopsProcess;

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
      ...['carota', '--http-port', String(carotaPort), '--data-dir', dataDir],
      ...['--adapter-url', adapterUrl, '--adapter-token', triggering],
      ...['--adapter-control-token', controlling, '--callback-secret', SECRET],
    ]);
    const [, url = ''] = await planner.says(/HTTP interface\s+(http:\S+)/);
    return url;
  };
  const carotaUrl = await startPlanner();
  const carotaToken = readFileSync(join(dataDir, 'token'), 'utf8').trim();
  carota = httpClient(carotaUrl, carotaToken);
  return { mqttUrl, carotaUrl };
}

/** Provisions as a factory does: the parked vehicle two years ago, with roots of then. @returns its registration */
function provision(vin: string, imageRoots: string) {
  const isParked = vin === PARKED;
  const version = isParked ? 1 : 3;
  const trust = {
    directorRoot: director.root(version),
    imageRoot: readFileSync(join(imageRoots, `${version}.root.json`)),
    timeKeys: readFileSync(director.timeKeys),
    now: Date.now() - (isParked ? AGE_DAYS * 24 * 60 * 60 * 1000 : 1_000),
  };
  const headUnit = { serial: `H-${vin}`, name: 'HU', hardwareId: 'hw-hu' };
  const isSeparate = vin === SEPARATE;
  const socket = join(separateFolder, 'ecu.sock');
  const ecus = [
    { serial: `P-${vin}`, name: 'OTA-MANAGER', hardwareId: 'hw-primary', isPrimary: true },
    { ...headUnit, ...(isSeparate ? { socket } : { version: '1.0.0' }) },
  ];
  const bytesOf = (value: object) => Buffer.from(JSON.stringify(value));
  const inventory = [...provisionVehicle(folderOf(vin), bytesOf({ vin, ecus }), trust)];
  if (isSeparate) {
    const description = bytesOf({ vin, ...headUnit, version: '1.0.0' });
    inventory.push(provisionSecondary(separateFolder, description, trust));
  }
  return { vin, ecus: inventory };
}

beforeAll(async () => {
  await director.establish();
  const imageRoots = join(await establishImageRepository(dataDir), 'metadata');
  const { mqttUrl, carotaUrl } = await startServers();
  await adapter.register(...vehicles);
  const rows = vins.map((vin) => `${vin},${MODEL},1.0.0`);
  await carota.call('POST', '/v1.0/vehicles/import', {
    headers: { 'content-type': 'text/csv' },
    body: ['vin,model,version:HU', ...rows].join('\n'),
  });
  const imported = await carota.call('POST', '/v1.0/ecus/import', {
    headers: { 'content-type': 'application/x-ndjson' },
    body: vins.map((vin) => JSON.stringify(provision(vin, imageRoots))).join('\n'),
  });
  expect(imported.body).toMatchObject({ imported: vins.length });
  const tokens = new Map<string, string>();
  for (const vin of vins) {
    const body = { role: 'vehicle', name: vin, vin };
    tokens.set(vin, (await carota.call('POST', '/v1.0/tokens', { body })).body.token);
  }
  forger = await new ImageForger(`${carotaUrl}/uptane/image`).start();
  thief = await new DirectorThief(`${carotaUrl}/uptane/director`, director).start();
  startVehicle = (vin) =>
    start([
      ...['vehicle', '--vin', vin, '--model', MODEL, '--system-id', `c2c-sys-${vin}`],
      ...['--credential', credentialOf(vin), '--mqtt-url', mqttUrl, '--log-level', 'warn'],
      ...['--carota-url', carotaUrl, '--carota-token', tokens.get(vin) ?? ''],
      ...(vin === FORGED ? ['--image-url', forger.url] : []),
      ...(vin === ROBBED ? ['--director-url', thief.url] : []),
      ...['--consent', vin === REFUSING ? 'refuse' : 'accept', '--health-command', healthOf(vin)],
      ...['--progress-seconds', '0.1'],
    ]);
  const ecu = ['secondary', '--secondary-dir', separateFolder, '--log-level', 'warn'];
  await start([...ecu, '--health-command', healthOf(SEPARATE)]).says(/^ECU HU .* listens at/m);
  const started = vins.filter((vin) => vin !== PARKED).map(startVehicle);
  await Promise.all(started.map((vehicle) => vehicle.says(/^Connected to/m)));
});

afterAll(async () => {
  for (const { child } of processes.toReversed()) child.kill('SIGTERM');
  const ended = await Promise.all(processes.map((one) => one.ended));
  await forger.close();
  await thief.close();
  rmSync(directory, { recursive: true, force: true });
  expect(ended.filter((code) => code !== 0)).toEqual(['SIGKILL']);
});

/** @param counter the release counter of the software and the script */
async function publish(scriptRefId: string, version: string, counter: number): Promise<void> {
  const query = `name=${version}&hardwareIds=hw-hu&releaseCounter=${counter}`;
  const { body: stored } = await carota.call('POST', `/v1.0/artifacts?${query}`, {
    headers: { 'content-type': 'application/octet-stream' },
    body: Buffer.alloc(400_000, version),
  });
  const { sha256, md5, size } = stored as { sha256: string; md5: string; size: number };
  const { status } = await carota.call(
    'POST',
    `/v1.0/update-scripts?hardwareIds=hw-primary&releaseCounter=${counter}`,
    {
      body: {
        version: 'v1',
        'script-ref-id': scriptRefId,
        model: MODEL,
        ecus: [{ ecu: 'HU', version, from: ['1.*'], artifact: { sha256, md5, size } }],
        consent: { text: 'Now?' },
      },
    },
  );
  expect(status).toBe(201);
}

/** The version that the head unit runs, according to its own files. */
function running(vin: string): string {
  const ecu =
    vin === SEPARATE ? join(separateFolder, 'slots', 'HU') : join(folderOf(vin), 'ecus', 'HU');
  const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
  const { active = '' } = json(join(ecu, 'boot.json'));
  return json(join(ecu, active, 'manifest.json')).version ?? '';
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

test.runIf(isFullDepth)(
  'a campaign in waves: the healthy succeed, the sick roll back, one refuses, no attack installs anything',
  async () => {
    await publish('hu only 001', '1.1.0', 1);
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
          soak: 0,
        },
      },
    });
    expect(status).toBe(201);
    const due = {
      success: unharmed.length,
      rollback_success: SICK.size,
      consent_rejected: 1,
      md5_check_fail: 1,
      pki_check_fail: 1,
    };
    // All but the parked one have finished; it is switched on only now, with expired roots.
    await eventually(
      () => scheduleOf(refId),
      ({ states }) =>
        states.success === due.success - 1 &&
        states.rollback_success === due.rollback_success &&
        states.pki_check_fail === 1 &&
        states.md5_check_fail === 1,
      90_000,
    );
    await startVehicle(PARKED).says(/^Connected to/m);
    const schedule = await untilStatus(refId, 'completed');
    expect(schedule.states).toEqual(due);
    const sizes = [2, 8, 10];
    expect(schedule.waves.map(({ vehicles: size }: any) => size)).toEqual(sizes);
    // The adapter, which shares nothing with the CarOTA Server but messages, says the same.
    const total = vins.length;
    expect(await operationOf(refId)).toMatchObject({
      vehicles: total,
      finished: total,
      states: due,
    });

    const reasonOf = async (vin: string) =>
      (await carota.call('GET', `/v1.0/schedules/${encodeURIComponent(refId)}/vehicles/${vin}`))
        .body;
    expect(forger.attacks).toBeGreaterThan(0);
    expect(await reasonOf(FORGED)).toMatchObject({
      state: 'md5_check_fail',
      reason: expect.stringMatching(/the MD5 of the download is/),
    });
    expect(thief.attacks).toBeGreaterThanOrEqual(3);
    expect(await reasonOf(ROBBED)).toMatchObject({
      state: 'pki_check_fail',
      reason: expect.stringMatching(/differ in length or hashes/),
    });
    expect(await reasonOf(REFUSING)).toMatchObject({ reason: 'declined by the user' });
    const [first = ''] = SICK;
    const history = await reasonOf(first);
    expect(history.reason).toBe('HU: no start');
    const names = history.events.map((event: any) => event['status-name']).toReversed();
    expect(names.filter((name: string) => name !== 'downloading')).toEqual([
      ...['received', 'pki_check_success', 'consent_accepted', 'downloaded', 'md5_check_success'],
      ...['reboot', 'failure', 'rollback_success'],
    ]);

    for (const vin of vins) {
      const version = unharmed.includes(vin) ? '1.1.0' : '1.0.0';
      const { body } = await carota.call('GET', `/v1.0/vehicles/${vin}`);
      expect(body.versions, vin).toEqual({ HU: version });
      expect(running(vin), vin).toBe(version);
    }
  },
);

test.runIf(isFullDepth)(
  'the guard stops a bad schedule after a few vehicles; the others never get a trigger',
  async () => {
    await publish('hu only 002', '2.0.0', 2);
    const refId = 'schedule 2';
    const wave = 4;
    await carota.call('POST', '/v1.0/schedules', {
      body: {
        'ref-id': refId,
        'script-ref-id': 'hu only 002',
        model: MODEL,
        vins: unharmed,
        waves: [{ vehicles: wave }],
        guard: {
          test: { tolerated: 0.05, intolerable: 0.5, falseStop: 0.05, missedStop: 0.1 },
          soak: 0,
        },
      },
    });
    const schedule = await untilStatus(refId, 'stopped');
    const stop = schedule.decisions.find(({ decision }: any) => decision === 'stop');
    const { failed, succeeded, vehicles: exposed, evidence, stopAt } = stop.figures;
    expect(evidence).toBeGreaterThanOrEqual(stopAt);
    expect(schedule.reason).toBe(`${failed} of the first ${exposed} exposed vehicles failed`);
    // Two failures are needed; the vehicles decide how many of the wave are exposed before the second.
    expect({ failed, succeeded }).toEqual({ failed: 2, succeeded: exposed - 2 });
    const bodyOf = async (path: string) => (await carota.call('GET', path)).body;
    const { items } = await bodyOf(`/v1.0/schedules/${encodeURIComponent(refId)}/vehicles`);
    const counted = items.filter(({ place }: any) => place !== null && place <= exposed);
    expect(counted).toHaveLength(exposed);
    const failedByThen: number[] = [];
    for (const { vin, place, exposedAt } of counted) {
      expect(exposedAt <= stop.at, `${vin} was exposed before the decision`).toBe(true);
      const timeline = await bodyOf(
        `/v1.0/vehicles/${vin}/timeline?ref-id=${encodeURIComponent(refId)}`,
      );
      const hasFailed = ({ kind, result, at }: any) =>
        kind === 'result' && result === 'failed' && at <= stop.at;
      if (timeline.items.some(hasFailed)) failedByThen.push(place);
    }
    // The last failure was decisive.
    expect(failedByThen).toHaveLength(failed);
    expect(failedByThen).toContain(exposed);
    const operation = await eventually(
      () => operationOf(refId),
      ({ status, finished }) => status === 'cancelled' && finished === wave,
    );
    expect(operation.vehicles).toBe(wave);
    for (const vin of unharmed) {
      expect((await carota.call('GET', `/v1.0/vehicles/${vin}`)).body.versions).toEqual({
        HU: '1.1.0',
      });
    }
  },
);

test.runIf(isFullDepth)(
  'a campaign completes despite kill -9 of the CarOTA Server between waves and new Director keys; each vehicle, even an attacked one, is triggered once',
  async () => {
    await publish('hu only 003', '1.2.0', 3);
    const refId = 'schedule 3';
    const size = 3;
    await carota.call('POST', '/v1.0/schedules', {
      body: {
        'ref-id': refId,
        'script-ref-id': 'hu only 003',
        model: MODEL,
        vins: [...unharmed, FORGED, ROBBED],
        waves: [{ vins: unharmed.slice(0, size) }, { vins: unharmed.slice(size, 2 * size) }],
        guard: { maxFailures: 3, soak: 0 },
      },
    });
    await eventually(
      () => scheduleOf(refId),
      ({ waves }) => waves[0]?.state === 'running' || waves[0]?.state === 'passed',
    );
    planner.child.kill('SIGKILL');
    await planner.ended;
    // The stolen keys are worthless now, and vehicles discard what they have signed.
    await director.replaceOnlineKeys(4);
    thief.isHonest = forger.isHonest = true;
    await startPlanner();
    const schedule = await untilStatus(refId, 'completed');
    expect(schedule.states).toEqual({ success: healthy.length });
    const posts = schedule.decisions.filter(({ decision }: any) => decision === 'post');
    expect(posts.map(({ wave }: any) => wave)).toEqual([1, 2, 3]);
    const operation = await operationOf(refId);
    expect(operation).toMatchObject({
      vehicles: healthy.length,
      states: { success: healthy.length },
    });
    for (const vin of healthy) {
      expect(running(vin), vin).toBe('1.2.0');
      const { body } = await adapter.call(
        'GET',
        `/v1.0/ota/operations/${encodeURIComponent(refId)}/vehicles/${vin}`,
      );
      const received = body.history.filter((entry: any) => entry['status-name'] === 'received');
      expect(received, vin).toHaveLength(1);
    }
    // The next manifest has reported the attack to the Director.
    const { body } = await carota.call('GET', `/v1.0/attack-reports?vin=${ROBBED}`);
    expect(body.items.map(({ attack }: any) => attack)).toContain('arbitrary-software');
  },
);
