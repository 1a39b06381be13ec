/** The registry: registration, credentials, streamed import. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestAdapter, type TestAdapter } from '../support/adapter.js';
import { vehicleOf, vinOf } from '../support/messages.js';
import { connectVehicle } from '../support/mqtt-vehicle.js';

let t: TestAdapter;
beforeAll(async () => {
  t = await startTestAdapter();
});
afterAll(() => t.stop());

const importLines = (body: string | Buffer, type: string, headers: Record<string, string> = {}) =>
  t.call('POST', '/v1.0/vehicles/import', { body, headers: { 'content-type': type, ...headers } });

describe('one vehicle', () => {
  test('is registered with a credential that is shown once and lets it connect', async () => {
    const vehicle = vehicleOf(1, 'PUT');
    const created = await t.call('PUT', `/v1.0/vehicles/${vehicle.vin}`, {
      body: { system_id: vehicle.systemId, device_id: 'd1', ecu_type: 'TCU', model: 'm' },
    });
    expect(created.status).toBe(201);
    const { credential } = created.body as { credential: string };
    expect(credential.length).toBeGreaterThanOrEqual(24);

    const read = await t.call('GET', `/v1.0/vehicles/${vehicle.vin.toLowerCase()}`);
    expect(read.body).toMatchObject({ vin: vehicle.vin, system_id: vehicle.systemId, model: 'm' });
    expect(JSON.stringify(read.body)).not.toContain(credential);
    const url = t.adapter.mqttUrl;
    await (await connectVehicle(url, vehicle, { credential })).end();

    // Registering again without a credential keeps the existing one.
    const changed = await t.call('PUT', `/v1.0/vehicles/${vehicle.vin}`, {
      body: { system_id: vehicle.systemId, model: 'n' },
    });
    expect(changed.status).toBe(200);
    expect(changed.body).not.toHaveProperty('credential');
    await (await connectVehicle(url, vehicle, { credential })).end();
  });

  test('cannot take the system_id of another', async () => {
    const [a, b] = [vehicleOf(1, 'TWA'), vehicleOf(2, 'TWA')];
    await t.register(a, b);
    const answer = await t.call('PUT', `/v1.0/vehicles/${b.vin}`, {
      body: { system_id: a.systemId },
    });
    expect(answer).toMatchObject({ status: 409, body: { errorCode: 'SYSTEM_ID_TAKEN' } });
  });

  test('is removed', async () => {
    const vehicle = vehicleOf(1, 'DEL');
    await t.register(vehicle);
    expect((await t.call('DELETE', `/v1.0/vehicles/${vehicle.vin}`)).status).toBe(204);
    expect((await t.call('GET', `/v1.0/vehicles/${vehicle.vin}`)).status).toBe(404);
  });

  test.each([
    [{}, '/system_id'],
    [{ system_id: 'a/b' }, '/system_id'],
    [{ system_id: 'ok', credential: 'short' }, '/credential'],
    [{ system_id: 'ok', credential: 'a'.repeat(40) }, '/credential'],
    [{ system_id: 'ok', credential: 'secret12'.repeat(4) }, '/credential'],
    [{ system_id: 'ok', credential: vinOf(9, 'BAD') }, '/credential'],
    [{ system_id: 'c2c-sys-000009', credential: 'pw-C2C-SYS-000009' }, '/credential'],
    [{ system_id: 'ok', unknown: 1 }, '/unknown'],
  ])('with %j is refused', async (body, path) => {
    const answer = await t.call('PUT', `/v1.0/vehicles/${vinOf(9, 'BAD')}`, { body });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });
});

describe('import', () => {
  test('refuses guessable credentials, and accepts the others', async () => {
    const lines = [
      { vin: vinOf(1, 'GSS'), system_id: 'gss-1', credential: '0000000000000000000000' },
      { vin: vinOf(2, 'GSS'), system_id: 'gss-2', credential: vinOf(2, 'GSS').toLowerCase() },
      { vin: vinOf(3, 'GSS'), system_id: 'gss-3', credential: 'n8LZWh0bTqk3yHcE' },
    ].map((line) => JSON.stringify(line));
    const { body } = await importLines(lines.join('\n'), 'application/x-ndjson');
    expect(body).toMatchObject({ created: 1, rejectedCount: 2 });
    for (const { errorMessage } of body.rejected) expect(errorMessage).toContain('/credential');
  });

  test('accepts CSV with a byte order mark and quotes, and rejects faulty lines', async () => {
    const csv = [
      '\uFEFFvin,system_id,device_id,ecu_type,model',
      `${vinOf(1, 'CSV')},csv-1,d,TCU,"model, with comma"`,
      'SHORT,csv-2,d,TCU,m',
      `${vinOf(3, 'CSV')},,d,TCU,m`,
      `${vinOf(4, 'CSV')},csv-1,d,TCU,m`,
      '',
      `${vinOf(5, 'CSV')},csv-5,d,TCU,m`,
    ].join('\r\n');
    const { status, body } = await importLines(csv, 'text/csv; charset=utf-8');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      created: 2,
      updated: 0,
      rejectedCount: 3,
      rejected: [
        { line: 3, errorCode: 'INVALID', errorMessage: expect.stringContaining('vin') as string },
        { line: 4, errorCode: 'INVALID', errorMessage: 'system_id is missing' },
        { line: 5, errorCode: 'SYSTEM_ID_TAKEN' },
      ],
    });
    const { body: first } = await t.call('GET', `/v1.0/vehicles/${vinOf(1, 'CSV')}`);
    expect(first.model).toBe('model, with comma');
  });

  test('keeps the valid lines before a quote that never closes in CSV', async () => {
    const csv = `vin,system_id\n${vinOf(1, 'KTE')},quote-1\n"${vinOf(2, 'KTE')},quote-2\n`;
    const { status, body } = await importLines(csv, 'text/csv');
    expect(status).toBe(200);
    expect(body).toMatchObject({ created: 1, rejectedCount: 1 });
    expect((await t.call('GET', '/healthz')).status).toBe(200);
  });

  test('accepts 20,000 vehicles as gzipped NDJSON, and updates them when it is repeated', async () => {
    const lines = Array.from({ length: 20_000 }, (_, n) =>
      JSON.stringify({ vin: vinOf(n, 'NDJ'), system_id: `ndj-${n}` }),
    );
    lines[10] = 'no json';
    lines[11] = '{"vin":1}';
    const body = gzipSync(lines.join('\n'));
    const headers = { 'content-encoding': 'gzip' };
    const first = await importLines(body, 'application/x-ndjson', headers);
    expect(first.body).toMatchObject({
      created: 19_998,
      rejectedCount: 2,
      rejected: [{ line: 11 }, { line: 12 }],
    });
    const second = await importLines(body, 'application/x-ndjson', headers);
    expect(second.body).toMatchObject({ created: 0, updated: 19_998 });
  });

  test('rejects another content type', async () => {
    const answer = await importLines('[]', 'application/json');
    expect(answer).toMatchObject({ status: 415, body: { errorCode: 'UNSUPPORTED_MEDIA_TYPE' } });
  });
});

test('the list is paged in VIN order and complete', async () => {
  const vehicles = Array.from({ length: 25 }, (_, n) => vehicleOf(n, 'PGE'));
  await t.register(...vehicles);
  const vins: string[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? '' : `&cursor=${cursor}`;
    const { body } = await t.call('GET', `/v1.0/vehicles?limit=1000${query}`);
    vins.push(...(body.items as { vin: string }[]).map(({ vin }) => vin));
    cursor = body.nextCursor as string | null;
  } while (cursor !== null);
  expect(vins).toEqual([...vins].sort());
  const listed = new Set(vins);
  expect(listed.size).toBe(vins.length);
  expect(vehicles.filter(({ vin }) => !listed.has(vin))).toEqual([]);
});
