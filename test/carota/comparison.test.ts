/** The comparison with the last campaign that an approver sees: plan, update script and vehicles. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { vinOf } from '../support/messages.js';
import {
  type AdapterDouble,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from './support/test-carota.js';

const vins = Array.from({ length: 12 }, (_, n) => vinOf(n, 'WVD'));
const GUARD = { maxFailures: 3 };

let adapter: AdapterDouble;
let carota: TestCarota;
let second: string;

beforeAll(async () => {
  adapter = await startAdapterDouble();
  carota = await startTestCarota(adapter.url, { approval: 'second-person' });
  const { body } = await carota.call('POST', '/v1.0/tokens', {
    body: { role: 'planner', name: 'second' },
  });
  second = body.token;
  const old = await carota.upload(Buffer.from('1.1.0'));
  const fresh = await carota.upload(Buffer.from('1.2.0'));
  await publish('hu 1.1', {
    ecus: [
      { ecu: 'HU', version: '1.1.0', artifact: bytesOf(old) },
      { ecu: 'TCU', version: '7', artifact: bytesOf(old) },
    ],
    record: recordOf('R79 ABC 001', 'R79 ABC 002', '1.1.0', old.sha256),
  });
  await publish('hu 1.2', {
    ecus: [
      { ecu: 'HU', version: '1.2.0', artifact: bytesOf(fresh) },
      { ecu: 'TCU', version: '7', artifact: bytesOf(old) },
      { ecu: 'IVI', version: '3', artifact: bytesOf(fresh) },
    ],
    // The default: no difference.
    rollback: true,
    preconditions: { battery: 60 },
    record: recordOf('R79 ABC 002', 'R79 ABC 003', '1.2.0', fresh.sha256),
  });
});
afterAll(async () => {
  await carota.stop();
  await adapter.stop();
});

const bytesOf = ({ sha256, md5, size }: { sha256: string; md5: string; size: number }) => ({
  ...{ sha256, md5, size },
});
const recordOf = (rxswinBefore: string, rxswinAfter: string, version: string, sha256: string) => ({
  purpose: 'Shorter distance at low speed.',
  systems: ['steering assistance'],
  regulations: [
    {
      ...{ regulation: 'UN R79', rxswinBefore, rxswinAfter },
      software: [{ ecu: 'HU', version, sha256 }],
    },
  ],
});

async function publish(name: string, fields: object): Promise<void> {
  const body = { version: 'v1', 'script-ref-id': name, model: MODEL, ...fields };
  const made = await carota.call('POST', '/v1.0/update-scripts', { body });
  expect(made).toMatchObject({ status: 201 });
  const path = `/v1.0/update-scripts/${encodeURIComponent(name)}/approve`;
  const digest = { digest: made.body.sha256 };
  expect((await carota.call('POST', path, { token: second, body: digest })).status).toBe(200);
}
async function propose(refId: string, fields: object): Promise<void> {
  const body = { 'ref-id': refId, model: MODEL, guard: GUARD, ...fields };
  expect((await carota.call('POST', '/v1.0/schedules', { body })).status).toBe(201);
}
const path = (refId: string) => `/v1.0/schedules/${encodeURIComponent(refId)}`;
const compare = (refId: string) => carota.call('GET', `${path(refId)}/comparison`);
async function approve(refId: string): Promise<void> {
  const { digest } = (await compare(refId)).body;
  const answer = await carota.call('POST', `${path(refId)}/approve`, {
    token: second,
    body: { digest },
  });
  expect(answer.status).toBe(200);
}
async function only(refId: string, which: string, limit = 100): Promise<string[]> {
  const found: string[] = [];
  for (let cursor = ''; ;) {
    const { status, body } = await carota.call(
      'GET',
      `${path(refId)}/comparison/vehicles?only=${which}&limit=${limit}${cursor}`,
    );
    expect(status).toBe(200);
    found.push(...body.items.map(({ vin }: any) => vin));
    if (body.nextCursor === null) return found;
    cursor = `&cursor=${body.nextCursor}`;
  }
}

describe('the first campaign of a model', () => {
  test('is new in every part', async () => {
    await propose('first', { 'script-ref-id': 'hu 1.1', vins: vins.slice(0, 8), pause: 60 });
    const { body } = await compare('first');
    expect(body).toMatchObject({
      last: null,
      script: { before: null, after: { 'script-ref-id': 'hu 1.1' } },
      vehicles: { before: 0, after: 8, added: 8, removed: 0 },
    });
    expect(body.plan).toContainEqual({ path: '/pause', before: null, after: 60 });
    expect(body.script.ecus).toMatchObject([
      { ecu: 'HU', before: null, after: { version: '1.1.0' }, differs: true },
      { ecu: 'TCU', before: null, after: { version: '7' }, differs: true },
    ]);
    expect(await only('first', 'removed')).toEqual([]);
    expect(await only('first', 'added')).toEqual(vins.slice(0, 8).toSorted());
  });
});

describe('the next campaign', () => {
  test('is compared with the last approved one, in plan, script and vehicles', async () => {
    await approve('first');
    // A proposal that was stopped without approval is not a campaign.
    await propose('never approved', { 'script-ref-id': 'hu 1.1', vins: vins.slice(0, 1) });
    await carota.call('POST', `${path('never approved')}/stop`, { body: { reason: 'a test' } });
    await propose('second', {
      'script-ref-id': 'hu 1.2',
      vins: vins.slice(2),
      // The default soak is no difference; a cap of 500 is one.
      pause: 0,
      guard: { ...GUARD, soak: 86_400, exposureCap: 500 },
      waves: [{ vehicles: 2 }],
    });
    const { body } = await compare('second');
    expect(body.last).toMatchObject({ 'ref-id': 'first', approvedAt: expect.any(String) });
    expect(body.plan).toEqual([
      { path: '/guard/exposureCap', before: 100, after: 500 },
      { path: '/pause', before: 60, after: 0 },
      { path: '/waves', before: null, after: [{ vehicles: 2 }] },
    ]);
    const { ecus, regulations, other } = body.script;
    expect(
      ecus.map(({ ecu, differs, before, after }: any) => [
        ecu,
        differs,
        before?.version,
        after?.version,
      ]),
    ).toEqual([
      ['HU', true, '1.1.0', '1.2.0'],
      ['IVI', true, undefined, '3'],
      ['TCU', false, '7', '7'],
    ]);
    expect(ecus[0].after.artifact.sha256).not.toBe(ecus[0].before.artifact.sha256);
    expect(regulations).toEqual([
      {
        regulation: 'UN R79',
        before: { rxswinBefore: 'R79 ABC 001', rxswinAfter: 'R79 ABC 002' },
        after: { rxswinBefore: 'R79 ABC 002', rxswinAfter: 'R79 ABC 003' },
        differs: true,
      },
    ]);
    expect(other).toEqual([
      { path: '/preconditions', before: null, after: { battery: 60, timeout: 86_400 } },
    ]);
    expect(body.vehicles).toEqual({ before: 8, after: 10, added: 4, removed: 2 });
    // In pages of one item, so that each cursor is used.
    expect(await only('second', 'added', 1)).toEqual(vins.slice(8).toSorted());
    expect(await only('second', 'removed', 1)).toEqual(vins.slice(0, 2).toSorted());
  });

  test('is approved as compared: a vehicle added since then makes the approval void', async () => {
    const { digest } = (await compare('second')).body;
    expect(digest).toBe((await carota.call('GET', path('second'))).body.digest);
    const late = vinOf(50, 'WVD');
    await carota.call('POST', `${path('second')}/vehicles`, {
      headers: { 'content-type': 'text/csv' },
      body: `vin\n${late}\n`,
    });
    expect(await only('second', 'added')).toContain(late);
    const answer = await carota.call('POST', `${path('second')}/approve`, {
      token: second,
      body: { digest },
    });
    expect(answer).toMatchObject({ status: 409, body: { errorCode: 'DIGEST_MISMATCH' } });
    await approve('second');
    // It is still compared with the campaign before it, not with itself.
    expect((await compare('second')).body.last['ref-id']).toBe('first');
    expect((await compare('first')).body.last).toBeNull();
  });

  test('is not compared with a campaign of another model', async () => {
    const { body } = await carota.call('GET', '/v1.0/update-scripts/hu%201.1');
    const script = { ...body.script, 'script-ref-id': 'other', model: 'another model' };
    await publish('other', script);
    await propose('elsewhere', { 'script-ref-id': 'other', model: 'another model', vins });
    expect((await compare('elsewhere')).body.last).toBeNull();
  });
});

test('an erased vehicle of the last campaign is listed by its pseudonym, on every page', async () => {
  for (const refId of ['first', 'second', 'elsewhere']) {
    await carota.call('POST', `${path(refId)}/stop`, { body: { reason: 'a test' } });
  }
  await propose('third', { 'script-ref-id': 'hu 1.2', vins: [vins[11]] });
  const gone = vins[5] ?? '';
  expect((await carota.call('DELETE', `/v1.0/vehicles/${gone}`)).status).toBe(204);
  const removed = await only('third', 'removed', 1);
  expect(removed).not.toContain(gone);
  expect(removed.filter((name) => /^vin-[0-9a-f]{32}$/.test(name))).toHaveLength(1);
  const pages = await carota.call('GET', `${path('second')}/vehicles?limit=11`);
  const last = await carota.call(
    'GET',
    `${path('second')}/vehicles?limit=11&cursor=${pages.body.nextCursor}`,
  );
  expect(last).toMatchObject({ status: 200, body: { items: [], nextCursor: null } });
});

test.each([
  ['/v1.0/schedules/none/comparison', 404],
  ['/v1.0/schedules/none/comparison/vehicles?only=added', 404],
  ['/v1.0/schedules/first/comparison/vehicles', 400],
  ['/v1.0/schedules/first/comparison/vehicles?only=both', 400],
  ['/v1.0/schedules/first/comparison/vehicles?only=added&only=removed', 400],
  ['/v1.0/schedules/first/comparison/vehicles?only=added&limit=1.5', 400],
  ['/v1.0/schedules/first/comparison/vehicles?only=added&cursor=abc', 400],
  ['/v1.0/schedules/a%00b/comparison', 400],
])('%s is refused with %i', async (address, status) => {
  expect((await carota.call('GET', address)).status).toBe(status);
});
