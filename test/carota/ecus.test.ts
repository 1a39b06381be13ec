/** The inventory of ECUs: registration, import, refusals. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { vinOf } from '../support/messages.js';
import { makeKey, underAnotherId } from '../uptane/support/keys.js';
import { DirectorWorld, newEcus, registration, type TestEcu } from './support/test-director.js';

let world: DirectorWorld;

beforeAll(async () => {
  world = await DirectorWorld.start();
});
afterAll(async () => world.stop());

const newVin = async () => {
  const vin = world.newVin();
  await world.carota.call('PUT', `/v1.0/vehicles/${vin}`, { body: { model: 'm' } });
  return vin;
};

const changed = (change: (ecus: TestEcu[]) => void) => {
  const ecus = newEcus();
  change(ecus);
  return ecus.map(registration);
};

const edit = (place: number, changes: Partial<TestEcu>) =>
  changed((ecus) => Object.assign(ecus[place] ?? {}, changes));

const editKey = (place: number, members: object) =>
  newEcus().map((ecu, at) => {
    const facts = registration(ecu);
    return at === place ? { ...facts, publicKey: { ...facts.publicKey, ...members } } : facts;
  });

describe('refused, with the field at fault', () => {
  test.each<[string, () => object[], string]>([
    ['no Primary', () => newEcus().slice(1).map(registration), '/ecus'],
    ['two Primaries', () => edit(1, { isPrimary: true }), '/ecus'],
    ['a Primary with another name', () => edit(0, { name: 'GATEWAY' }), '/ecus/0/name'],
    ['a Secondary with the Primary’s name', () => edit(1, { name: 'OTA-MANAGER' }), '/ecus/1/name'],
    ['a serial number twice', () => edit(2, { serial: 'H-1' }), '/ecus/2/serial'],
    ['a name twice', () => edit(2, { name: 'HU' }), '/ecus/2/name'],
    [
      'a key twice',
      () => changed((ecus) => Object.assign(ecus[2] ?? {}, { key: ecus[1]?.key })),
      '/ecus/2/publicKey',
    ],
    [
      'a scheme of another type',
      () => editKey(1, { scheme: 'ed25519' }),
      '/ecus/1/publicKey/scheme',
    ],
    [
      'a key that is none',
      () => editKey(0, { keyval: { public: 'zz' } }),
      '/ecus/0/publicKey/keyval/public',
    ],
    [
      'a key whose signatures anyone can forge',
      () => editKey(0, { keyval: { public: '00'.repeat(32) } }),
      '/ecus/0/publicKey/keyval/public',
    ],
    [
      'RSA of 1024 bits',
      () => edit(2, { key: makeKey('rsa', 1024) }),
      '/ecus/2/publicKey/keyval/public',
    ],
    ['a type that nobody knows', () => editKey(1, { keytype: 'dsa' }), '/ecus/1/publicKey/keytype'],
    [
      'a key with one member more, which would give it another id',
      () => edit(1, { key: underAnotherId(makeKey()) }),
      '/ecus/1/publicKey/note',
    ],
    ['an empty serial number', () => edit(1, { serial: '' }), '/ecus/1/serial'],
    [
      'a serial number that is not normalized',
      () => edit(1, { serial: 'u\u0308-1' }),
      '/ecus/1/serial',
    ],
    [
      'a hardware id that is not normalized',
      () => edit(1, { hardwareId: 'u\u0308-hw' }),
      '/ecus/1/hardwareId',
    ],
  ])('%s', async (_name, ecus, path) => {
    const vin = await newVin();
    const answer = await world.carota.call('PUT', `/v1.0/vehicles/${vin}/ecus`, {
      body: { ecus: ecus() },
    });
    expect([answer.status, answer.body.errorCode]).toEqual([400, 'INVALID']);
    expect(answer.body.errors.map((error: any) => error.path)).toContain(path);
    expect((await world.ecus(vin)).ecus).toEqual([]);
  });

  test('a key of another vehicle’s ECU', async () => {
    const [one, other] = [await newVin(), await newVin()];
    const ecus = newEcus();
    expect((await world.register(one, ecus)).status).toBe(200);
    const answer = await world.register(other, ecus);
    expect([answer.status, answer.body.errorCode]).toEqual([409, 'ECU_CONFLICT']);
    // The same vehicle may be registered again, and an ECU may move once its old vehicle no longer has it.
    expect((await world.register(one, ecus)).status).toBe(200);
    expect((await world.register(one, newEcus())).status).toBe(200);
    expect((await world.register(other, ecus)).status).toBe(200);
  });

  test('an unknown vehicle', async () => {
    const answer = await world.register(vinOf(99_999, 'VF1'), newEcus());
    expect([answer.status, answer.body.errorCode]).toEqual([404, 'VEHICLE_NOT_FOUND']);
  });
});

test('an import accepts the valid lines, and says what is wrong with each other line', async () => {
  const [a, b, c] = [await newVin(), await newVin(), await newVin()];
  const shared = newEcus();
  const lines = [
    { vin: a, ecus: shared.map(registration) },
    { vin: b, ecus: shared.map(registration) },
    { vin: c, ecus: newEcus().slice(1).map(registration) },
    { vin: vinOf(88_888, 'VF1'), ecus: newEcus().map(registration) },
    { vin: 'nonsense', ecus: [] },
    { vin: c, ecus: newEcus().map(registration) },
  ];
  const answer = await world.carota.call('POST', '/v1.0/ecus/import', {
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => JSON.stringify(line)).join('\n'),
  });
  expect(answer.body.imported).toBe(2);
  const messages = new Map<number, string>(
    answer.body.rejected.map(({ line, errorMessage }: any) => [line, errorMessage]),
  );
  expect([...messages.keys()].sort()).toEqual([2, 3, 4, 5]);
  expect(messages.get(2)).toContain('another ECU has this public key');
  expect(messages.get(3)).toContain('must have one Primary, and has 0');
  expect(messages.get(4)).toContain('there is no such vehicle');
  expect(messages.get(5)).toContain('vin must be');
  expect((await world.ecus(a)).ecus).toHaveLength(3);
  expect((await world.ecus(c)).ecus).toHaveLength(3);
  expect((await world.ecus(b)).ecus).toHaveLength(0);
});

test('a CSV import reads the ECUs as JSON from a cell', async () => {
  const vin = await newVin();
  const cell = JSON.stringify(newEcus().map(registration)).replaceAll('"', '""');
  const answer = await world.carota.call('POST', '/v1.0/ecus/import', {
    headers: { 'content-type': 'text/csv' },
    body: `vin,ecus\n${vin},"${cell}"\n`,
  });
  expect(answer.body).toMatchObject({ imported: 1, rejectedCount: 0 });
  expect((await world.ecus(vin)).ecus.map(({ name }: any) => name)).toEqual([
    'OTA-MANAGER',
    'HU',
    'TCU',
  ]);
});

test('an ECU that is registered again keeps its registration time unless its key has changed', async () => {
  const vin = await newVin();
  const ecus = newEcus();
  const before = (await world.register(vin, ecus)).body.ecus;
  const [primary, hu, tcu] = ecus;
  const now = [primary, { ...hu, key: makeKey() }, { ...tcu, hardwareId: 'hw-2' }] as TestEcu[];
  const after = (await world.register(vin, now)).body.ecus;
  expect(after[0].registeredAt).toBe(before[0].registeredAt);
  expect(after[1].registeredAt > before[1].registeredAt).toBe(true);
  expect(after[2]).toMatchObject({ registeredAt: before[2].registeredAt, hardwareId: 'hw-2' });
});
