/** The targets that the Director lists for each vehicle, and that a vehicle accepts them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleOf, takingTurns } from '../support/depth.js';
import { makeKey } from '../uptane/support/keys.js';
import { eventOf } from './support/test-carota.js';
import { DirectorWorld, manifestOf, match, newEcus } from './support/test-director.js';
import { newClientIn } from './support/uptane-client.js';

/** Tests with siblings on the same subject take turns. */
const isTurn = takingTurns(2);

let world: DirectorWorld;

beforeAll(async () => {
  world = await DirectorWorld.start({ adapterControlToken: 'operator' });
});
afterAll(async () => world.stop());

/** The serial numbers of the ECUs that get the script or an image, without the paths. */
const listed = async (vin: string) =>
  Object.values(await world.listed(vin))
    .flat()
    .sort();

const blocked = async (vin: string): Promise<string | null> =>
  (await world.ecus(vin)).order?.blocked ?? null;

const report = (refId: string, vin: string, status: Parameters<typeof eventOf>[0]['status']) =>
  world.carota.callBack([eventOf({ refId, vin, status })]);

describe('what the Director lists', () => {
  test('nothing is due: the vehicle accepts an empty list that names it', async () => {
    const { vin, ecus } = await world.newVehicle();
    expect(await world.listed(vin)).toEqual({});
    await world.newScript({ HU: 'not yet' });
    const client = await newClientIn(world, vin, ecus);
    expect(await client.update()).toBe('no-update');
    await client.close();
  });

  test('a vehicle verifies and installs the script and images of a running schedule', async () => {
    const { vin, ecus } = await world.newVehicle();
    const script = await world.newScript({ HU: 'radio 2', TCU: 'modem 2' });
    const refId = await world.schedule(script, [vin]);
    const targets = await world.listed(vin);
    expect(targets[`scripts/${script}.json`]).toEqual(['P-1']);
    expect(await listed(vin)).toEqual(['H-1', 'P-1', 'T-1']);
    const client = await newClientIn(world, vin, ecus);
    expect(await client.update()).toBe('updated');
    expect([client.image('H-1'), client.image('T-1')]).toEqual(['radio 2', 'modem 2']);
    expect(JSON.parse(client.image('P-1'))).toMatchObject({ 'script-ref-id': script });
    expect(await client.update()).toBe('no-update');

    // Once the vehicle has reported its software and its success, the order is complete.
    const { targets: file } = await world.cycle(vin);
    const reports: Record<string, any> = {};
    for (const [path, target] of Object.entries<any>(file.signed.targets)) {
      const { length, hashes, custom } = target;
      const { releaseCounter } = custom.match;
      for (const serial of Object.keys(custom.ecuIdentifiers)) {
        reports[serial] = { installed: { path, length, hashes, releaseCounter } };
      }
    }
    expect((await world.ecus(vin)).ecus[1]).toMatchObject({ standing: 'pending', isDue: true });
    expect((await world.send(vin, manifestOf(vin, ecus, { reports }))).status).toBe(204);
    const [, hu] = (await world.ecus(vin)).ecus;
    expect(hu).toMatchObject({ standing: 'as-ordered', isDue: true });
    await report(refId, vin, 'success');
    expect(await listed(vin)).toEqual([]);
    expect((await world.ecus(vin)).ecus[1]).toMatchObject({ standing: 'as-ordered', isDue: false });
    expect(await client.update()).toBe('no-update');
    await client.close();

    // Later it has other software, which nobody ordered.
    const other = { path: 'x', length: 1, hashes: { sha256: 'c'.repeat(64) }, releaseCounter: 7 };
    await world.send(vin, manifestOf(vin, ecus, { reports: { 'H-1': { installed: other } } }));
    expect((await world.ecus(vin)).ecus[1]).toMatchObject({ standing: 'differs' });
  });

  test.runIf(isTurn())(
    'nothing is listed after a pause, everything after a resume, nothing after a stop, however often the vehicle asks',
    async () => {
      const { vin } = await world.newVehicle();
      const refId = await world.schedule(await world.newScript({ HU: 'radio 3' }), [vin]);
      expect(await listed(vin)).toEqual(['H-1', 'P-1']);
      await world.control(refId, 'pause');
      expect(await listed(vin)).toEqual([]);
      await world.control(refId, 'resume');
      expect(await listed(vin)).toEqual(['H-1', 'P-1']);
      await world.control(refId, 'stop');
      expect(await listed(vin)).toEqual([]);
      expect(await listed(vin)).toEqual([]);
    },
  );

  test.runIf(isTurn())(
    'after a stop between two fetches, the targets can no longer be fetched',
    async () => {
      const { vin, ecus } = await world.newVehicle();
      const refId = await world.schedule(await world.newScript({ HU: 'radio 4' }), [vin]);
      const client = await newClientIn(world, vin, ecus);
      const { timestamp, targets } = await world.cycle(vin);
      const snapshotVersion = timestamp.signed.meta['snapshot.json'].version;
      const file = `${targets.signed.version}.targets.json`;
      expect((await world.get(vin, file)).status).toBe(200);
      await world.control(refId, 'stop');
      expect((await world.get(vin, file)).body.errorCode).toBe('METADATA_NOT_FOUND');
      // The snapshot does not name images.
      expect((await world.get(vin, `${snapshotVersion}.snapshot.json`)).status).toBe(200);
      expect(await client.update()).toBe('no-update');
      await client.close();
    },
  );

  test.runIf(isTurn())('nothing is listed for a vehicle of a later wave', async () => {
    const [first, second] = [await world.newVehicle(), await world.newVehicle()];
    const script = await world.newScript({ HU: 'radio 5' });
    const waves = [{ vins: [first.vin] }];
    await world.schedule(script, [first.vin, second.vin], { waves, pause: 3_600 });
    expect(await listed(first.vin)).toEqual(['H-1', 'P-1']);
    expect(await listed(second.vin)).toEqual([]);
  });

  const ENDS: readonly [Parameters<typeof eventOf>[0]['status'], boolean][] = [
    ['received', true],
    ['download_fail', true],
    ['pki_check_fail', true],
    ['failure', true],
    ['cancel', false],
    ['consent_rejected', false],
    ['rollback_success', false],
    ['rollback_fail', false],
    ['success', false],
  ];
  test.each(sampleOf(ENDS, 3))('targets after %s: %s', async (status, isListed) => {
    const { vin } = await world.newVehicle();
    const others = await world.newVehicle();
    const script = world.newScriptRefId();
    await world.publish({ scriptRefId: script, images: { HU: `radio ${script}` } });
    const refId = await world.schedule(script, [vin, others.vin]);
    await report(refId, vin, status);
    expect(await listed(vin)).toEqual(isListed ? ['H-1', 'P-1'] : []);
    expect(await listed(others.vin)).toEqual(['H-1', 'P-1']);
    await world.control(refId, 'stop');
  });

  test.runIf(isTurn())(
    'of two schedules, one is listed at a time: the one in progress, then the other',
    async () => {
      const { vin } = await world.newVehicle();
      const [a, b] = [
        await world.newScript({ HU: 'radio a' }),
        await world.newScript({ TCU: 'modem b' }),
      ];
      const first = await world.schedule(a, [vin]);
      const second = await world.schedule(b, [vin]);
      expect((await world.ecus(vin)).order).toMatchObject({ 'ref-id': first, later: [second] });
      expect(await listed(vin)).toEqual(['H-1', 'P-1']);
      await report(second, vin, 'downloading');
      expect(await listed(vin)).toEqual(['P-1', 'T-1']);
      await report(second, vin, 'success');
      expect(await listed(vin)).toEqual(['H-1', 'P-1']);
      await report(first, vin, 'success');
      expect(await listed(vin)).toEqual([]);
    },
  );

  test('one image for two ECUs with the same hardware is one target', async () => {
    const vin = world.newVin();
    const twin = {
      serial: 'H-2',
      name: 'HU2',
      hardwareId: 'hw-hu',
      key: makeKey(),
      isPrimary: false,
    };
    await world.vehicle(vin, [...newEcus(), twin]);
    const { sha256, md5, size } = await world.carota.upload(Buffer.from('twins'));
    const artifact = { sha256, md5, size };
    const script = await world.newScript({ HU: 'twins' });
    const body = {
      version: 'v1',
      'script-ref-id': `${script}-twins`,
      model: 'vehicle model a',
      ecus: [
        { ecu: 'HU', version: '2', artifact },
        { ecu: 'HU2', version: '2', artifact, after: ['HU'] },
      ],
    };
    await world.carota.call('POST', '/v1.0/update-scripts', { body });
    const path = `scripts/${script}-twins.json`;
    world.repository.addImage(
      path,
      await world.scriptFile(`${script}-twins`),
      match(['hw-primary']),
    );
    world.repository.release().write();
    await world.schedule(`${script}-twins`, [vin]);
    expect(await world.listed(vin)).toEqual({
      [path]: ['P-1'],
      [`artifacts/${sha256}`]: ['H-1', 'H-2'],
    });
  });
});

describe('nothing is listed if part of the script cannot be installed', () => {
  const due = async (script: string, ecus = newEcus()) => {
    const { vin } = await world.newVehicle(ecus);
    await world.schedule(script, [vin]);
    return vin;
  };

  test('an ECU that the vehicle does not have', async () => {
    const script = await world.newScript({ HU: 'radio 6', TCU: 'modem 6' });
    const vin = await due(script, newEcus().slice(0, 2));
    expect(await listed(vin)).toEqual([]);
    expect(await blocked(vin)).toBe('the vehicle has no ECU TCU');
  });

  test.runIf(isTurn())('hardware that the image is not for', async () => {
    const ecus = newEcus().map((ecu) => ({ ...ecu, hardwareId: `${ecu.hardwareId}-x` }));
    const vin = await due(await world.newScript({ HU: 'radio 7' }), ecus);
    expect(await listed(vin)).toEqual([]);
    expect(await blocked(vin)).toContain('is not for the hardware hw-primary-x of OTA-MANAGER');
  });

  test.runIf(isTurn())('a script or an image that the image repository lacks', async () => {
    const script = world.newScriptRefId();
    const { sha256, md5, size } = await world.carota.upload(Buffer.from('nowhere'));
    const ecus = [{ ecu: 'HU', version: '2', artifact: { sha256, md5, size } }];
    const body = { version: 'v1', 'script-ref-id': script, model: 'vehicle model a', ecus };
    await world.carota.call('POST', '/v1.0/update-scripts', { body });
    const vin = await due(script);
    expect(await blocked(vin)).toBe(`the image repository has no scripts/${script}.json`);
    const path = `scripts/${script}.json`;
    world.repository.addImage(path, await world.scriptFile(script), match(['hw-primary']));
    world.repository.release().write();
    expect(await blocked(vin)).toBe(`the image repository has no artifact ${sha256} of HU`);
    expect(await listed(vin)).toEqual([]);
  });

  test.runIf(isTurn())(
    'a script in the image repository that differs from the published one',
    async () => {
      const script = await world.newScript({ HU: 'radio 8' });
      const vin = await due(script);
      expect(await listed(vin)).toEqual(['H-1', 'P-1']);
      const path = `scripts/${script}.json`;
      const published = await world.scriptFile(script);
      const other = Buffer.from(published.toString().replace('1.1.0', '1.1.1'));
      expect(other).toHaveLength(published.length);
      world.repository.addImage(path, other, match(['hw-primary'], 2));
      world.repository.release().write();
      expect(await listed(vin)).toEqual([]);
      expect(await blocked(vin)).toContain(`${path} in the image repository is not the script`);
      world.repository.addImage(path, published, match(['hw-primary'], 3));
      world.repository.release().write();
      expect(await listed(vin)).toEqual(['H-1', 'P-1']);
    },
  );

  test.runIf(isTurn())('a release counter below that of the installed image', async () => {
    const ecus = newEcus();
    const script = await world.newScript({ HU: 'radio 8b' });
    const vin = await due(script, ecus);
    expect(await listed(vin)).toEqual(['H-1', 'P-1']);
    const installed = {
      path: 'artifacts/newer',
      length: 1,
      hashes: { sha256: 'd'.repeat(64) },
      releaseCounter: 2,
    };
    await world.send(vin, manifestOf(vin, ecus, { reports: { 'H-1': { installed } } }));
    expect(await listed(vin)).toEqual([]);
    expect(await blocked(vin)).toContain('HU already has 2');
  });

  test('a version from which the script does not update', async () => {
    const vin = await due(await world.newScript({ HU: 'radio 9' }, { HU: { from: ['1.3.*'] } }));
    expect(await listed(vin)).toEqual(['H-1', 'P-1']);
    const put = (version: string) =>
      world.carota.call('PUT', `/v1.0/vehicles/${vin}`, {
        body: { model: 'vehicle model a', versions: { HU: version } },
      });
    await put('1.2.9');
    expect(await blocked(vin)).toContain('HU has version 1.2.9');
    expect(await listed(vin)).toEqual([]);
    await put('1.3.4');
    expect(await listed(vin)).toEqual(['H-1', 'P-1']);
  });

  test('software of another ECU that an image requires, or conflicts with', async () => {
    const hasVersion = (vin: string, TCU: string) =>
      world.carota.call('PUT', `/v1.0/vehicles/${vin}`, {
        body: { model: 'vehicle model a', versions: { TCU } },
      });
    const needs = { requires: [{ ecu: 'TCU', versions: ['2.*'] }] };
    const vin = await due(await world.newScript({ HU: 'radio 11' }, { HU: needs }));
    expect(await blocked(vin)).toMatch(/^HU \S+ requires TCU 2\.\*: its version is unknown$/);
    await hasVersion(vin, '1.9');
    expect(await blocked(vin)).toMatch(/requires TCU 2\.\*: it would have 1\.9$/);
    expect(await listed(vin)).toEqual([]);
    await hasVersion(vin, '2.1');
    expect(await listed(vin)).toEqual(['H-1', 'P-1']);

    // An image of an earlier script is installed, with which this one conflicts.
    const excludes = { conflicts: [{ ecu: 'TCU', versions: ['2.1'] }] };
    const other = await due(await world.newScript({ HU: 'radio 12' }, { HU: excludes }));
    await hasVersion(other, '2.1');
    expect(await blocked(other)).toMatch(/conflicts with TCU 2\.1: it would have 2\.1$/);
    expect(await listed(other)).toEqual([]);
    await hasVersion(other, '2.2');
    expect(await listed(other)).toEqual(['H-1', 'P-1']);
  });

  test.each(sampleOf(['requires', 'conflicts'], 2))(
    'an image whose %s name the Primary, which the vehicle cannot judge',
    async (relation) => {
      const names = { [relation]: [{ ecu: 'OTA-MANAGER', versions: ['9.*'] }] };
      const vin = await due(await world.newScript({ HU: `radio ${relation}` }, { HU: names }));
      await world.carota.call('PUT', `/v1.0/vehicles/${vin}`, {
        body: {
          model: 'vehicle model a',
          versions: { 'OTA-MANAGER': relation === 'requires' ? '9.1' : '8.1' },
        },
      });
      expect(await blocked(vin)).toBe(
        'HU 1.1.0 names OTA-MANAGER in its requires or conflicts, which is the Primary',
      );
      expect(await listed(vin)).toEqual([]);
    },
  );

  test.runIf(isTurn())('an image for the Primary, which gets the script', async () => {
    const script = world.newScriptRefId();
    const { sha256, md5, size } = await world.carota.upload(Buffer.from('manager'));
    const ecus = [{ ecu: 'OTA-MANAGER', version: '2', artifact: { sha256, md5, size } }];
    const body = { version: 'v1', 'script-ref-id': script, model: 'vehicle model a', ecus };
    await world.carota.call('POST', '/v1.0/update-scripts', { body });
    const path = `scripts/${script}.json`;
    world.repository.addImage(path, await world.scriptFile(script), match(['hw-primary']));
    world.repository.release().write();
    const vin = await due(script);
    expect(await blocked(vin)).toBe('OTA-MANAGER is the Primary, which gets the script');
    expect(await listed(vin)).toEqual([]);
  });
});

test.each(sampleOf(['constructor', 'toString', 'valueOf'], 3))(
  'an ECU named %s is like any other ECU of unknown version',
  async (name) => {
    const hardwareId = `hw-${name.toLowerCase()}`;
    const ecus = () =>
      newEcus().map((ecu) => (ecu.name === 'HU' ? { ...ecu, name, hardwareId } : ecu));
    const update = { [name]: { from: ['1.0.*'] } };
    const { vin } = await world.newVehicle(ecus());
    await world.schedule(await world.newScript({ [name]: `image of ${name}` }, update), [vin]);
    expect(await listed(vin)).toEqual(['H-1', 'P-1']);

    const { vin: other } = await world.newVehicle(ecus());
    const needs = { TCU: { requires: [{ ecu: name, versions: ['1.*'] }] } };
    await world.schedule(await world.newScript({ TCU: `modem for ${name}` }, needs), [other]);
    expect(await blocked(other)).toMatch(/its version is unknown$/);
    expect(await listed(other)).toEqual([]);
  },
);
