/** The Director's metadata for each vehicle: what is listed, when it is signed, and that a vehicle accepts it. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { vinOf } from '../support/messages.js';
import { openDirectorKeys } from '../../src/carota/director/index.js';
import { Standings, type VehicleStanding } from '../../src/carota/director/standing.js';
import { VehicleMetadata } from '../../src/carota/director/vehicle-metadata.js';
import { RepositoryFolder } from '../../src/carota/images/index.js';
import { findScript, storedScript } from '../../src/carota/scripts/index.js';
import { type Database, openPostgres } from '../../src/service/database/index.js';
import { temporaryDirectory } from '../support/servers.js';
import { makeKey } from '../uptane/support/keys.js';
import { eventOf, startTestCarota } from './support/test-carota.js';
import {
  DirectorWorld,
  manifestOf,
  match,
  newEcus,
  serveBoth,
  type TestEcu,
} from './support/test-director.js';
import { newUptaneClient } from './support/uptane-client.js';

let world: DirectorWorld;
let scripts = 0;

beforeAll(async () => {
  world = await DirectorWorld.start({ adapterControlToken: 'operator' });
});
afterAll(async () => world.stop());

const newScript = async (images: Record<string, string>, updates = {}): Promise<string> => {
  const scriptRefId = `script-${++scripts}`;
  await world.publish({ scriptRefId, images, updates });
  return scriptRefId;
};

/** What is listed, without the paths of artifacts: script, and ECUs that get an image. */
const listed = async (vin: string) =>
  Object.values(await world.listed(vin))
    .flat()
    .sort();

const blocked = async (vin: string): Promise<string | null> =>
  (await world.ecus(vin)).order?.blocked ?? null;

const report = (refId: string, vin: string, status: Parameters<typeof eventOf>[0]['status']) =>
  world.carota.callBack([eventOf({ refId, vin, status })]);

/** A vehicle's client, provisioned with both roots. */
async function newClient(vin: string, ecus: readonly TestEcu[]) {
  const site = await serveBoth(world);
  const client = await newUptaneClient({
    vin,
    ecus,
    directorRoot: world.rootFile,
    imageRoot: world.repository.rootBytes,
    ...site,
  });
  return { ...client, close: () => site.close() };
}

describe('what is listed', () => {
  test('nothing is due: an empty list that names the vehicle, and that a vehicle accepts', async () => {
    const { vin, ecus } = await world.newVehicle();
    expect(await world.listed(vin)).toEqual({});
    await newScript({ HU: 'not yet' });
    const client = await newClient(vin, ecus);
    expect(await client.update()).toBe('no-update');
    await client.close();
  });

  test('script and images of a schedule that runs, verified and installed by a vehicle', async () => {
    const { vin, ecus } = await world.newVehicle();
    const script = await newScript({ HU: 'radio 2', TCU: 'modem 2' });
    const refId = await world.schedule(script, [vin]);
    const targets = await world.listed(vin);
    expect(targets[`scripts/${script}.json`]).toEqual(['P-1']);
    expect(await listed(vin)).toEqual(['H-1', 'P-1', 'T-1']);
    const client = await newClient(vin, ecus);
    expect(await client.update()).toBe('updated');
    expect([client.image('H-1'), client.image('T-1')]).toEqual(['radio 2', 'modem 2']);
    expect(JSON.parse(client.image('P-1'))).toMatchObject({ 'script-ref-id': script });
    expect(await client.update()).toBe('no-update');

    // The vehicle says what it has, and that it is done: the order is over.
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

    // Later it has something else, which nobody has ordered.
    const other = { path: 'x', length: 1, hashes: { sha256: 'c'.repeat(64) }, releaseCounter: 7 };
    await world.send(vin, manifestOf(vin, ecus, { reports: { 'H-1': { installed: other } } }));
    expect((await world.ecus(vin)).ecus[1]).toMatchObject({ standing: 'differs' });
  });

  test('not after pause, again after resume, not after stop, however often it is asked for', async () => {
    const { vin } = await world.newVehicle();
    const refId = await world.schedule(await newScript({ HU: 'radio 3' }), [vin]);
    expect(await listed(vin)).toEqual(['H-1', 'P-1']);
    await world.control(refId, 'pause');
    expect(await listed(vin)).toEqual([]);
    await world.control(refId, 'resume');
    expect(await listed(vin)).toEqual(['H-1', 'P-1']);
    await world.control(refId, 'stop');
    expect(await listed(vin)).toEqual([]);
    expect(await listed(vin)).toEqual([]);
  });

  test('a schedule that is stopped between two fetches: its targets are not to be had any more', async () => {
    const { vin, ecus } = await world.newVehicle();
    const refId = await world.schedule(await newScript({ HU: 'radio 4' }), [vin]);
    const client = await newClient(vin, ecus);
    const { timestamp, targets } = await world.cycle(vin);
    const snapshotVersion = timestamp.signed.meta['snapshot.json'].version;
    const file = `${targets.signed.version}.targets.json`;
    expect((await world.get(vin, file)).status).toBe(200);
    await world.control(refId, 'stop');
    expect((await world.get(vin, file)).body.errorCode).toBe('METADATA_NOT_FOUND');
    // The snapshot says nothing of images.
    expect((await world.get(vin, `${snapshotVersion}.snapshot.json`)).status).toBe(200);
    expect(await client.update()).toBe('no-update');
    await client.close();
  });

  test('a vehicle of a later wave, and one of a schedule that was not approved, wait', async () => {
    const [first, second] = [await world.newVehicle(), await world.newVehicle()];
    const script = await newScript({ HU: 'radio 5' });
    const waves = [{ vins: [first.vin] }];
    await world.schedule(script, [first.vin, second.vin], { waves, pause: 3_600 });
    expect(await listed(first.vin)).toEqual(['H-1', 'P-1']);
    expect(await listed(second.vin)).toEqual([]);
  });

  test.each<[Parameters<typeof eventOf>[0]['status'], boolean]>([
    ['received', true],
    ['download_fail', true],
    ['pki_check_fail', true],
    ['failure', true],
    ['cancel', false],
    ['consent_rejected', false],
    ['rollback_success', false],
    ['rollback_fail', false],
    ['success', false],
  ])('after %s: %s', async (status, isListed) => {
    const { vin } = await world.newVehicle();
    const others = await world.newVehicle();
    scripts += 1;
    const script = `script-${scripts}`;
    await world.publish({ scriptRefId: script, images: { HU: `radio ${script}` } });
    const refId = await world.schedule(script, [vin, others.vin]);
    await report(refId, vin, status);
    expect(await listed(vin)).toEqual(isListed ? ['H-1', 'P-1'] : []);
    expect(await listed(others.vin)).toEqual(['H-1', 'P-1']);
    await world.control(refId, 'stop');
  });

  test('of two schedules one at a time: the one that has begun goes on, then the other', async () => {
    const { vin } = await world.newVehicle();
    const [a, b] = [await newScript({ HU: 'radio a' }), await newScript({ TCU: 'modem b' })];
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
  });

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
    const script = await newScript({ HU: 'twins' });
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

describe('nothing is listed where a part of the script could not be installed', () => {
  const due = async (script: string, ecus = newEcus()) => {
    const { vin } = await world.newVehicle(ecus);
    await world.schedule(script, [vin]);
    return vin;
  };

  test('an ECU that the vehicle does not have', async () => {
    const script = await newScript({ HU: 'radio 6', TCU: 'modem 6' });
    const vin = await due(script, newEcus().slice(0, 2));
    expect(await listed(vin)).toEqual([]);
    expect(await blocked(vin)).toBe('the vehicle has no ECU TCU');
  });

  test('hardware that the image is not for', async () => {
    const ecus = newEcus().map((ecu) => ({ ...ecu, hardwareId: `${ecu.hardwareId}-x` }));
    const vin = await due(await newScript({ HU: 'radio 7' }), ecus);
    expect(await listed(vin)).toEqual([]);
    expect(await blocked(vin)).toContain('is not for the hardware hw-primary-x of OTA-MANAGER');
  });

  test('a script or an image that is not in the image repository', async () => {
    const script = `script-${++scripts}`;
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

  test('another script than the one that was published, under its name', async () => {
    const script = await newScript({ HU: 'radio 8' });
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
  });

  test('a release counter below that of what the ECU has', async () => {
    const ecus = newEcus();
    const script = await newScript({ HU: 'radio 8b' });
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

  test('a version that the script does not start from', async () => {
    const vin = await due(await newScript({ HU: 'radio 9' }, { HU: { from: ['1.3.*'] } }));
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
    const vin = await due(await newScript({ HU: 'radio 11' }, { HU: needs }));
    expect(await blocked(vin)).toMatch(/^HU \S+ requires TCU 2\.\*: its version is unknown$/);
    await hasVersion(vin, '1.9');
    expect(await blocked(vin)).toMatch(/requires TCU 2\.\*: it would have 1\.9$/);
    expect(await listed(vin)).toEqual([]);
    await hasVersion(vin, '2.1');
    expect(await listed(vin)).toEqual(['H-1', 'P-1']);

    // An image of an earlier script is installed, with which this one conflicts.
    const excludes = { conflicts: [{ ecu: 'TCU', versions: ['2.1'] }] };
    const other = await due(await newScript({ HU: 'radio 12' }, { HU: excludes }));
    await hasVersion(other, '2.1');
    expect(await blocked(other)).toMatch(/conflicts with TCU 2\.1: it would have 2\.1$/);
    expect(await listed(other)).toEqual([]);
    await hasVersion(other, '2.2');
    expect(await listed(other)).toEqual(['H-1', 'P-1']);
  });

  test.each(['requires', 'conflicts'])(
    'an image whose %s name the Primary, which the vehicle cannot judge',
    async (relation) => {
      const names = { [relation]: [{ ecu: 'OTA-MANAGER', versions: ['9.*'] }] };
      const vin = await due(await newScript({ HU: `radio ${relation}` }, { HU: names }));
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

  test('an image for the Primary, which gets the script', async () => {
    const script = `script-${++scripts}`;
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

test.each(['constructor', 'toString', 'valueOf'])(
  'an ECU named %s is one like any other, whose version is unknown',
  async (name) => {
    const hardwareId = `hw-${name.toLowerCase()}`;
    const ecus = () =>
      newEcus().map((ecu) => (ecu.name === 'HU' ? { ...ecu, name, hardwareId } : ecu));
    const update = { [name]: { from: ['1.0.*'] } };
    const { vin } = await world.newVehicle(ecus());
    await world.schedule(await newScript({ [name]: `image of ${name}` }, update), [vin]);
    expect(await listed(vin)).toEqual(['H-1', 'P-1']);

    const { vin: other } = await world.newVehicle(ecus());
    const needs = { TCU: { requires: [{ ecu: name, versions: ['1.*'] }] } };
    await world.schedule(await newScript({ TCU: `modem for ${name}` }, needs), [other]);
    expect(await blocked(other)).toMatch(/its version is unknown$/);
    expect(await listed(other)).toEqual([]);
  },
);

describe('signing', () => {
  const versions = async (vin: string) => {
    const { timestamp, snapshot, targets } = await world.cycle(vin);
    return [timestamp, snapshot, targets].map(({ signed }) => signed.version);
  };
  const inDatabase = async <T>(work: (database: Database) => Promise<T>): Promise<T> => {
    const database = openPostgres({ url: world.carota.databaseUrl });
    return work(database).finally(() => database.close());
  };

  test('once per change, however often and by however many it is asked for', async () => {
    const { vin } = await world.newVehicle();
    const signed = () => world.metric('otaops_carota_director_signed_total', '{role="targets"}');
    const before = await signed();
    const files = await Promise.all(
      Array.from({ length: 30 }, () => world.get(vin, 'timestamp.json')),
    );
    expect(new Set(files.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    const first = await versions(vin);
    expect(await versions(vin)).toEqual(first);
    expect((await signed()) - before).toBe(1);
  });

  test('a file in the second half of its lifetime is signed again, alone', async () => {
    const { vin } = await world.newVehicle();
    const [timestamp = 0, ...others] = await versions(vin);
    await inDatabase((database) =>
      database.query(
        `update director_files set timestamp_expires = timestamp_expires - interval '13 hours'
         where vin = $1`,
        [vin],
      ),
    );
    const after = await versions(vin);
    expect(after[0]).toBeGreaterThan(timestamp);
    expect(after.slice(1)).toEqual(others);
    expect((await world.cycle(vin)).timestamp.signed.expires > new Date().toISOString()).toBe(true);
  });

  test('versions go on after a restart, and jump forward in a restored database', async () => {
    const { vin, ecus } = await world.newVehicle();
    await newScript({ HU: 'radio 10' });
    const client = await newClient(vin, ecus);
    const before = await versions(vin);
    expect(await client.update()).toBe('no-update');
    // A backup of yesterday, when the versions were lower, is restored into the same table.
    await inDatabase(async (database) => {
      await database.script('create table backup as select * from director_files');
      await database.query(
        `update backup set timestamp_version = 3, snapshot_version = 2, targets_version = 2
         where vin = $1`,
        [vin],
      );
      await database.script(
        `truncate director_files; insert into director_files select * from backup; drop table backup`,
      );
    });
    const restored = await versions(vin);
    before.forEach((version, place) => expect(restored[place]).toBeGreaterThanOrEqual(version));
    expect(await client.update()).toBe('no-update');
    await client.close();
  });

  test('every root is there, nothing else is', async () => {
    const { vin } = await world.newVehicle();
    expect((await world.get(vin, '1.root.json')).body.signed._type).toBe('root');
    for (const file of ['2.root.json', '1.targets.json', '1.snapshot.json']) {
      expect((await world.get(vin, file)).body.errorCode).toBe('METADATA_NOT_FOUND');
    }
    for (const file of ['root.json', '1.timestamp.json', '0.root.json']) {
      expect((await world.get(vin, file)).body.errorCode).toBe('INVALID');
    }
    expect((await world.get(vin, 'manifest')).body.errorCode).toBe('METHOD_NOT_ALLOWED');
    expect((await world.get(vinOf(9_999, 'WBA'), 'timestamp.json')).status).toBe(404);
  });

  test('vehicles may ask, and nobody who may only read or plan', async () => {
    const { vin } = await world.newVehicle();
    const token = async (role: string) =>
      (await world.carota.call('POST', '/v1.0/tokens', { body: { name: role, role } })).body.token;
    const get = async (role: string) =>
      (
        await world.carota.call('GET', `/uptane/director/${vin}/timestamp.json`, {
          token: await token(role),
        })
      ).status;
    expect([await get('vehicle'), await get('viewer'), await get('planner')]).toEqual([
      200, 403, 403,
    ]);
    const put = await world.carota.call('PUT', `/v1.0/vehicles/${vin}/ecus`, {
      token: await token('planner'),
      body: { ecus: [] },
    });
    expect(put.status).toBe(403);
  });
});

describe('two processes on one database', () => {
  test('serve the same, and never two versions with one number', async () => {
    const dataDir = temporaryDirectory('carota-two');
    const folder = join(dataDir, 'director');
    const copied = (name: string) => {
      mkdirSync(join(folder, name), { recursive: true });
      for (const file of name === 'keys'
        ? ['targets.pem', 'snapshot.pem', 'timestamp.pem', 'time.pem']
        : ['1.root.json']) {
        copyFileSync(join(world.carota.dataDir, 'director', name, file), join(folder, name, file));
      }
    };
    copied('keys');
    copied('metadata');
    const other = await DirectorWorld.start({
      dataDir,
      databaseUrl: world.carota.databaseUrl,
      imageRepositoryDir: world.repository.folder,
      tokenOf: world.carota.token,
    });
    const { vin, ecus } = await world.newVehicle();
    const seen = new Map<string, string>();
    const note = (body: any) => {
      const key = `${body.signed._type} ${body.signed.version}`;
      const text = JSON.stringify(body);
      expect(seen.get(key) ?? text).toBe(text);
      seen.set(key, text);
    };
    const refId = await world.schedule(await newScript({ HU: 'radio 11' }), [vin]);
    for (let round = 0; round < 6; round++) {
      await (round % 2 === 0 ? other : world).control(refId, round % 2 === 0 ? 'pause' : 'resume');
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          (n % 2 === 0 ? world : other).get(vin, 'timestamp.json'),
        ),
      );
      answers.forEach(({ body }) => note(body));
      const [a, b] = [await world.cycle(vin), await other.cycle(vin)];
      expect(a).toEqual(b);
      Object.values(a).forEach(note);
    }
    const manifest = manifestOf(vin, ecus);
    const statuses = await Promise.all(
      Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? world : other).send(vin, manifest)),
    );
    expect(statuses.filter(({ status }) => status === 204)).toHaveLength(1);
    await other.stop(true);
  });

  async function openProcesses(vin: string) {
    const database = openPostgres({ url: world.carota.databaseUrl });
    const folder = join(world.carota.dataDir, 'director');
    const clock = () => Date.parse('2026-12-24T18:00:00Z');
    const keys = await openDirectorKeys(database, folder, clock());
    const standing = async () => (await new Standings(database).read([vin]))[0];
    const processWith = (
      standingOf: () => Promise<VehicleStanding | undefined>,
      onSigned: (role: string) => void = () => undefined,
    ) =>
      new VehicleMetadata({
        database,
        keys,
        catalogue: new RepositoryFolder(world.repository.folder),
        standingOf,
        scriptOf: async (scriptRefId) => {
          const found = await findScript(database, scriptRefId);
          return found && storedScript(found.script);
        },
        clock,
        onSigned,
      });
    return { database, clock, standing, processWith };
  }

  test('one that has looked before the other has signed stores nothing, and serves the same', async () => {
    const { vin } = await world.newVehicle();
    await world.schedule(await newScript({ HU: 'radio 12' }), [vin]);
    const { database, clock, standing, processWith } = await openProcesses(vin);
    // Before the wave was posted, and before anything was signed.
    const fresh = await standing();
    const looks = [fresh && { ...fresh, schedules: [] }];
    const late = processWith(async () => (looks.length > 0 ? looks.pop() : standing()));
    const quick = processWith(standing);
    const first = Buffer.from(await quick.timestamp(vin)).toString();
    expect(Buffer.from(await late.timestamp(vin)).toString()).toBe(first);
    // At the same time it would have given other targets the same version.
    const version = Math.floor(clock() / 1000);
    const targets = await quick.targets(vin, version);
    expect(Buffer.from(targets ?? []).toString()).toContain('scripts/');
    expect(await late.targets(vin, version)).toEqual(targets);
    expect(looks).toEqual([]);
    await database.close();
  });

  test('a request that has looked before another one of its process has signed signs nothing', async () => {
    const { vin } = await world.newVehicle();
    const { database, standing, processWith } = await openProcesses(vin);
    let goOn: () => void = () => undefined;
    const later = new Promise<void>((resolve) => (goOn = resolve));
    let hasLooked: () => void = () => undefined;
    const looked = new Promise<void>((resolve) => (hasLooked = resolve));
    let looks = 0;
    const signed: string[] = [];
    const metadata = processWith(
      async () => {
        const isFirst = looks++ === 0;
        const seen = await standing();
        if (isFirst) {
          hasLooked();
          await later;
        }
        return seen;
      },
      (role) => signed.push(role),
    );
    const slow = metadata.timestamp(vin);
    // Two requests may read in any order, and it is the first one that must wait.
    await looked;
    const quick = await metadata.timestamp(vin);
    goOn();
    expect(await slow).toEqual(quick);
    expect(signed).toEqual(['targets', 'snapshot', 'timestamp']);
    await database.close();
  });

  test('one without the keys, or with other ones, does not start', async () => {
    const start = (dataDir: string) =>
      startTestCarota(world.adapter.url, { dataDir, databaseUrl: world.carota.databaseUrl });
    await expect(start(temporaryDirectory('carota-three'))).rejects.toThrow(/there are no keys in/);
    const dataDir = temporaryDirectory('carota-four');
    mkdirSync(join(dataDir, 'director', 'keys'), { recursive: true });
    for (const name of ['targets', 'snapshot', 'timestamp', 'time']) {
      const source = name === 'targets' ? 'snapshot' : name;
      copyFileSync(
        join(world.carota.dataDir, 'director', 'keys', `${source}.pem`),
        join(dataDir, 'director', 'keys', `${name}.pem`),
      );
    }
    await expect(start(dataDir)).rejects.toThrow(
      /targets\.pem is not the key that root version 1 names for targets/,
    );
  });
});
