/** The timeline of a vehicle: exposure, results, retries, and what is due, from the API and from stored rows. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dueOf } from '../../../src/carota/guard/index.js';
import { type EventStatusName } from '../../../src/contract/index.js';
import { eventually } from '../../support/adapter.js';
import { vinOf } from '../../support/messages.js';
import {
  type AdapterDouble,
  eventOf,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../support/test-carota.js';

const [one = '', other = '', third = ''] = [1, 2, 3].map((n) => vinOf(n, 'WVT'));

let adapter: AdapterDouble;
let carota: TestCarota;
let refIds = 0;

beforeAll(async () => {
  adapter = await startAdapterDouble();
  carota = await startTestCarota(adapter.url, {
    adapterControlToken: 'operator',
    deadlineGrace: 0,
  });
  await carota.publish('hu only 001');
});
afterAll(async () => {
  await carota.stop();
  await adapter.stop();
});

async function running(fields: object): Promise<string> {
  const refId = `timeline ${++refIds}`;
  const body = {
    ...{ 'ref-id': refId, 'script-ref-id': 'hu only 001', model: MODEL, vins: [one, other, third] },
    ...fields,
  };
  expect((await carota.call('POST', '/v1.0/schedules', { body })).status).toBe(201);
  await eventually(
    async () => (await carota.call('GET', path(refId))).body,
    ({ waves }) => waves.length > 0 && waves[0].postedAt !== null,
  );
  return refId;
}
const path = (refId: string) => `/v1.0/schedules/${encodeURIComponent(refId)}`;
const ask = (refId: string, vin: string) =>
  carota.call('POST', `${path(refId)}/vehicles/${vin}/admission`);
const report = (refId: string, vin: string, ...statuses: readonly EventStatusName[]) =>
  carota.callBack(statuses.map((status) => eventOf({ refId, vin, status })));
const timeline = async (vin: string, refId: string): Promise<any[]> => {
  const query = new URLSearchParams({ 'ref-id': refId }).toString();
  return (await carota.call('GET', `/v1.0/vehicles/${vin}/timeline?${query}`)).body.items;
};
/** The kind of each entry, newest first. */
const shortly = (items: readonly any[]) =>
  items.map((item) =>
    [item.kind, item['status-name'] ?? item.result ?? item.becomes].join(' ').trim(),
  );

test('shows when silence is due and why, when it occurred, and that success undid it', async () => {
  const guard = { maxFailures: 9, afterReboot: 1, deadline: 3_600, soak: 3_600 };
  const refId = await running({ guard });
  await ask(refId, one);
  await report(refId, one, 'downloading');
  const [due, ...before] = await timeline(one, refId);
  expect(due).toMatchObject({
    ...{ kind: 'due', becomes: 'silent', because: '3600 s after its exposure' },
    unless: 'it reports success, a failure or a withdrawal first',
  });
  const exposed = before.at(-1);
  expect(exposed).toMatchObject({ kind: 'exposed', place: 1 });
  expect(Date.parse(due.at) - Date.parse(exposed.at)).toBe(3_600_000);
  await report(refId, one, 'reboot');
  expect((await timeline(one, refId))[0]).toMatchObject({ because: '1 s after its reboot' });
  await eventually(
    () => timeline(one, refId),
    (items) => items[0]?.kind === 'result',
  );
  await report(refId, one, 'success');
  const items = await timeline(one, refId);
  // Still silent until the end of the soak, and both are shown.
  expect(shortly(items)).toEqual([
    ...['due succeeded', 'report success', 'result silent', 'report reboot'],
    ...['report downloading', 'exposed'],
  ]);
  expect(items[0].unless).toBe('it reports a failure first');
  await report(refId, one, 'failure');
  expect(shortly(await timeline(one, refId)).slice(0, 2)).toEqual([
    'result failed',
    'report failure',
  ]);
});

test('shows vehicles that wait, withdraw and succeed', async () => {
  const refId = await running({ guard: { maxFailures: 9, exposureCap: 1, soak: 0 } });
  await ask(refId, one);
  await ask(refId, other);
  expect(shortly(await timeline(other, refId))).toEqual(['asked']);
  await report(refId, one, 'consent_rejected');
  expect(shortly(await timeline(one, refId))).toEqual([
    ...['result withdrawn', 'report consent_rejected', 'exposed'],
  ]);
  await ask(refId, other);
  await report(refId, other, 'success');
  expect(shortly(await timeline(other, refId))).toEqual([
    ...['result succeeded', 'report success', 'exposed', 'asked'],
  ]);
  // All schedules of a vehicle at once, each entry with its own.
  const { body } = await carota.call('GET', `/v1.0/vehicles/${one}/timeline`);
  expect(new Set(body.items.map((item: any) => item['ref-id'])).size).toBe(refIds);
});

test('shows a retry that is due, its new attempt, and its end with the schedule', async () => {
  const retry = [{ state: 'failure', after: 1, times: 2 }];
  const refId = await running({ guard: { maxFailures: 9, soak: 0 }, retry });
  await ask(refId, third);
  adapter.answer = 503;
  await report(refId, third, 'failure');
  const dues = (await timeline(third, refId)).filter(({ kind }) => kind === 'due');
  expect(shortly(dues).toSorted()).toEqual(['due failed', 'due retried']);
  expect(dues.find(({ becomes }) => becomes === 'retried')).toMatchObject({
    because: 'the plan retries failure',
  });
  adapter.answer = 202;
  await eventually(
    () => timeline(third, refId),
    (items) => items.some(({ kind }) => kind === 'retried'),
    120_000,
  );
  await carota.call('POST', `${path(refId)}/pause`, { body: {} });
  await report(refId, third, 'failure');
  await carota.call('POST', `${path(refId)}/stop`, { body: { reason: 'a test' } });
  await eventually(
    () => timeline(third, refId),
    (items) => shortly(items)[0] === 'result failed',
  );
}, 180_000);

test.each([
  ['/v1.0/vehicles/WVT00000000000099/timeline', 404],
  ['/v1.0/vehicles/x/timeline', 400],
  [`/v1.0/vehicles/${one}/timeline?ref-id=none`, 404],
  [`/v1.0/vehicles/${one}/timeline?ref-id=a&ref-id=b`, 400],
  [`/v1.0/vehicles/${one}/timeline?ref-id=%00`, 400],
  [`/v1.0/vehicles/${one.toLowerCase()}/timeline`, 200],
])('answers %s with %i', async (address, status) => {
  expect((await carota.call('GET', address)).status).toBe(status);
});

describe('what is due', () => {
  const at = 1_000_000;
  test.each([
    ['received', at + 60_000, 'silent', '60 s after its exposure'],
    ['reboot', at + 10_000, 'silent', '5 s after its reboot'],
    ['reboot', at + 60_000, 'silent', '60 s after its exposure'],
    ['success', at + 90_000, 'succeeded', '86400 s after its success reached the adapter'],
    ['download_fail', at + 60_000, 'failed', '60 s after its exposure'],
    ['received', at + 61_000, 'silent', 'postponed because the server was restarted'],
  ])('in state %s at %i: %s, %s', (state, decidesAt, becomes, because) => {
    const due = dueOf({ state, at, decidesAt }, { deadline: 60, afterReboot: 5 });
    expect(due).toMatchObject({ becomes, because });
  });
});
