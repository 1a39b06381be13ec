/**
 * A refusal takes as long for known names as for unknown ones: the same statement and the same computation, whatever
 * the name. (Times themselves are not compared: they depend more on the machine.)
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { useCode } from '../../src/carota/enrolment/codes.js';
import { CAROTA_SCHEMA } from '../../src/carota/schema.js';
import { authenticateVehicle } from '../../src/adapter/registry/identities.js';
import { registerVehicles } from '../../src/adapter/registry/vehicles.js';
import { type Database, openPostgres, type Queryable } from '../../src/service/database/index.js';
import { newDatabase, openTestDatabase } from '../support/databases.js';
import { credentialOf } from '../support/adapter.js';
import { vehicleOf } from '../support/messages.js';

/** The work done, in order: statements, digests, comparisons. */
const work: string[] = [];

const [known, certified] = [vehicleOf(1, 'EWK'), vehicleOf(2, 'EWK')];
let database: Database;
let close: () => Promise<void>;
const { createHash, timingSafeEqual } = crypto;
beforeAll(async () => {
  ({ database, close } = await openTestDatabase());
  vi.spyOn(crypto, 'createHash').mockImplementation((algorithm, options) => {
    work.push(`digest ${algorithm}`);
    return createHash(algorithm, options);
  });
  vi.spyOn(crypto, 'timingSafeEqual').mockImplementation((a, b) => {
    work.push(`compare ${a.byteLength}`);
    return timingSafeEqual(a, b);
  });
  // Makes modules that imported the functions by name, possibly long before this file, see the spies too.
  syncBuiltinESMExports();
});
afterAll(async () => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
  await close();
});
beforeEach(() => {
  work.length = 0;
});

const noting = (of: Queryable): Queryable => ({
  query: (text, parameters, name) => {
    work.push(text);
    return of.query(text, parameters, name);
  },
  script: (text) => of.script(text),
});

test('a vehicle’s credential at the embedded broker takes the same work for any name', async () => {
  await registerVehicles(
    database,
    0,
    [
      { vin: known.vin, system_id: known.systemId, credential: credentialOf(known.vin) },
      { vin: certified.vin, system_id: certified.systemId },
    ],
    Date.now(),
  );
  const watched = noting(database);
  const attempt = async (systemId: string, credential: string) => {
    work.length = 0;
    const identity = await authenticateVehicle(watched, systemId, credential);
    return { isIn: identity !== undefined, work: [...work] };
  };
  const right = await attempt(known.systemId, credentialOf(known.vin));
  expect(right.isIn).toBe(true);
  expect(right.work).toEqual([
    expect.stringMatching(/^select .* from vehicles/),
    'digest sha256',
    'compare 32',
  ]);
  for (const [systemId, credential] of [
    [known.systemId, 'wrong-credential-0123'],
    // Registered with a certificate instead of a credential.
    [certified.systemId, credentialOf(known.vin)],
    ['c2c-sys-nobody', credentialOf(known.vin)],
    ['x'.repeat(5_000), ''],
  ] as const) {
    expect(await attempt(systemId, credential)).toEqual({ isIn: false, work: right.work });
  }
});

test('an enrolment code at the CarOTA Server takes the same work for any name', async () => {
  const { url, drop } = await newDatabase(CAROTA_SCHEMA);
  const carota = openPostgres({ url });
  await carota.query(
    `insert into vehicles (vin, model, tags, updated_at, system_id) values ($1, 'm', '{}', now(), $2)`,
    [known.vin, known.systemId],
  );
  const watched = noting(carota);
  const attempt = async (systemId: string) => {
    work.length = 0;
    const vin = await useCode(watched, {
      systemId,
      code: 'ABCD-EFGH-JKLM-NPQR-STUV-WXYZ',
      publicKeyInfo: Buffer.from('key'),
      now: Date.now(),
    });
    expect(vin).toBeUndefined();
    return [...work];
  };
  const ofKnown = await attempt(known.systemId);
  expect(ofKnown).toContain('digest sha256');
  expect(await attempt('c2c-sys-nobody')).toEqual(ofKnown);
  await carota.close();
  await drop();
});
