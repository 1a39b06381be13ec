/** Vehicle version manifests: which ones the Director accepts, and which it drops. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeKey } from '../uptane/support/keys.js';
import {
  DirectorWorld,
  ecuOf,
  manifestOf,
  newEcus,
  newNonce,
  registration,
  reportOf,
  type TestEcu,
  time,
} from './support/test-director.js';

let world: DirectorWorld;

beforeAll(async () => {
  world = await DirectorWorld.start();
});
afterAll(async () => world.stop());

/** The fault that the Director names, or `accepted`. */
const outcome = async (vin: string, manifest: Buffer): Promise<string> => {
  const { status, body } = await world.send(vin, manifest);
  if (status === 204) return 'accepted';
  expect(body).toMatchObject({ status: 400, errorCode: 'MANIFEST_REFUSED' });
  return String(body.errors[0].message).split(':')[0] ?? '';
};

test('a manifest of all ECUs, each with another type of key, is accepted and shown', async () => {
  const { vin, ecus } = await world.newVehicle();
  const installed = {
    path: 'artifacts/x',
    length: 5,
    hashes: { sha256: 'a'.repeat(64) },
    releaseCounter: 3,
  };
  const manifest = manifestOf(vin, ecus, { reports: { 'H-1': { installed } } });
  expect(await outcome(vin, manifest)).toBe('accepted');
  const shown = await world.ecus(vin);
  expect(shown).toMatchObject({ manifestAt: expect.any(String), refused: null, order: null });
  expect(shown.ecus.map(({ serial }: any) => serial)).toEqual(['P-1', 'H-1', 'T-1']);
  expect(shown.ecus[1]).toMatchObject({ installed, standing: 'unknown', isPrimary: false });
  expect(shown.ecus[2]).toMatchObject({ installed: null, reportedAt: expect.any(String) });
});

describe('dropped', () => {
  test('a replay, even of one report in another manifest', async () => {
    const { vin, ecus } = await world.newVehicle();
    const first = manifestOf(vin, ecus);
    expect(await outcome(vin, first)).toBe('accepted');
    expect(await outcome(vin, first)).toBe('nonce');
    const old = JSON.parse(first.toString()).signed.ecuReports['T-1'];
    const fresh = Object.fromEntries(ecus.map((ecu) => [ecu.serial, reportOf(vin, ecu)]));
    const mixed = manifestOf(vin, ecus, { signed: { ecuReports: { ...fresh, 'T-1': old } } });
    expect(await outcome(vin, mixed)).toBe('nonce');
    expect(await outcome(vin, manifestOf(vin, ecus))).toBe('accepted');
  });

  test('a report from before the last one, from yesterday, and from tomorrow', async () => {
    const { vin, ecus } = await world.newVehicle();
    const at = (later: number) =>
      outcome(vin, manifestOf(vin, ecus, { reports: { 'H-1': { time: time(later) } } }));
    // Too old even for a first report.
    expect(await at(-25 * 3600)).toBe('time');
    expect(await at(-10)).toBe('accepted');
    expect(await at(-20)).toBe('time');
    expect(await at(-25 * 3600)).toBe('time');
    expect(await at(10 * 60)).toBe('time');
    expect(await at(-5)).toBe('accepted');
  });

  test('a manifest with an ECU missing, or with an unknown one', async () => {
    const { vin, ecus } = await world.newVehicle();
    expect(await outcome(vin, manifestOf(vin, ecus.slice(0, 2)))).toBe('ecu-missing');
    const stranger = { ...ecuOf(ecus, 'H-1'), serial: 'H-2', key: makeKey() };
    expect(await outcome(vin, manifestOf(vin, [...ecus, stranger]))).toBe('ecu-unknown');
  });

  test('an ECU swapped for another: a different serial number, key or hardware id', async () => {
    const { vin, ecus } = await world.newVehicle();
    const swap = (changes: Partial<TestEcu>) =>
      ecus.map((ecu) => (ecu.serial === 'H-1' ? { ...ecu, ...changes } : ecu));
    expect(await outcome(vin, manifestOf(vin, swap({ serial: 'H-9' })))).toBe('ecu-unknown');
    expect(await outcome(vin, manifestOf(vin, swap({ key: makeKey('ecdsa') })))).toBe('signature');
    expect(await outcome(vin, manifestOf(vin, swap({ hardwareId: 'hw-x' })))).toBe('ecu-unknown');
  });

  test('a lie of the Primary about a Secondary: it signs the report itself, or changes it', async () => {
    const { vin, ecus } = await world.newVehicle();
    const lie = manifestOf(vin, ecus, { keys: { 'H-1': ecuOf(ecus, 'P-1').key } });
    expect(await outcome(vin, lie)).toBe('signature');
    const honest = JSON.parse(manifestOf(vin, ecus).toString());
    const reports = honest.signed.ecuReports;
    reports['H-1'].signed.installed = {
      path: 'new',
      length: 1,
      hashes: { sha256: 'b'.repeat(64) },
      releaseCounter: 9,
    };
    expect(await outcome(vin, manifestOf(vin, ecus, { signed: { ecuReports: reports } }))).toBe(
      'signature',
    );
    // One Secondary's report under another one's name.
    const own = reportOf(vin, ecuOf(ecus, 'T-1'));
    const passedOff = { ...reports, 'H-1': own };
    expect(await outcome(vin, manifestOf(vin, ecus, { signed: { ecuReports: passedOff } }))).toBe(
      'malformed',
    );
  });

  test('a cloned vehicle: the right VIN with different keys, and the right keys for a different VIN', async () => {
    const { vin, ecus } = await world.newVehicle();
    expect(await outcome(vin, manifestOf(vin, newEcus()))).toBe('signature');
    const other = await world.newVehicle();
    expect(await outcome(other.vin, manifestOf(vin, ecus))).toBe('vehicle');
    expect(await outcome(other.vin, manifestOf(other.vin, ecus))).toBe('signature');
    const reports = Object.fromEntries(ecus.map((ecu) => [ecu.serial, reportOf(vin, ecu)]));
    const mixed = manifestOf(other.vin, other.ecus, { signed: { ecuReports: reports } });
    expect(await outcome(other.vin, mixed)).toBe('vehicle');
  });

  test('a Secondary that poses as the Primary', async () => {
    const { vin, ecus } = await world.newVehicle();
    const hu = ecuOf(ecus, 'H-1');
    const signed = { primary: 'H-1' };
    expect(await outcome(vin, manifestOf(vin, ecus, { signed, keys: { '': hu.key } }))).toBe(
      'vehicle',
    );
    expect(await outcome(vin, manifestOf(vin, ecus, { keys: { '': hu.key } }))).toBe('signature');
  });

  const signedText = (change: (manifest: any) => void) => (vin: string, ecus: TestEcu[]) => {
    const manifest = JSON.parse(manifestOf(vin, ecus).toString());
    change(manifest);
    return Buffer.from(JSON.stringify(manifest));
  };
  test.each<[string, (vin: string, ecus: TestEcu[]) => Buffer]>([
    ['nothing', () => Buffer.alloc(0)],
    ['no JSON', () => Buffer.from('{')],
    ['no object', () => Buffer.from('null')],
    ['not UTF-8', () => Buffer.from([0x22, 0xff, 0x22])],
    ['deep nesting', () => Buffer.from('['.repeat(5_000))],
    [
      'a member twice',
      (vin, ecus) =>
        Buffer.from(manifestOf(vin, ecus).toString().replace('{"sig', '{"signatures":[],"sig')),
    ],
    ['no reports', signedText(({ signed }) => delete signed.ecuReports)],
    [
      '__proto__',
      (vin) =>
        Buffer.from(
          `{"signatures":[],"signed":{"_type":"manifest","vin":"${vin}","primary":"P-1","ecuReports":{"__proto__":{}}}}`,
        ),
    ],
    ['reports as a list', signedText(({ signed }) => (signed.ecuReports = []))],
    ['a fraction', signedText(({ signed }) => (signed.note = 0.5))],
  ])('hostile JSON: %s', async (_name, make) => {
    const { vin, ecus } = await world.newVehicle();
    expect(await outcome(vin, make(vin, ecus))).toBe('malformed');
  });

  test.each<[string, Record<string, any>]>([
    ['a nonce that is too short', { nonce: '00' }],
    ['a nonce in upper case', { nonce: 'A'.repeat(32) }],
    ['a time with fractions', { time: '2026-11-27T00:00:00.5Z' }],
    ['a time that does not exist', { time: '2026-02-30T00:00:00Z' }],
    ['NUL in a reason', { attack: 'freeze', reason: 'a\0b' }],
    ['an attack that is no name', { attack: '<script>' }],
    [
      'an image without a known hash',
      { installed: { path: 'a', length: 1, hashes: { md5: 'x' }, releaseCounter: 1 } },
    ],
    [
      'an image of negative length',
      { installed: { path: 'a', length: -1, hashes: { sha256: 'a' }, releaseCounter: 1 } },
    ],
  ])('a report with %s', async (_name, changes) => {
    const { vin, ecus } = await world.newVehicle();
    expect(await outcome(vin, manifestOf(vin, ecus, { reports: { 'T-1': changes } }))).toBe(
      'malformed',
    );
  });

  test('a manifest of more than a megabyte, before it is parsed', async () => {
    const { vin, ecus } = await world.newVehicle();
    const large = manifestOf(vin, ecus, { signed: { note: 'x'.repeat(1_000_000) } });
    const { status, body } = await world.send(vin, large);
    expect([status, body.errorCode]).toEqual([413, 'BODY_TOO_LARGE']);
  });

  test('a manifest of a vehicle that is unknown, or whose ECUs are', async () => {
    const vin = world.newVin();
    const { status } = await world.send(vin, manifestOf(vin, newEcus()));
    expect(status).toBe(404);
    await world.carota.call('PUT', `/v1.0/vehicles/${vin}`, { body: { model: 'm' } });
    expect(await outcome(vin, manifestOf(vin, newEcus()))).toBe('vehicle');
  });

  test('all but one of the same manifest sent twenty times at once', async () => {
    const { vin, ecus } = await world.newVehicle();
    const manifest = manifestOf(vin, ecus);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcome(vin, manifest)));
    expect(outcomes.toSorted()).toEqual(['accepted', ...Array.from({ length: 19 }, () => 'nonce')]);
  });

  test('the last refusal is shown, and refusals are counted', async () => {
    const { vin, ecus } = await world.newVehicle();
    const before = await world.metric('otaops_carota_manifests_total', '{outcome="nonce"}');
    const manifest = manifestOf(vin, ecus);
    await outcome(vin, manifest);
    await outcome(vin, manifest);
    await outcome(vin, manifest);
    expect(await world.ecus(vin)).toMatchObject({
      refused: { fault: 'nonce', serial: 'P-1', count: 2 },
    });
    const after = await world.metric('otaops_carota_manifests_total', '{outcome="nonce"}');
    expect(after - before).toBe(2);
  });
});

test('an ECU that was replaced in a workshop reports; the old one no longer does', async () => {
  const { vin, ecus } = await world.newVehicle();
  expect(await outcome(vin, manifestOf(vin, ecus))).toBe('accepted');
  const fitted = { ...ecuOf(ecus, 'H-1'), serial: 'H-2', key: makeKey() };
  const path = `/v1.0/vehicles/${vin}/ecus/H-1/replacement`;
  const body = {
    serial: fitted.serial,
    hardwareId: fitted.hardwareId,
    publicKey: fitted.key.listed,
    reason: 'workshop 12',
  };
  const { status } = await world.carota.call('POST', path, { body });
  expect(status).toBe(200);
  expect(await outcome(vin, manifestOf(vin, ecus))).toBe('ecu-unknown');
  const now = ecus.map((ecu) => (ecu.serial === 'H-1' ? fitted : ecu));
  expect(await outcome(vin, manifestOf(vin, now))).toBe('accepted');
  expect((await world.carota.call('POST', path, { body })).body.errorCode).toBe('ECU_NOT_FOUND');
  // The entry of the refused attempt is written separately, and may or may not be there yet.
  const audit = await world.carota.call('GET', `/v1.0/audit?vin=${vin}&outcome=done`);
  expect(audit.body.items.map(({ action, reason }: any) => [action, reason])).toEqual([
    ['replace-ecu', 'workshop 12'],
    ['register-ecus', ''],
    ['change-vehicle', ''],
  ]);
  expect(audit.body.items[0]).toMatchObject({
    tokenName: 'initial admin',
    detail: { name: 'HU', before: { serial: 'H-1' }, now: { serial: 'H-2' } },
  });
});

test('only an administrator removes an absent ECU; leaving it out of manifests does not', async () => {
  const { vin, ecus } = await world.newVehicle();
  const rest = ecus.slice(0, 2);
  // However often the vehicle tries.
  for (let tries = 0; tries < 3; tries++) {
    expect(await outcome(vin, manifestOf(vin, rest))).toBe('ecu-missing');
  }
  const { refused } = await world.ecus(vin);
  expect(refused).toMatchObject({ fault: 'ecu-missing', serial: 'T-1', count: 3 });
  const take = (token?: string) =>
    world.carota.call('PUT', `/v1.0/vehicles/${vin}/ecus`, {
      ...(token === undefined ? {} : { token }),
      body: { ecus: rest.map(registration), reason: 'TCU removed in workshop 12' },
    });
  const vehicle = { name: 'vehicle', role: 'vehicle', vin };
  const { token } = (await world.carota.call('POST', '/v1.0/tokens', { body: vehicle })).body;
  expect((await take(token)).status).toBe(403);
  expect((await take()).status).toBe(200);
  expect(await outcome(vin, manifestOf(vin, rest))).toBe('accepted');
  // Nor can the vehicle bring it back.
  expect(await outcome(vin, manifestOf(vin, ecus))).toBe('ecu-unknown');
  const audit = await world.carota.call('GET', `/v1.0/audit?vin=${vin}`);
  // The entry of the refused attempt is written separately, perhaps later.
  expect(audit.body.items).toContainEqual(
    expect.objectContaining({
      action: 'register-ecus',
      tokenName: 'initial admin',
      reason: 'TCU removed in workshop 12',
    }),
  );
});

test('an ECU whose key was removed and put back continues from its last report, and a replay is refused', async () => {
  const { vin, ecus } = await world.newVehicle();
  const before = manifestOf(vin, ecus);
  expect(await outcome(vin, before)).toBe('accepted');
  // Another ECU takes its place and reports; then the old one returns.
  const others = ecus.map((ecu) => (ecu.serial === 'H-1' ? { ...ecu, key: makeKey() } : ecu));
  expect((await world.register(vin, others)).status).toBe(200);
  expect(await outcome(vin, manifestOf(vin, others))).toBe('accepted');
  expect((await world.register(vin, ecus)).status).toBe(200);
  // The Primary passes on the old report in a new manifest.
  const old = JSON.parse(before.toString()).signed.ecuReports['H-1'];
  const fresh = Object.fromEntries(ecus.map((ecu) => [ecu.serial, reportOf(vin, ecu)]));
  const replay = manifestOf(vin, ecus, { signed: { ecuReports: { ...fresh, 'H-1': old } } });
  expect(await outcome(vin, replay)).toBe('nonce');
  expect(await outcome(vin, manifestOf(vin, ecus))).toBe('accepted');
});

test('attacks that ECUs report are counted, and each kind is audited once', async () => {
  const { vin, ecus } = await world.newVehicle();
  const name = 'otaops_carota_attack_reports_total';
  const before = await world.metric(name, '{attack="freeze"}');
  const report = (attack: string) =>
    outcome(
      vin,
      manifestOf(vin, ecus, { reports: { 'H-1': { attack, reason: 'expired yesterday' } } }),
    );
  expect(await report('freeze')).toBe('accepted');
  expect(await report('freeze')).toBe('accepted');
  expect(await report('new-kind')).toBe('accepted');
  expect((await world.metric(name, '{attack="freeze"}')) - before).toBe(2);
  const { body } = await world.carota.call('GET', `/v1.0/attack-reports?vin=${vin}`);
  expect(body.items).toMatchObject([
    { attack: 'other', reason: 'new-kind: expired yesterday', count: 1 },
    { attack: 'freeze', serial: 'H-1', reason: 'expired yesterday', count: 2 },
  ]);
  const audit = await world.carota.call('GET', `/v1.0/audit?vin=${vin}`);
  const reported = audit.body.items.filter(({ action }: any) => action === 'report-attack');
  expect(reported).toMatchObject([
    { tokenId: '', tokenName: 'ECU H-1', detail: { attack: 'other' } },
    { detail: { attack: 'freeze', serial: 'H-1' } },
  ]);
});

test('a nonce may be used once per ECU, not once in the world', async () => {
  const a = await world.newVehicle();
  const b = await world.newVehicle();
  const reports = { 'P-1': { nonce: newNonce() } };
  expect(await outcome(a.vin, manifestOf(a.vin, a.ecus, { reports }))).toBe('accepted');
  expect(await outcome(b.vin, manifestOf(b.vin, b.ecus, { reports }))).toBe('accepted');
});
