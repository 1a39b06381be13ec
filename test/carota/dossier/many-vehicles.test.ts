/** The dossier of a campaign with more vehicles than one read returns: each is in it once, in order. */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyDossier } from '../../../src/carota/dossier/index.js';
import { byDepth, sampleOf } from '../../support/depth.js';
import {
  type AdapterDouble,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../support/test-carota.js';
import { dossierOf, linesOf } from './campaign.js';

/** Read in pages of 200: the last one has one vehicle. */
const VEHICLES = byDepth({ quick: 601, full: 2_001 });
const EVENTS = 3;
const REF_ID = 'large';
let adapter: AdapterDouble;
let carota: TestCarota;

beforeAll(async () => {
  adapter = await startAdapterDouble();
  carota = await startTestCarota(adapter.url);
  await carota.publish('a script');
  const start = '2099-01-01T00:00:00Z';
  const body = { 'ref-id': REF_ID, 'script-ref-id': 'a script', model: MODEL, vins: [], start };
  expect((await carota.call('POST', '/v1.0/schedules', { body })).status).toBe(201);
  const client = new pg.Client(carota.databaseUrl);
  await client.connect();
  // As if they had reported: VINs that sort in the order of their numbers.
  const vin = `'WVWZZZ1KZ' || lpad(n::text, 8, '0')`;
  await client.query(
    `insert into schedule_vehicles (schedule_id, vin, wave, state)
     select s.id, ${vin}, 1, 'success' from schedules s, generate_series(1, ${VEHICLES}) n where s.ref_id = $1`,
    [REF_ID],
  );
  await client.query(
    `insert into events (event_id, ref_id, vin, status, status_name, meta, at, received_at)
     select 'evt-' || n || '-' || e, $1, ${vin}, 6, 'success',
       jsonb_build_array(jsonb_build_object('key', 'reason', 'value', repeat('x', 50))),
       now() + e * interval '1 second', now()
     from generate_series(1, ${VEHICLES}) n, generate_series(1, ${EVENTS}) e`,
    [REF_ID],
  );
  await client.end();
});
afterAll(async () => {
  await carota.stop();
  await adapter.stop();
});

test.each(sampleOf(['', '?pseudonymous=true'], 2))(
  'each vehicle is in the dossier once (%s)',
  async (query) => {
    const dossier = await dossierOf(carota, REF_ID, query);
    await verifyDossier([dossier]);
    const lines = linesOf(dossier);
    const vehicles = lines.filter(({ type }) => type === 'vehicle').map(({ vin }) => vin);
    expect(new Set(vehicles).size).toBe(VEHICLES);
    expect(vehicles).toHaveLength(VEHICLES);
    if (query === '') expect(vehicles).toEqual(vehicles.toSorted());
    // Each vehicle is followed by its own steps.
    const steps = lines.filter(({ type }) => type === 'step').map(({ vin }) => vin);
    expect(steps).toEqual(vehicles.flatMap((vin) => Array.from({ length: EVENTS }, () => vin)));
    expect(lines.at(-2).counts).toMatchObject({ vehicle: VEHICLES, step: VEHICLES * EVENTS });
  },
);
