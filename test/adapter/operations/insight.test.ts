/** Analysis on real rows: summary, timeline, search and export. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import Type from 'typebox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addReceiver, findReceiver } from '../../../src/adapter/call-back/index.js';
import { settleBatch, takeReceivers, renewReceiver } from '../../../src/adapter/call-back/lease.js';
import { claimDueTriggers } from '../../../src/adapter/c2d-sender/claim.js';
import { recordSends } from '../../../src/adapter/c2d-sender/index.js';
import { type Database } from '../../../src/service/database/index.js';
import { assignPositions } from '../../../src/adapter/event-stream/index.js';
import {
  findOperation,
  retriggerVehicle,
  searchDeliveries,
  setPaused,
  summarise,
  timeline,
} from '../../../src/adapter/operations/index.js';
import { phaseDurations } from '../../../src/adapter/operations/phases.js';
import { exportDeliveries } from '../../../src/adapter/http/routes/export.js';
import { estimate } from '../../../src/adapter/operations/summary.js';
import { asHappened } from '../../../src/adapter/operations/timeline.js';
import { VehicleState } from '../../../src/contract/adapter-api/index.js';
import { checkOf, EVENT_STATUS } from '../../../src/contract/index.js';
import { TESTER } from '../../support/adapter.js';
import { openTestDatabase } from '../../support/databases.js';
import { byDepth } from '../../support/depth.js';
import { type EventSource, eventSource } from '../../support/events.js';
import { vehicleOf } from '../../support/messages.js';
import { testSecretBox } from '../../support/secret-key.js';

const FLEET = Array.from({ length: 10 }, (_, n) => vehicleOf(n, 'WHY'));
const [ALICE, BOB] = FLEET as [(typeof FLEET)[0], (typeof FLEET)[0]];
const START = Date.now() - 3_600_000;
/** V8's garbage collector, without a command-line flag. */
const collectGarbage = (() => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
})();
const HOLDER = '0195c1f0-0000-7000-8000-000000000001';

describe('on PostgreSQL', () => {
  let database: Database;
  let close: () => Promise<void>;
  let source: EventSource;
  let now = START;

  beforeAll(async () => {
    ({ database, close } = await openTestDatabase());
    source = await eventSource(database, 'why', FLEET, START);
    const receiver = { name: 'carota', url: 'http://x.example', after: 0 };
    await addReceiver(database, receiver, START, testSecretBox());
    now = START + 2_000;
    const claim = await claimDueTriggers(database, now, 25_000, 100);
    const sent = claim.triggers.map((trigger) => ({
      operationId: trigger.operation_id,
      refId: trigger.ref_id,
      vin: trigger.vin,
      messageId: trigger.trigger_id,
      outcome: 'sent' as const,
      dueAt: now + 30_000,
    }));
    await recordSends(database, 3, claim.id, sent, now);
    const at = async (
      seconds: number,
      status: 'received' | 'downloading' | 'downloaded' | 'download_fail' | 'reboot' | 'success',
      vehicles: typeof FLEET,
      reason?: string,
    ) => {
      const meta = reason === undefined ? [] : [{ key: 'reason', value: reason }];
      await source.store(
        vehicles.map((vehicle) => ({ vehicle, status, n: `${seconds}`, meta })),
        1,
        START + seconds * 1_000,
      );
    };
    await at(10, 'received', FLEET);
    await at(20, 'downloading', FLEET.slice(0, 8));
    await at(50, 'download_fail', FLEET.slice(5, 7), 'Network Failure');
    await at(51, 'download_fail', FLEET.slice(7, 8), 'Disk Full');
    await at(60, 'downloaded', FLEET.slice(0, 5));
    await at(90, 'reboot', FLEET.slice(0, 4));
    await at(100, 'success', FLEET.slice(0, 3));
  });
  afterAll(() => close());

  test('the summary has funnel, grouped reasons and durations', async () => {
    const operation = await findOperation(database, 'why');
    if (!operation) throw new Error('no operation');
    const summary = await summarise(database, operation, START + 110_000);
    expect(summary.funnel.map(({ stage, vehicles }) => [stage, vehicles])).toEqual([
      ['triggered', 10],
      ['sent', 10],
      ['acknowledged', 10],
      ['received', 10],
      ['consent_accepted', 0],
      ['downloading', 8],
      ['downloaded', 5],
      ['md5_check_success', 0],
      ['pki_check_success', 0],
      ['reboot', 4],
      ['success', 3],
    ]);
    expect(summary.failureReasons).toEqual([
      { state: 'download_fail', reason: 'Network Failure', vehicles: 2 },
      { state: 'download_fail', reason: 'Disk Full', vehicles: 1 },
    ]);
    const phase = (name: string) => summary.phases.find((entry) => entry.phase === name);
    expect(phase('delivery')).toEqual({
      phase: 'delivery',
      vehicles: 10,
      p50: 10,
      p90: 10,
      p99: 10,
    });
    expect(phase('download')).toEqual({
      phase: 'download',
      vehicles: 8,
      p50: 40,
      p90: 40,
      p99: 40,
    });
    expect(phase('install')).toEqual({ phase: 'install', vehicles: 3, p50: 10, p90: 10, p99: 10 });
    expect(phase('total')).toMatchObject({ vehicles: 3, p50: 100 });
    expect(summary).toMatchObject({ sends: 10, sampledVehicles: 10 });
    // Three successes and three failures in five minutes are not enough data: the window is an hour, of which the operation
    // has run 110 s.
    const { finishedPerMinute, windowSeconds, completionAt } = summary.estimate;
    expect([windowSeconds, finishedPerMinute]).toEqual([110, (6 / 110) * 60]);
    const left = (4 / finishedPerMinute) * 60_000;
    expect(completionAt).toEqual(new Date(START + 110_000 + left));
  });

  test('the timeline has every attempt, send, answer, control action and call-back', async () => {
    const position = await assignPositions(database);
    await takeReceivers(database, HOLDER);
    const { id = '' } = (await findReceiver(database, 'carota')) ?? {};
    const held = await renewReceiver(database, id, HOLDER);
    if (!held) throw new Error('not held');
    await settleBatch(database, held, HOLDER, { upto: position, limit: null }, START + 120_000);
    const options = { shard: 4, now: START + 130_000, by: { ...TESTER, reason: 'once more' } };
    await setPaused(database, source.operationId, true, options);
    await retriggerVehicle(database, source.operationId, ALICE.vin, {
      ...options,
      now: START + 140_000,
    });
    const entries = await timeline(database, source.operationId, ALICE.vin);
    const seconds = (at: string | Date) => Math.round((new Date(at).getTime() - START) / 1_000);
    const told = entries.map((entry) => {
      switch (entry.kind) {
        case 'delivery':
          return [entry.attempt, entry.what];
        case 'control':
          return [seconds(entry.at), entry.action, entry.by, entry.reason];
        case 'ack':
          return [seconds(entry.at), 'ack'];
        case 'event':
          return [
            seconds(entry.at),
            entry['status-name'],
            seconds(entry.vehicleAt),
            entry.callbacks.map(({ receiver, deliveredAt }) => [
              receiver,
              deliveredAt && seconds(deliveredAt),
            ]),
          ];
      }
    });
    const carota = [['carota', 120]];
    // The first trigger's id contains the machine's time, not the test's.
    expect(told.filter((entry) => entry[1] !== 'triggered')).toEqual([
      [1, 'sent'],
      [10, 'received', 10, carota],
      [20, 'downloading', 20, carota],
      [60, 'downloaded', 60, carota],
      [90, 'reboot', 90, carota],
      [100, 'success', 100, carota],
      [130, 'pause', 'test', 'once more'],
      [140, 'retrigger', 'test', 'once more'],
      [2, 'retriggered'],
    ]);
    expect(told.filter((entry) => entry[1] === 'triggered')).toEqual([[1, 'triggered']]);
    const others = await timeline(database, source.operationId, BOB.vin);
    expect(others.filter(({ kind }) => kind === 'control')).toHaveLength(1);
  });

  test('an event that is not delivered yet is shown as such', async () => {
    await source.store([{ vehicle: BOB, status: 'received', n: 'late' }], 1, START + 150_000);
    await assignPositions(database);
    const entries = await timeline(database, source.operationId, BOB.vin);
    const last = entries.flatMap((entry) => (entry.kind === 'event' ? [entry] : [])).at(-1);
    expect(last?.callbacks).toEqual([{ receiver: 'carota', deliveredAt: null, tries: 0 }]);
  });

  test('vehicles are found by VIN across operations, page by page', async () => {
    await eventSource(database, 'another', [ALICE, BOB], START);
    const found: string[] = [];
    for (let after: { vin: string; operationId: number } | undefined; ;) {
      const page = await searchDeliveries(database, ALICE.vin.slice(0, 16), { after, limit: 5 });
      found.push(...page.map(({ vin, ref_id }) => `${vin} ${ref_id}`));
      const last = page.at(-1);
      if (!last || page.length < 5) break;
      after = { vin: last.vin, operationId: last.operation_id };
    }
    const expected = FLEET.flatMap(({ vin }, n) =>
      n < 2 ? [`${vin} another`, `${vin} why`] : [`${vin} why`],
    );
    expect(found).toEqual(expected);
  });

  test('CSV quotes where necessary, and no reason becomes a formula', async () => {
    const vehicle = vehicleOf(99, 'WHY');
    const { operationId, store } = await eventSource(database, 'csv', [vehicle], START);
    const value = '=HYPERLINK("http://evil","x")\n,"';
    await store([{ vehicle, status: 'failure', n: 1, meta: [{ key: 'reason', value }] }]);
    const text = await all(exportDeliveries(database, operationId, {}, 'csv'));
    expect(text.split('\n')[0]).toMatch(/^vin,state,paused,delivery,attempt,reason,sends,/);
    expect(text).toContain(`,"'=HYPERLINK(""http://evil"",""x"")\n,""",`);
    const [row] = (await all(exportDeliveries(database, operationId, {}, 'ndjson'))).split('\n');
    expect(JSON.parse(row ?? '')).toMatchObject({
      vin: vehicle.vin,
      state: 'failure',
      reason: value,
    });
  });

  test('NDJSON has the fields of the contract in each line, and no others', async () => {
    const { operationId } = await eventSource(database, 'lines', FLEET, START);
    const lines = await all(exportDeliveries(database, operationId, {}, 'ndjson'));
    const check = checkOf(Type.Object(VehicleState.properties, { additionalProperties: false }));
    const rows = lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(rows).toHaveLength(FLEET.length);
    expect(rows.flatMap((row) => check.errors(row))).toEqual([]);
  });

  const ROWS = byDepth({ quick: 30_000, full: 1_000_000 });
  /** Number of measurements, each with a garbage collection. */
  const MEASUREMENTS = byDepth({ quick: 6, full: 10 });
  test(`${ROWS} rows are exported, each once, with constant memory`, async () => {
    const { operationId } = await eventSource(database, 'large', [vehicleOf(0, 'LRG')], START);
    // In steps: a statement may take at most 20 s.
    for (let from = 1; from < ROWS; from += 50_000) {
      await database.query(
        `insert into deliveries (operation_id, vin, trigger_id, triggered_at, delivery, state, updated_at)
         select $1, 'LRX' || lpad(n::text, 14, '0'), gen_random_uuid(), now(), 'sent', 'sent', now()
         from generate_series($2::integer, $3::integer) n`,
        [operationId, from, Math.min(from + 49_999, ROWS - 1)],
      );
    }
    await all(exportDeliveries(database, operationId, { vinPrefix: 'LRX0000000000' }, 'csv'));
    const before = bytesInUse();
    let most = 0;
    let bytes = 0;
    let lines = 0;
    let measuredAt = 0;
    for await (const chunk of exportDeliveries(database, operationId, {}, 'csv')) {
      bytes += chunk.length;
      lines += chunk.split('\n').length - 1;
      if (lines < measuredAt + ROWS / MEASUREMENTS) continue;
      measuredAt = lines;
      most = Math.max(most, bytesInUse() - before);
    }
    expect(lines).toBe(ROWS + 1);
    expect(measuredAt).toBeGreaterThan(ROWS * 0.8);
    // A few tenths of the rows as text would already exceed this.
    expect(bytes).toBeGreaterThan(ROWS * 100);
    expect(most).toBeLessThan(Math.max(4_000_000, bytes / 10));
  });
});

/** The reachable heap, after garbage collection. */
function bytesInUse(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function all(chunks: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk;
  return text;
}

test('negative durations due to wrong clocks are left out', () => {
  const events = (downloading: number, downloaded: number) =>
    new Map([
      ['downloading', downloading],
      ['downloaded', downloaded],
    ]);
  const vehicles = [events(0, 5_000), events(0, 7_000), events(9_000, 2_000)].map((map) => ({
    triggered: 0,
    acknowledged: undefined,
    events: map,
  }));
  expect(phaseDurations(vehicles)).toEqual([
    { phase: 'download', vehicles: 2, p50: 5, p90: 7, p99: 7 },
  ]);
});

test('the estimate uses the shortest window in which enough vehicles have finished', () => {
  const finished = { finished_300: 100, finished_3600: 120, finished_86400: 500 };
  expect(estimate(200, finished, { now: 0, start: -86_400_000 })).toEqual({
    finishedPerMinute: 20,
    windowSeconds: 300,
    completionAt: new Date(600_000),
  });
  // An operation that started ten seconds ago finished them in ten seconds.
  expect(estimate(200, finished, { now: 0, start: -10_000 })).toMatchObject({
    finishedPerMinute: 600,
    windowSeconds: 10,
  });
  expect(estimate(200, {}, { now: 0, start: -1 }).completionAt).toBeNull();
  expect(estimate(0, {}, { now: 5, start: 0 }).completionAt).toEqual(new Date(5));
});

test('a paused operation has no expected completion; a finished one has a rate of 0', () => {
  const finished = { finished_300: 100, finished_3600: 120, finished_86400: 500 };
  const when = { now: 0, start: -86_400_000 };
  expect(estimate(200, finished, { ...when, isPaused: true }).completionAt).toBeNull();
  expect(estimate(0, finished, when).finishedPerMinute).toBe(0);
});

test('messages of one millisecond are in the right order', () => {
  const at = (ms: number) => new Date(ms);
  const message = (status: number | null, message_id: string, event_at = at(5)) => ({
    received_at: at(9),
    event_at,
    message_id,
    status,
  });
  const ordered = [
    message(null, 'z', at(8)),
    message(EVENT_STATUS.success, 'y', at(4)),
    message(EVENT_STATUS.received, 'x'),
    message(EVENT_STATUS.downloading, 'w'),
    message(EVENT_STATUS.downloaded, 'a'),
    message(EVENT_STATUS.downloaded, 'b'),
    message(EVENT_STATUS.received, 'c', at(6)),
  ];
  expect(ordered.toReversed().sort(asHappened)).toEqual(ordered);
});
