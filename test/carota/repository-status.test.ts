/** The status of both repositories as people see it, and live updates when it changes. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { takingTurns } from '../support/depth.js';
import { directorStatus } from '../../src/carota/director/repository-status.js';
import { openDirectorKeys } from '../../src/carota/director/index.js';
import { CAROTA_SCHEMA } from '../../src/carota/schema.js';
import { openPostgres } from '../../src/service/database/index.js';
import { DEFAULT_PERIODS } from '../../src/uptane/repository/index.js';
import { localSigner } from '../../src/uptane/signing/local-signer.js';
import { eventually } from '../support/adapter.js';
import { newDatabase } from '../support/databases.js';
import { vinOf } from '../support/messages.js';
import { readServerSentEvents } from '../support/server-sent-events.js';
import { temporaryDirectory } from '../support/servers.js';
import { days, TestCeremony } from '../uptane/repository/support.js';
import {
  type AdapterDouble,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from './support/test-carota.js';
import { DirectorWorld, manifestOf, newEcus } from './support/test-director.js';

/** Tests with siblings on the same subject take turns. */
const isTurn = takingTurns(2);

let adapter: AdapterDouble;
beforeAll(async () => {
  adapter = await startAdapterDouble();
});
afterAll(() => adapter.stop());

const tokenOf = async (t: TestCarota, role: string): Promise<string> =>
  (
    await t.call('POST', '/v1.0/tokens', {
      body: { role, name: role, ...(role === 'vehicle' ? { vin: vinOf(1, 'WVW') } : {}) },
    })
  ).body.token;

describe('with generated keys', () => {
  let t: TestCarota;
  beforeAll(async () => {
    t = await startTestCarota(adapter.url);
  });
  afterAll(() => t.stop());

  test('both repositories report that they are trials, and which key signs what', async () => {
    const { body: images } = await t.call('GET', '/v1.0/image-repository');
    expect(images).toMatchObject({ isTrial: true, onlineKeys: 'server', attention: [] });
    const validities = images.published.map(({ role, validity }: any) => [role, validity]);
    expect(validities).toEqual([
      ['root', 'valid'],
      ['timestamp', 'valid'],
      ['snapshot', 'valid'],
      ['targets', 'valid'],
    ]);
    expect(images.keys.map(({ keytype, roles }: any) => [keytype, roles])).toEqual([
      ['ed25519', ['root']],
      ['ed25519', ['timestamp']],
      ['ed25519', ['snapshot']],
      ['ed25519', ['targets']],
    ]);
    const { body: director } = await t.call('GET', '/v1.0/director-repository');
    expect(director).toMatchObject({
      isTrial: true,
      onlineKeys: 'server',
      attention: [],
      root: { role: 'root', version: 1, validity: 'valid', threshold: 1 },
    });
    expect(director.root.signedBy).toEqual(director.root.keys);
    const day = 24 * 60 * 60;
    expect(director.online.map((one: any) => [one.role, one.lifetimeSeconds])).toEqual([
      ['timestamp', day],
      ['snapshot', 7 * day],
      ['targets', 7 * day],
    ]);
    // Each role has its own key, and so has the signed time.
    expect(director.keys.map(({ roles }: any) => roles)).toEqual([
      ['root'],
      ['timestamp'],
      ['snapshot'],
      ['targets'],
      ['time'],
    ]);
    expect(director.keys.at(-1).id).toBe(director.timeKey);
  });

  test.each(['/v1.0/image-repository', '/v1.0/director-repository'])(
    'viewers and planners see %s, vehicles do not',
    async (path) => {
      for (const [role, status] of [
        ['viewer', 200],
        ['planner', 200],
        ['vehicle', 403],
      ] as const) {
        const token = await tokenOf(t, role);
        expect([role, (await t.call('GET', path, { token })).status]).toEqual([role, status]);
      }
      expect((await t.call('GET', path, { token: null })).status).toBe(401);
    },
  );
});

test.runIf(isTurn())(
  'a missing repository is reported, with the command that creates one',
  async () => {
    const t = await startTestCarota(adapter.url, {
      imageRepositoryDir: temporaryDirectory('no-repository'),
    });
    const { status, body } = await t.call('GET', '/v1.0/image-repository');
    expect([status, body.errorCode]).toEqual([404, 'METADATA_NOT_FOUND']);
    expect(body.errorMessage).toContain('otaops repository init');
    await t.stop();
  },
);

describe('two weeks before something expires', () => {
  test('the image repository names the role, its version and the date', async () => {
    const ceremony = await new TestCeremony().established();
    const roleOf = async (day: number, role: string) => {
      const { published, attention } = await ceremony.repository.status(days(day));
      const found = published.find((one) => one.role === role);
      return { validity: found?.validity, said: attention.filter((text) => text.includes(role)) };
    };
    // Root is valid for 365 days, targets for 180.
    expect(await roleOf(350, 'root')).toEqual({ validity: 'valid', said: [] });
    expect(await roleOf(352, 'root')).toEqual({
      validity: 'expires-soon',
      said: [expect.stringMatching(/^root version 1 expires on \S+, in 13\.0 days$/)],
    });
    expect(await roleOf(366, 'root')).toEqual({
      validity: 'expired',
      said: [expect.stringMatching(/^root version 1 has expired on /)],
    });
    expect(await roleOf(165, 'targets')).toMatchObject({ validity: 'valid' });
    expect(await roleOf(167, 'targets')).toMatchObject({ validity: 'expires-soon' });
    // An online role expires soon only in the last quarter of its lifetime.
    expect(await roleOf(0.7, 'timestamp')).toMatchObject({ validity: 'valid' });
    expect(await roleOf(0.8, 'timestamp')).toMatchObject({ validity: 'expires-soon' });
  });

  test.runIf(isTurn())('the Director reports its root', async () => {
    const server = await newDatabase(CAROTA_SCHEMA);
    const database = openPostgres({ url: server.url });
    const now = days(0).getTime();
    const folder = join(temporaryDirectory('director-status'), 'director');
    const keys = await openDirectorKeys(database, folder, now);
    const at = async (day: number) => {
      const { root, attention, ceremony } = await directorStatus(keys, folder, days(day));
      return [root.validity, attention.length, ceremony];
    };
    expect(await at(350)).toEqual(['valid', 0, null]);
    expect(await at(352)).toEqual(['expires-soon', 1, null]);
    expect(await at(366)).toEqual(['expired', 1, null]);
    await database.close();
    await server.drop();
  });
});

/** A Director's folder with a root signed by two of three signers, and its online keys. */
async function directorWithCeremony() {
  const folder = temporaryDirectory('director-ceremony');
  mkdirSync(join(folder, 'keys'));
  const online = (name: string) => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(join(folder, 'keys', `${name}.pem`), pem, { mode: 0o600 });
    return { keys: [localSigner(privateKey).key], threshold: 1 };
  };
  online('time');
  const ceremony = Object.assign(new TestCeremony(), { folder, now: new Date() });
  await ceremony.repository.init(
    {
      root: { keys: ceremony.root.map(({ key }) => key), threshold: 2 },
      targets: online('targets'),
      snapshot: online('snapshot'),
      timestamp: online('timestamp'),
    },
    DEFAULT_PERIODS,
    ceremony.now,
    'director',
  );
  await ceremony.sign(ceremony.root[0], ceremony.root[1]);
  await ceremony.repository.publish([], ceremony.now);
  return ceremony;
}

test.runIf(isTurn())(
  'the status shows a ceremony of the Director’s root, and that a new root takes effect at the next start',
  async () => {
    const ceremony = await directorWithCeremony();
    const t = await startTestCarota(adapter.url, { directorDir: ceremony.folder });
    const show = async () => (await t.call('GET', '/v1.0/director-repository')).body;
    const before = await show();
    expect(before).toMatchObject({
      isTrial: false,
      root: { version: 1, threshold: 2 },
      ceremony: { proposed: [], faults: [], difference: [] },
      attention: [],
    });
    await ceremony.propose((state) => state, ['root']);
    await ceremony.sign(ceremony.root[0]);
    const proposed = await show();
    expect(proposed.ceremony.difference[0]).toBe('root: version 1 → 2');
    expect(proposed.ceremony.proposed).toMatchObject([
      { role: 'root', version: 2, signatures: [{ missing: 1 }, { missing: 1 }] },
    ]);
    await ceremony.sign(ceremony.root[1]);
    await ceremony.repository.publish([], ceremony.now);
    const published = await show();
    expect(published.root.version).toBe(1);
    expect(published.attention).toEqual([
      'root version 2 is published in the folder and takes effect at the next start of the server',
    ]);
    await t.stop();
  },
);

describe('live updates', () => {
  let world: DirectorWorld;
  const vin = vinOf(1, 'LVE');
  const ecus = newEcus();
  beforeAll(async () => {
    world = await DirectorWorld.start();
    await world.vehicle(vin, ecus);
  });
  afterAll(() => world.stop());

  test('announce a manifest, a refused manifest and an attack to those who watch the vehicle', async () => {
    const { carota, token } = world.carota;
    const watch = (topic: string) =>
      readServerSentEvents(`${carota.httpUrl}/v1.0/live?topic=${topic}`, {
        'authorization-token': token,
      });
    const mine = await watch(`vehicle:${vin}`);
    const other = await watch(`vehicle:${vinOf(2, 'LVE')}`);
    const heard = (reader: typeof mine, topic: string) =>
      reader.events.filter(({ data }) => data.includes(`"${topic}"`)).length;
    await eventually(
      async () => [mine, other].map(({ events }) => events.some(({ event }) => event === 'hello')),
      (greeted) => greeted.every((is) => is),
    );
    let times = 0;
    const isHeard = () =>
      eventually(
        async () => heard(mine, `vehicle:${vin}`),
        (count) => count > times && (times = count) > 0,
      );
    expect((await world.send(vin, manifestOf(vin, ecus))).status).toBe(204);
    await isHeard();
    expect((await world.send(vin, manifestOf(vin, ecus.slice(0, 2)))).status).toBe(400);
    await isHeard();
    const attacked = manifestOf(vin, ecus, {
      reports: { 'H-1': { attack: 'freeze', reason: 'timestamp version 3 has expired' } },
    });
    expect((await world.send(vin, attacked)).status).toBe(204);
    await isHeard();
    await eventually(
      async () => [heard(mine, 'attacks'), heard(other, 'attacks'), heard(other, 'audit')],
      (counts) => counts.every((count) => count > 0),
    );
    expect(heard(other, `vehicle:${vin}`)).toBe(0);
    mine.close();
    other.close();
  });

  test.runIf(isTurn())('announce a change of the repository’s folder to everyone', async () => {
    const { carota, token } = world.carota;
    const reader = await readServerSentEvents(`${carota.httpUrl}/v1.0/live`, {
      'authorization-token': token,
    });
    await eventually(
      async () => reader.events,
      (events) => events.some(({ event }) => event === 'hello'),
    );
    world.repository.release();
    world.repository.write();
    await eventually(
      async () => reader.events,
      (events) => events.some(({ data }) => data.includes('"repositories"')),
    );
    reader.close();
  });

  test.runIf(isTurn())(
    'the last accepted manifest is shown as received; a refused one is not',
    async () => {
      const other = vinOf(3, 'LVE');
      const others = newEcus();
      await world.vehicle(other, others);
      const get = (one: string) => world.carota.call('GET', `/v1.0/vehicles/${one}/manifest`);
      const none = await get(other);
      expect([none.status, none.body.errorCode]).toEqual([404, 'MANIFEST_NOT_FOUND']);
      expect((await get(vinOf(9, 'LVE'))).body.errorCode).toBe('VEHICLE_NOT_FOUND');
      const sent = manifestOf(other, others);
      await world.send(other, sent);
      // A replay, which is refused.
      await world.send(other, sent);
      const { body } = await get(other);
      expect(body.manifest).toEqual(JSON.parse(sent.toString()));
      expect(Date.now() - Date.parse(body.acceptedAt)).toBeLessThan(600_000);
      const { refused, metadata } = await world.ecus(other);
      expect(refused).toMatchObject({ fault: 'nonce', count: 1 });
      expect(metadata).toBeNull();
      const { timestamp, snapshot, targets } = await world.cycle(other);
      expect((await world.ecus(other)).metadata).toEqual({
        timestamp: { version: timestamp.signed.version, expires: expect.any(String) },
        snapshot: { version: snapshot.signed.version, expires: expect.any(String) },
        targets: { version: targets.signed.version, expires: expect.any(String) },
      });
    },
  );
});
