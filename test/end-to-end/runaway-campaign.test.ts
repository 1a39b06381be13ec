/**
 * Campaigns that must not run away, on real servers: CarOTA Server and adapter are processes, the vehicles are real
 * agents in this one. A bad update silences vehicles or breaks them an hour after success, and either server is killed
 * at each moment of a stop.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';
import { CAROTA_SCHEMA } from '../../src/carota/schema.js';
import { type Exposure } from '../../src/contract/carota-api/index.js';
import { fleetOf, registrationLine } from '../../src/fleet/index.js';
import { eventually, httpClient } from '../support/adapter.js';
import { newDatabase, type TestDatabase } from '../support/databases.js';
import { byDepth, hasTurn, isFullDepth } from '../support/depth.js';
import { otaops, type OtaopsProcess } from '../support/process.js';
import { SECRET_KEY } from '../support/secret-key.js';
import { freePort, temporaryDirectory } from '../support/servers.js';
import { DoomedFleet, type Fate, HOUR_MS } from './support/doomed-fleet.js';
import { Gate } from './support/gate.js';
import { HeldLock } from './support/held-lock.js';
import { publishScript } from './support/publish-script.js';

const MODEL = 'vehicle model a';
const SCRIPT = 'hu only 001';
const SECRET = `whsec_${Buffer.alloc(32, 6).toString('base64')}`;
const CAP = byDepth({ quick: 6, full: 20 });
/** Vehicles that are never silent, so they can take part in one schedule after another. */
const SURVIVORS = 4;
const vehicles = fleetOf(SURVIVORS + byDepth({ quick: 24, full: 200 }));
const vins = vehicles.map(({ vin }) => vin);
const [survivors, fleetVins] = [vins.slice(0, SURVIVORS), vins.slice(SURVIVORS)];
/** A third is silent after `reboot`, a third fails an hour after `success`. */
const FATES: readonly Fate[] = ['silent', 'late', 'well'];
const fateOf = (vin: string): Fate =>
  survivors.includes(vin) ? 'late' : (FATES[vins.indexOf(vin) % FATES.length] ?? 'well');
/** An hour in the time of the vehicles, in seconds of the server. */
const HOUR = HOUR_MS / 1000;
const DEADLINES = { afterReboot: HOUR, deadline: 7 * 24 * HOUR, soak: 24 * HOUR };

/** For each operation, a promise on whose resolution its vehicles fail. */
const failures = new Map<string, { promise: Promise<void>; resolve: () => void }>();

function holdFailures(refId: string): void {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  failures.set(refId, { promise, resolve });
}

const directory = temporaryDirectory('runaway');
let databases: { adapter: TestDatabase; carota: TestDatabase };
let gate: Gate;
let fleet: DoomedFleet;
let adapterProcess: OtaopsProcess;
let carotaProcess: OtaopsProcess;
let startAdapter: () => Promise<void>;
let startCarota: () => Promise<void>;
let adapter: ReturnType<typeof httpClient>;
let carota: ReturnType<typeof httpClient>;

async function kill(server: OtaopsProcess): Promise<void> {
  server.child.kill('SIGKILL');
  await server.ended;
}

beforeAll(async () => {
  databases = {
    adapter: await newDatabase(ADAPTER_SCHEMA),
    carota: await newDatabase(CAROTA_SCHEMA),
  };
  const [adapterPort, mqttPort, carotaPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const [adapterUrl, carotaUrl] = [adapterPort, carotaPort].map(
    (port) => `http://127.0.0.1:${port}`,
  );
  const callBack = ['--callback-secret', SECRET, '--secret-key', SECRET_KEY];
  startAdapter = async () => {
    adapterProcess = otaops([
      ...['serve', '--http-port', String(adapterPort), '--mqtt-port', String(mqttPort)],
      ...['--data-dir', join(directory, 'adapter'), '--database-url', databases.adapter.url],
      ...['--callback-url', `${carotaUrl}/v1.0/ota/events`, ...callBack],
      ...['--callback-allow', '127.0.0.0/8', '--log-level', 'warn'],
    ]);
    await adapterProcess.says(/HTTP interface/);
  };
  await startAdapter();
  const tokenIn = (part: string) => readFileSync(join(directory, part, 'token'), 'utf8').trim();
  adapter = httpClient(adapterUrl ?? '', tokenIn('adapter'));
  const tokenOf = async (role: string) =>
    (await adapter.call('POST', '/v1.0/tokens', { body: { role, name: role } })).body.token;
  const [triggering, controlling] = [await tokenOf('carota'), await tokenOf('operator')];
  gate = await Gate.to(adapterUrl ?? '');
  startCarota = async () => {
    carotaProcess = otaops([
      ...['carota', '--http-port', String(carotaPort), '--data-dir', join(directory, 'carota')],
      ...['--database-url', databases.carota.url, '--adapter-url', gate.url, ...callBack],
      ...['--adapter-token', triggering, '--adapter-control-token', controlling],
      ...['--log-level', 'warn'],
    ]);
    await carotaProcess.says(/HTTP interface/);
  };
  await startCarota();
  carota = httpClient(carotaUrl ?? '', tokenIn('carota'));

  const registered = await adapter.call('POST', '/v1.0/vehicles/import', {
    headers: { 'content-type': 'application/x-ndjson' },
    body: vehicles.map(registrationLine).join('\n'),
  });
  expect(registered.body).toMatchObject({ rejectedCount: 0 });
  await publishScript(carota, { scriptRefId: SCRIPT, model: MODEL, software: 'bad software' });
  const tokens = new Map<string, string>();
  for (const vin of vins) {
    const body = { role: 'vehicle', name: vin, vin };
    tokens.set(vin, (await carota.call('POST', '/v1.0/tokens', { body })).body.token);
  }
  const mqttUrl = `mqtt://127.0.0.1:${mqttPort}`;
  fleet = new DoomedFleet(vehicles, {
    ...{ mqttUrl, carotaUrl: carotaUrl ?? '', tokens, fateOf },
    untilFailure: (refId) => failures.get(refId)?.promise ?? Promise.resolve(),
  });
});

afterAll(async () => {
  await fleet.stop();
  for (const { child } of [carotaProcess, adapterProcess]) child.kill('SIGTERM');
  const ended = await Promise.all([carotaProcess.ended, adapterProcess.ended]);
  await gate.close();
  await databases.adapter.drop();
  await databases.carota.drop();
  rmSync(directory, { recursive: true, force: true });
  expect(ended).toEqual([0, 0]);
});

const path = (refId: string) => `/v1.0/schedules/${encodeURIComponent(refId)}`;
const operationPath = (refId: string) => `/v1.0/ota/operations/${encodeURIComponent(refId)}`;
const scheduleOf = async (refId: string) => (await carota.call('GET', path(refId))).body;
const untilSchedule = (refId: string, holds: (schedule: any) => boolean) =>
  eventually(() => scheduleOf(refId).catch(() => ({ decisions: [] })), holds, 120_000);

async function plan(refId: string, some: readonly string[], guard: object): Promise<void> {
  const body = { 'ref-id': refId, 'script-ref-id': SCRIPT, model: MODEL, vins: some, guard };
  expect((await carota.call('POST', '/v1.0/schedules', { body })).status).toBe(201);
}

/** The stop was decided once and carried out once, whichever server was killed meanwhile. */
async function expectStoppedOnce(refId: string): Promise<void> {
  const operation = await eventually(
    async () => (await adapter.call('GET', operationPath(refId)).catch(() => ({ body: {} }))).body,
    ({ status }) => status === 'cancelled',
    120_000,
  );
  expect(operation.vehicles).toBeGreaterThan(0);
  const { status, decisions } = await untilSchedule(refId, (one) => one.status === 'stopped');
  expect(status).toBe('stopped');
  expect(decisions.filter(({ decision }: any) => decision === 'stop')).toHaveLength(1);
  const { items } = (await adapter.call('GET', `${operationPath(refId)}/audit`)).body;
  const changes = items.filter(({ action, detail }: any) => action === 'cancel' && detail.changed);
  expect(changes).toHaveLength(1);
}

test.runIf(hasTurn(1))(
  'if a third is silent after reboot and a third fails an hour after success, the cap holds, and the others never begin',
  async () => {
    const refId = 'schedule runaway';
    const rates = { tolerated: 0.02, intolerable: 0.3, falseStop: 0.05, missedStop: 0.05 };
    await plan(refId, fleetVins, { test: rates, exposureCap: CAP, ...DEADLINES });
    let most = 0;
    const stopped = await untilSchedule(refId, ({ status, exposure }) => {
      most = Math.max(most, exposure?.undecided ?? 0);
      return status === 'stopped';
    });
    const { exposed, failed, silent, succeeded }: Exposure = stopped.exposure;
    expect(most).toBeLessThanOrEqual(CAP);
    expect(most).toBeGreaterThan(CAP / 2);
    expect(failed + silent).toBeGreaterThanOrEqual(2);
    // No success is final within the soak, so all others were undecided, and within the cap.
    expect(succeeded).toBe(0);
    expect(exposed).toBeLessThanOrEqual(CAP + failed + silent);
    expect(stopped.reason).toMatch(/of the first \d+ exposed vehicles failed$/);

    await expectStoppedOnce(refId);
    // All vehicles that wait for admission learn that the update is cancelled.
    const others = fleetVins.length - exposed;
    await eventually(
      async () => (await adapter.call('GET', operationPath(refId))).body.states,
      ({ cancel = 0, cancelled = 0 }: Record<string, number>) => cancel + cancelled >= others,
      120_000,
    );
    expect((await scheduleOf(refId)).exposure.exposed).toBe(exposed);
    expect(fleet.begun.get(refId)?.size).toBeLessThanOrEqual(exposed);
  },
);

/** What kills a server, and when. */
interface Moment {
  /**
   * Waits for the moment, kills the server, and restarts it.
   *
   * @param refId of the schedule that is about to be stopped
   * @param fail makes its vehicles fail
   */
  readonly kill: (refId: string, fail: () => void) => Promise<void>;
}

/** Holds the next cancellation at the gate until `work` is done. */
function atTheGate(
  fail: () => void,
  work: (
    forward: () => Promise<{ status: number; body: string }>,
  ) => Promise<{ status: number; body: string } | undefined>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    gate.next = async (forward) => {
      try {
        const answer = await work(forward);
        resolve();
        return answer;
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        return undefined;
      }
    };
    fail();
  });
}

/** Works while the CarOTA Server has decided, but cannot store the decision. */
async function whileDeciding(fail: () => void, work: () => Promise<void>): Promise<void> {
  const lock = await HeldLock.take(databases.carota.url, 'lock table decisions in exclusive mode');
  fail();
  await lock.isWaitedFor();
  await work();
  await lock.release();
}

const quoted = (refId: string) => `'${refId.replaceAll("'", "''")}'`;

/** Waits until the CarOTA Server has stored that the adapter has cancelled the operation. */
async function untilConfirmed(refId: string): Promise<void> {
  const client = new pg.Client(databases.carota.url);
  await client.connect();
  const statement = 'select operation, intended from schedules where ref_id = $1';
  await eventually(
    async () => (await client.query(statement, [refId])).rows[0],
    ({ operation, intended }) => operation === 'cancelled' && intended === null,
    120_000,
  ).finally(() => client.end());
}

async function whenConfirmed(
  refId: string,
  fail: () => void,
  work: () => Promise<void>,
): Promise<void> {
  fail();
  await untilConfirmed(refId);
  confirmedBefore.push(refId);
  await work();
}
/** Schedules whose stop had been confirmed before the server was killed. */
const confirmedBefore: string[] = [];

const restartCarota = async () => {
  await kill(carotaProcess);
  await startCarota();
};
const restartAdapter = async () => {
  await kill(adapterProcess);
  await startAdapter();
};

const MOMENTS: readonly (readonly [server: string, when: string, moment: Moment])[] = [
  [
    'the CarOTA Server',
    'has decided',
    {
      kill: async (_refId, fail) => {
        await whileDeciding(fail, () => kill(carotaProcess));
        await startCarota();
      },
    },
  ],
  [
    'the CarOTA Server',
    'has stored the decision',
    {
      kill: async (_refId, fail) => {
        await atTheGate(fail, async () => {
          await kill(carotaProcess);
          return undefined;
        });
        await startCarota();
      },
    },
  ],
  [
    'the CarOTA Server',
    'has posted, and the adapter has done it',
    {
      kill: async (_refId, fail) => {
        await atTheGate(fail, async (forward) => {
          await forward();
          await kill(carotaProcess);
          return undefined;
        });
        await startCarota();
      },
    },
  ],
  [
    'the CarOTA Server',
    'has the answer',
    {
      kill: async (refId, fail) => {
        let lock: HeldLock | undefined;
        await atTheGate(fail, async (forward) => {
          const answer = await forward();
          const statement = `select from schedules where ref_id = ${quoted(refId)} for update`;
          lock = await HeldLock.take(databases.carota.url, statement);
          return answer;
        });
        await lock?.isWaitedFor();
        await kill(carotaProcess);
        await lock?.release();
        await startCarota();
      },
    },
  ],
  [
    'the CarOTA Server',
    'has confirmed',
    { kill: (refId, fail) => whenConfirmed(refId, fail, restartCarota) },
  ],
  [
    'the adapter',
    'has told of the failure',
    {
      kill: async (_refId, fail) => {
        await whileDeciding(fail, () => kill(adapterProcess));
        await startAdapter();
      },
    },
  ],
  [
    'the adapter',
    'is about to get it',
    {
      kill: (_refId, fail) =>
        atTheGate(fail, async (forward) => {
          await kill(adapterProcess);
          const answer = await forward().catch(() => undefined);
          await startAdapter();
          return answer;
        }),
    },
  ],
  [
    'the adapter',
    'is doing it',
    {
      kill: (refId, fail) =>
        atTheGate(fail, async (forward) => {
          const statement = `select from operations where ref_id = ${quoted(refId)} for update`;
          const lock = await HeldLock.take(databases.adapter.url, statement);
          const answer = forward().catch(() => undefined);
          await lock.isWaitedFor();
          await kill(adapterProcess);
          await lock.release();
          await startAdapter();
          return answer;
        }),
    },
  ],
  [
    'the adapter',
    'has done it, and its answer is lost',
    {
      kill: (_refId, fail) =>
        atTheGate(fail, async (forward) => {
          await forward();
          await restartAdapter();
          return undefined;
        }),
    },
  ],
  [
    'the adapter',
    'has answered, and the CarOTA Server has confirmed',
    { kill: (refId, fail) => whenConfirmed(refId, fail, restartAdapter) },
  ],
];

describe.runIf(isFullDepth)('a stop is carried out exactly once despite kill -9 of', () => {
  test.each(MOMENTS)('%s, when it %s', async (server, when, moment) => {
    const refId = `stop: ${server} ${when}`;
    holdFailures(refId);
    await plan(refId, survivors, { maxFailures: 1, exposureCap: 2, ...DEADLINES });
    await untilSchedule(
      refId,
      ({ exposure, waves }) => exposure?.exposed > 0 && waves[0].postedAt !== null,
    );
    await moment.kill(refId, () => failures.get(refId)?.resolve());
    await expectStoppedOnce(refId);
    await untilConfirmed(refId);
    const exposure = (await scheduleOf(refId)).exposure as Exposure;
    expect(exposure.undecided).toBeLessThanOrEqual(2);
    expect(exposure.exposed).toBeLessThanOrEqual(2 + exposure.failed);
  });

  test('either server after it was confirmed', () => {
    for (const refId of confirmedBefore) {
      expect(gate.cancellations.filter((one) => one === refId)).toHaveLength(1);
    }
  });
});
