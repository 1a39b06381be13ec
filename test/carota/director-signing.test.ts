/** When the Director signs a vehicle's metadata, also with two processes on one database, and who may fetch it. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDirectorKeys } from '../../src/carota/director/index.js';
import { Standings, type VehicleStanding } from '../../src/carota/director/standing.js';
import { VehicleMetadata } from '../../src/carota/director/vehicle-metadata.js';
import { RepositoryFolder } from '../../src/carota/images/index.js';
import { findScript, storedScript } from '../../src/carota/scripts/index.js';
import { type Database, openPostgres } from '../../src/service/database/index.js';
import { vinOf } from '../support/messages.js';
import { temporaryDirectory } from '../support/servers.js';
import { startTestCarota } from './support/test-carota.js';
import { DirectorWorld, manifestOf } from './support/test-director.js';
import { newClientIn } from './support/uptane-client.js';

let world: DirectorWorld;

beforeAll(async () => {
  world = await DirectorWorld.start({ adapterControlToken: 'operator' });
});
afterAll(async () => world.stop());

describe('signing', () => {
  const versions = async (vin: string) => {
    const { timestamp, snapshot, targets } = await world.cycle(vin);
    return [timestamp, snapshot, targets].map(({ signed }) => signed.version);
  };
  const inDatabase = async <T>(work: (database: Database) => Promise<T>): Promise<T> => {
    const database = openPostgres({ url: world.carota.databaseUrl });
    return work(database).finally(() => database.close());
  };

  test('happens once per change, however many requests arrive at once', async () => {
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

  test('happens again only for a file in the second half of its lifetime', async () => {
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

  test('versions never go back, even in a restored database', async () => {
    const { vin, ecus } = await world.newVehicle();
    await world.newScript({ HU: 'radio 10' });
    const client = await newClientIn(world, vin, ecus);
    const before = await versions(vin);
    expect(await client.update()).toBe('no-update');
    // Restores a backup from yesterday, when the versions were lower, into the same table.
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

  test('only roots and current files are served', async () => {
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

  test('vehicles may fetch metadata, viewers and planners may not', async () => {
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
  test('serve the same files, and never two files with one version number', async () => {
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
    const refId = await world.schedule(await world.newScript({ HU: 'radio 11' }), [vin]);
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

  test('a process that read the state before the other one signed stores nothing, and serves the same file', async () => {
    const { vin } = await world.newVehicle();
    await world.schedule(await world.newScript({ HU: 'radio 12' }), [vin]);
    const { database, clock, standing, processWith } = await openProcesses(vin);
    // Before the wave was posted, and before anything was signed.
    const fresh = await standing();
    const looks = [fresh && { ...fresh, schedules: [] }];
    const late = processWith(async () => (looks.length > 0 ? looks.pop() : standing()));
    const quick = processWith(standing);
    const first = Buffer.from(await quick.timestamp(vin)).toString();
    expect(Buffer.from(await late.timestamp(vin)).toString()).toBe(first);
    // At the same moment, it would have given different targets the same version.
    const version = Math.floor(clock() / 1000);
    const targets = await quick.targets(vin, version);
    expect(Buffer.from(targets ?? []).toString()).toContain('scripts/');
    expect(await late.targets(vin, version)).toEqual(targets);
    expect(looks).toEqual([]);
    await database.close();
  });

  test('a request that read the state before another request of its process signed does not sign', async () => {
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
    // Two requests may read in any order, but the first one must wait.
    await looked;
    const quick = await metadata.timestamp(vin);
    goOn();
    expect(await slow).toEqual(quick);
    expect(signed).toEqual(['targets', 'snapshot', 'timestamp']);
    await database.close();
  });

  test('a process without the keys, or with different ones, does not start', async () => {
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
