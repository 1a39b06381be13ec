/** Events that cannot be stored are set aside with the reason, and everything else continues (contract section 2). */
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { takingTurns } from '../support/depth.js';
import { expireRefusedEvents } from '../../src/carota/events/index.js';
import { openPostgres } from '../../src/service/database/index.js';
import { eventually } from '../support/adapter.js';
import { emptyPostgresUrl } from '../support/databases.js';
import { vinOf } from '../support/messages.js';
import {
  type AdapterDouble,
  type CarotaEvent,
  eventOf,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from './support/test-carota.js';

/** Tests with siblings on the same subject take turns. */
const isTurn = takingTurns(2);

const SCRIPT = 'hu only 001';
const PATH = '/v1.0/refused-events';
const vins = Array.from({ length: 10 }, (_, n) => vinOf(n, 'RFE'));
const [HEALTHY = '', SICK = ''] = vins;

const databaseUrl = await emptyPostgresUrl();

describe('an event that cannot be stored', () => {
  let adapter: AdapterDouble;
  let carota: TestCarota;
  let database: pg.Client;
  let refIds = 0;

  beforeAll(async () => {
    adapter = await startAdapterDouble();
    carota = await startTestCarota(adapter.url, { databaseUrl });
    await carota.publish(SCRIPT);
    database = new pg.Client(databaseUrl);
    await database.connect();
  });
  afterAll(async () => {
    await database.end();
    await carota.stop();
    await adapter.stop();
  });
  afterEach(async () => {
    await database.query('truncate refused_events');
  });

  /** A running schedule with all vehicles. */
  const schedule = async (fields: object = {}) => {
    const refId = `refused ${++refIds}`;
    const body = { 'ref-id': refId, 'script-ref-id': SCRIPT, model: MODEL, vins, ...fields };
    await carota.call('POST', '/v1.0/schedules', { body });
    await eventually(
      () => show(refId),
      ({ waves }) => typeof waves[0]?.postedAt === 'string',
    );
    return refId;
  };
  const show = async (refId: string) =>
    (await carota.call('GET', `/v1.0/schedules/${encodeURIComponent(refId)}`)).body;
  const list = async (query = '') => (await carota.call('GET', `${PATH}${query}`)).body.items;
  const event = (fields: Partial<CarotaEvent> & { refId: string }, more: object = {}) => ({
    ...eventOf({ vin: HEALTHY, status: 'downloading', ...fields }),
    ...more,
  });
  const metric = async (name: string): Promise<number> => {
    const text = String((await carota.call('GET', '/metrics')).body);
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
    return Number(line?.slice(name.length));
  };

  test.each<[string, object, string]>([
    ['a status of 6.5', { status: 6.5 }, '/status'],
    ['a status of 2147483648', { status: 2147483648 }, '/status'],
    ['a status that is text', { status: '6' }, '/status'],
    ['a time in the year 275760', { timestamp: 8.64e15 }, '/timestamp'],
    ['a time before 1970', { timestamp: -1 }, '/timestamp'],
    ['a time of 1e308', { 'received-at': 1e308 }, '/received-at'],
    ['NUL in meta', { meta: [{ key: 'a', value: 'x\0' }] }, '/meta/0/value'],
    ['half of a surrogate pair', { meta: [{ key: '\ud800', value: '' }] }, '/meta/0/key'],
    ['meta that is an object', { meta: {} }, '/meta'],
    ['no VIN', { vin: 'nobody' }, '/vin'],
    ['a ref-id of 100 KB', { 'ref-id': 'r'.repeat(100_000) }, '/ref-id'],
    ['an event-id of 100 KB', { 'event-id': 'e'.repeat(100_000) }, '/event-id'],
    ['no event-id', { 'event-id': undefined }, '/event-id'],
  ])('%s is set aside, and the rest of its batch is stored', async (_name, fault, path) => {
    const refId = await schedule();
    const before = await metric('otaops_carota_refused_events_total{reason="INVALID_EVENT"}');
    const faulty = event({ refId, vin: SICK }, fault);
    const batch = [
      event({ refId, vin: HEALTHY }),
      faulty,
      event({ refId, vin: vins[2] ?? '', status: 'success' }),
    ];
    expect(await carota.callBack(batch)).toMatchObject({
      status: 200,
      body: { stored: 2, duplicates: 0, refused: 1 },
    });
    expect((await show(refId)).states).toMatchObject({ downloading: 1, success: 1 });
    const [refused, ...more] = await list();
    expect(more).toEqual([]);
    expect(refused).toMatchObject({ reason: 'INVALID_EVENT', path, replayedAt: null });
    expect(JSON.parse(refused.event)).toEqual(JSON.parse(JSON.stringify(faulty)));
    expect(await metric('otaops_carota_refused_events_total{reason="INVALID_EVENT"}')).toBe(
      before + 1,
    );
    expect(await metric('otaops_carota_refused_events{reason="INVALID_EVENT"}')).toBe(1);

    // As if the answer was lost, the adapter repeats the batch.
    expect((await carota.callBack(batch)).body).toEqual({ stored: 0, duplicates: 3, refused: 0 });
    expect(await list()).toHaveLength(1);
  });

  test('an event that is not an object, or is nested 50,000 deep, is kept as received', async () => {
    const refId = await schedule();
    const deep = `{"event-id": "deep", "meta": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    const texts = ['null', '  1.50e1 ', '"text"', '[]', '{"event-id":"a","event-id":"b"}', deep];
    const good = JSON.stringify(event({ refId }));
    const text = `{"time":1,"version":"v1","body":{"events":[${[...texts, good].join(',')}]}}`;
    expect((await carota.callBackText(text)).body).toEqual({
      stored: 1,
      duplicates: 0,
      refused: 6,
    });
    const kept = (await list()).map((refused: any) => refused.event);
    expect(kept.toReversed()).toEqual(texts.map((each) => each.trim()));
  });

  test.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['another version', '{"time":1,"version":"v2","body":{"events":[]}}'],
    ['no time', '{"version":"v1","body":{"events":[]}}'],
    ['events that are no list', '{"time":1,"version":"v1","body":{"events":{}}}'],
  ])('%s is not a call-back: 400', async (_name, text) => {
    expect((await carota.callBackText(text)).status).toBe(400);
    expect(await list()).toEqual([]);
  });

  test('unknown fields are ignored, whatever they contain', async () => {
    const refId = await schedule();
    const odd = event({ refId }, { 'x-\0': '\0', more: { deep: [[[1e308]]] } });
    expect((await carota.callBack([odd])).body).toEqual({ stored: 1, duplicates: 0, refused: 0 });
  });

  test('a row that the database refuses, one of 500, is set aside, and replayed with all its consequences', async () => {
    const refId = await schedule({ guard: { maxFailures: 1 } });
    await database.query(
      `alter table events add constraint poison check (vin <> '${SICK}') not valid`,
    );
    const others = Array.from({ length: 499 }, () => event({ refId }));
    const poison = event({ refId, vin: SICK, status: 'failure' });
    const batch = [...others.slice(0, 300), poison, ...others.slice(300)];
    expect((await carota.callBack(batch)).body).toEqual({ stored: 499, duplicates: 0, refused: 1 });
    expect(await list()).toMatchObject([
      { reason: 'REFUSED_BY_DATABASE', vin: SICK, 'ref-id': refId, path: '' },
    ]);
    const [{ id, detail }] = await list();
    expect(detail).toContain('poison');
    const replayOne = async () => (await carota.call('POST', `${PATH}/${id}/replay`)).body;
    expect(await replayOne()).toEqual({ outcome: 'refused', reason: 'REFUSED_BY_DATABASE' });
    expect((await show(refId)).status).not.toBe('stopped');

    await database.query('alter table events drop constraint poison');
    expect(await replayOne()).toEqual({ outcome: 'stored', reason: null });
    expect(await show(refId)).toMatchObject({ status: 'stopped', states: { failure: 1 } });
    expect((await list())[0].replayedAt).not.toBeNull();
    expect(await replayOne()).toEqual({ outcome: 'duplicate', reason: null });
  });

  test.runIf(isTurn())(
    'a schedule that cannot be judged holds up only its own events',
    async () => {
      const sick = await schedule();
      const healthy = await schedule();
      await database.query(`update schedules set plan = 'null' where ref_id = $1`, [sick]);
      const batch = [
        event({ refId: sick, vin: SICK, status: 'success' }),
        event({ refId: healthy, status: 'success' }),
        event({ refId: sick, vin: HEALTHY, status: 'success' }),
        event({ refId: healthy, vin: SICK, status: 'success' }),
      ];
      expect((await carota.callBack(batch)).body).toEqual({ stored: 2, duplicates: 0, refused: 2 });
      expect((await show(healthy)).states.success).toBe(2);
      expect(await list()).toMatchObject([{ reason: 'NOT_APPLIED' }, { reason: 'NOT_APPLIED' }]);
      await database.query(
        `update schedules set plan = (select plan from schedules where ref_id = $2) where ref_id = $1`,
        [sick, healthy],
      );
      const { body } = await carota.call('POST', `${PATH}/replay`, {
        body: { filter: { 'ref-id': sick } },
      });
      expect(body).toEqual({ stored: 2, duplicates: 0, refused: 0, more: false });
      expect((await show(sick)).states.success).toBe(2);
    },
  );

  test.runIf(isTurn())(
    'a missing table is not the event’s fault: 5xx, and nothing is set aside',
    async () => {
      const refId = await schedule();
      await database.query('alter table events rename to events_away');
      const batch = [event({ refId }), event({ refId, vin: SICK })];
      expect((await carota.callBack(batch)).status).toBe(500);
      await database.query('alter table events_away rename to events');
      expect(await list()).toEqual([]);
      expect((await carota.callBack(batch)).body).toMatchObject({ stored: 2, refused: 0 });
    },
  );

  test.runIf(isTurn())('the list has filters and pages, and a replay takes a filter', async () => {
    const refId = await schedule();
    const many = Array.from({ length: 25 }, (_, n) =>
      event({ refId, vin: vins[n % 5] ?? '' }, { status: -1 }),
    );
    await carota.callBack(many);
    const ids: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const { body } = await carota.call('GET', `${PATH}?limit=10${next && `&cursor=${next}`}`);
      ids.push(...body.items.map((item: any) => item['event-id']));
      next = body.nextCursor as string | null;
    }
    expect(ids.toReversed()).toEqual(many.map((each) => each['event-id']));
    expect(await list(`?vin=${SICK}`)).toHaveLength(5);
    expect(await list(`?ref-id=${encodeURIComponent(refId)}&reason=INVALID_EVENT`)).toHaveLength(
      25,
    );
    expect(await list('?reason=NOT_APPLIED')).toEqual([]);
    const soon = new Date(Date.now() + 60_000).toISOString();
    expect(await list(`?from=${soon}`)).toEqual([]);
    expect(await list(`?to=${soon}&replayed=false`)).toHaveLength(25);

    // The cause is fixed: the events are now valid, as if a new release could read them.
    await database.query(
      `update refused_events set event = replace(event, '"status":-1', '"status":3') where vin = $1`,
      [SICK],
    );
    const replay = async (body: object) =>
      (await carota.call('POST', `${PATH}/replay`, { body })).body;
    expect(await replay({ filter: { vin: SICK }, limit: 2 })).toEqual({
      ...{ stored: 2, duplicates: 0, refused: 0, more: true },
    });
    expect(await replay({ filter: {} })).toEqual({
      stored: 3,
      duplicates: 0,
      refused: 20,
      more: false,
    });
    // A missing filter must not replay everything.
    expect((await replay({})).errors).toEqual([{ path: '/filter', message: 'is missing' }]);
    expect(await list('?replayed=true')).toHaveLength(5);
    expect((await carota.call('GET', `${PATH}?cursor=bm8`)).status).toBe(400);
  });

  test('a viewer cannot replay', async () => {
    const { body } = await carota.call('POST', '/v1.0/tokens', {
      body: { role: 'viewer', name: 'looks' },
    });
    const { token } = body;
    expect((await carota.call('GET', PATH, { token })).status).toBe(200);
    expect((await carota.call('POST', `${PATH}/replay`, { token, body: {} })).status).toBe(403);
  });

  test.runIf(isTurn())('old ones are deleted', async () => {
    await carota.callBack([{ 'event-id': 'old' }]);
    const opened = openPostgres({ url: databaseUrl });
    await expireRefusedEvents(opened, Date.now() - 60_000);
    expect(await list()).toHaveLength(1);
    await expireRefusedEvents(opened, Date.now() + 60_000);
    await opened.close();
    expect(await list()).toEqual([]);
  });
});
