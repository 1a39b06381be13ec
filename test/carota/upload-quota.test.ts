/** Uploads that would fill the disk or the database: the quota, deletion, and the remains of broken uploads. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_UPLOAD_QUOTA, type UploadQuota } from '../../src/carota/artifacts/index.js';
import { CAROTA_SCHEMA } from '../../src/carota/schema.js';
import { openPostgres } from '../../src/service/database/index.js';
import { byDepth, takingTurns } from '../support/depth.js';
import { runCommand } from '../support/run-command.js';
import { newDatabase } from '../support/databases.js';
import { temporaryDirectory } from '../support/servers.js';
import { eventually } from '../support/adapter.js';
import { vinOf } from '../support/messages.js';
import {
  type AdapterDouble,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from './support/test-carota.js';

const MIB = 1024 ** 2;
/** For tests that start their own server. */
const isTurn = takingTurns(3);
const OCTETS = { 'content-type': 'application/octet-stream' };
const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

let adapter: AdapterDouble;
beforeAll(async () => {
  adapter = await startAdapterDouble();
});
afterAll(() => adapter.stop());

const startWith = (quota: Partial<UploadQuota>, settings = {}) =>
  startTestCarota(adapter.url, {
    ...settings,
    uploadQuota: { ...DEFAULT_UPLOAD_QUOTA, ...quota },
  });

const upload = (t: TestCarota, body: Buffer, token = t.token) =>
  t.call('POST', '/v1.0/artifacts', { token, headers: OCTETS, body });

const storage = async (t: TestCarota) => (await t.call('GET', '/v1.0/storage')).body;

const planner = async (t: TestCarota, name: string): Promise<string> =>
  (await t.call('POST', '/v1.0/tokens', { body: { name, role: 'planner' } })).body.token;

const filesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

/** An upload over a socket, with or without an announced size: the test decides what is sent, and when. */
async function startUpload(t: TestCarota, framing: string) {
  const { hostname, port } = new URL(t.carota.httpUrl);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  let answer = '';
  socket.on('data', (bytes: Buffer) => (answer += bytes.toString()));
  socket.write(
    `POST /v1.0/artifacts HTTP/1.1\r\nhost: a\r\nauthorization-token: ${t.token}\r\n` +
      `content-type: application/octet-stream\r\n${framing}\r\n\r\n`,
  );
  return {
    socket,
    answered: () =>
      eventually(
        async () => answer,
        (text) => text.includes('errorCode'),
      ),
  };
}

describe('The quota', () => {
  let t: TestCarota;
  beforeAll(async () => {
    t = await startWith({
      artifacts: 3,
      artifactBytes: 4 * MIB,
      artifactBytesPerToken: 3 * MIB,
      scripts: 2,
      scriptBytes: 2_000,
    });
  });
  afterAll(() => t.stop());

  test('refuses an upload that announces too much before its bytes are sent', async () => {
    const { socket, answered } = await startUpload(t, `content-length: ${5 * MIB}`);
    // Not a byte of the body has been sent.
    expect(await answered()).toMatch(/^HTTP\/1\.1 409[^]*QUOTA_EXCEEDED/);
    socket.destroy();
    expect((await storage(t)).artifacts).toMatchObject({ number: 0, bytes: 0 });
  });

  test('refuses an upload of unannounced size at the limit, and leaves nothing behind', async () => {
    const { socket, answered } = await startUpload(t, 'transfer-encoding: chunked');
    const chunk = Buffer.alloc(64 * 1024);
    const piece = Buffer.concat([Buffer.from('10000\r\n'), chunk, Buffer.from('\r\n')]);
    // The upload would go on forever.
    const timer = setInterval(() => socket.write(piece), 1);
    expect(await answered()).toMatch(/^HTTP\/1\.1 409[^]*QUOTA_EXCEEDED/);
    clearInterval(timer);
    socket.destroy();
    expect((await storage(t)).artifacts).toMatchObject({ number: 0, bytes: 0 });
    expect(filesBelow(join(t.dataDir, 'incoming'))).toEqual([]);
  });

  test('counts uploads in progress, and a broken one until it is removed', async () => {
    const { socket } = await startUpload(t, `content-length: ${3 * MIB}`);
    await eventually(
      async () => (await storage(t)).artifacts,
      ({ bytes }) => bytes === 3 * MIB,
    );
    const other = await planner(t, 'other');
    expect(await upload(t, Buffer.alloc(2 * MIB, 1), other)).toMatchObject({
      status: 409,
      body: { errorCode: 'QUOTA_EXCEEDED' },
    });
    socket.destroy();
    await eventually(
      async () => (await storage(t)).artifacts,
      ({ bytes }) => bytes === 0,
    );
    expect((await upload(t, Buffer.alloc(2 * MIB, 1), other)).status).toBe(201);
  });

  test('limits the number of artifacts, and deletion makes room', async () => {
    // Another token has uploaded 2 MiB.
    const own = await planner(t, 'own');
    expect((await upload(t, Buffer.alloc(2 * MIB - 20, 2), own)).status).toBe(201);
    const third = await planner(t, 'third');
    expect((await upload(t, Buffer.from('third'), third)).status).toBe(201);
    const answer = await upload(t, Buffer.from('fourth'), third);
    expect(answer).toMatchObject({ status: 409, body: { errorCode: 'QUOTA_EXCEEDED' } });
    expect(answer.body.errorMessage).toContain('3 artifacts');
    // A deleted artifact makes room.
    expect(
      (await t.call('DELETE', `/v1.0/artifacts/${sha256Of(Buffer.from('third'))}`)).status,
    ).toBe(204);
    expect((await upload(t, Buffer.from('fourth'), third)).status).toBe(201);
    const metrics = await (await fetch(`${t.carota.httpUrl}/metrics`)).text();
    expect(metrics).toMatch(/otaops_limit_refusals_total\{limit="artifact-quota"\} [1-9]/);
  });

  test.runIf(isTurn())('limits the bytes of each token', async () => {
    const only = await startWith({ artifactBytes: 4 * MIB, artifactBytesPerToken: MIB });
    expect((await upload(only, Buffer.alloc(MIB, 1))).status).toBe(201);
    const answer = await upload(only, Buffer.from('x'));
    expect(answer).toMatchObject({ status: 409, body: { errorCode: 'QUOTA_EXCEEDED' } });
    expect(answer.body.errorMessage).toContain('of this token');
    expect((await upload(only, Buffer.from('x'), await planner(only, 'p'))).status).toBe(201);
    await only.stop();
  });

  test.runIf(isTurn())('leaves the disk its reserve', async () => {
    const full = await startWith({ freeDiskBytes: Number.MAX_SAFE_INTEGER });
    const answer = await upload(full, Buffer.from('x'));
    expect(answer).toMatchObject({ status: 409, body: { errorCode: 'QUOTA_EXCEEDED' } });
    expect(answer.body.errorMessage).toContain('disk');
    await full.stop();
  });

  test('limits the number and the bytes of update scripts', async () => {
    const bytes = Buffer.from('fourth');
    const artifact = {
      sha256: sha256Of(bytes),
      md5: createHash('md5').update(bytes).digest('hex'),
      size: bytes.length,
    };
    const publish = (name: string, from?: string[]) =>
      t.call('POST', '/v1.0/update-scripts', {
        body: {
          version: 'v1',
          'script-ref-id': name,
          model: MODEL,
          ecus: [{ ecu: 'HU', version: '2.0.0', ...(from ? { from } : {}), artifact }],
        },
      });
    const large = Array.from({ length: 500 }, (_, n) => `1.0.${n}`);
    expect((await publish('large', large)).body).toMatchObject({ errorCode: 'QUOTA_EXCEEDED' });
    expect((await publish('a')).status).toBe(201);
    expect((await publish('b')).status).toBe(201);
    expect((await publish('c')).body).toMatchObject({ errorCode: 'QUOTA_EXCEEDED' });
    // Publishing the same one again does not count.
    expect((await publish('b')).status).toBe(200);
    expect((await t.call('DELETE', '/v1.0/update-scripts/a')).status).toBe(204);
    expect((await publish('c')).status).toBe(201);
  });
});

describe('Deletion', () => {
  let t: TestCarota;
  beforeAll(async () => {
    t = await startWith({});
    await t.call('PUT', `/v1.0/vehicles/${vinOf(1)}`, { body: { model: MODEL } });
  });
  afterAll(() => t.stop());
  const remove = (path: string) => t.call('DELETE', path);

  test('frees the bytes, and makes the URL invalid', async () => {
    const { sha256, url } = await t.upload(Buffer.from('to be deleted'));
    const file = join(t.dataDir, 'artifacts', sha256.slice(0, 2), sha256);
    expect(existsSync(file)).toBe(true);
    expect((await remove(`/v1.0/artifacts/${sha256}`)).status).toBe(204);
    expect(existsSync(file)).toBe(false);
    expect((await fetch(new URL(url, t.carota.httpUrl))).status).toBe(404);
    expect((await remove(`/v1.0/artifacts/${sha256}`)).body.errorCode).toBe('ARTIFACT_NOT_FOUND');
    // The same bytes can be uploaded again.
    expect((await t.upload(Buffer.from('to be deleted'))).sha256).toBe(sha256);
    expect(existsSync(file)).toBe(true);
    // The entry of the refused attempt is written separately, and may or may not be there yet.
    const done = `/v1.0/audit?action=delete-artifact&subject=${sha256}&outcome=done`;
    const { body } = await t.call('GET', done);
    expect(body.items).toMatchObject([{ outcome: 'done', detail: { name: 'test', size: 13 } }]);
  });

  test('is refused while an artifact or script is in use, and the answer names the user', async () => {
    await t.publish('used', '4.0.0');
    const artifact = sha256Of(Buffer.from('software 4.0.0'));
    const answer = await remove(`/v1.0/artifacts/${artifact}`);
    expect(answer).toMatchObject({ status: 409, body: { errorCode: 'IN_USE' } });
    expect(answer.body.errorMessage).toContain('the update script used');
    const planned = await t.call('POST', '/v1.0/schedules', {
      body: {
        'ref-id': 'uses it',
        'script-ref-id': 'used',
        model: MODEL,
        vins: [vinOf(1)],
        start: '2090-01-01T00:00:00Z',
      },
    });
    expect(planned.status).toBe(201);
    const script = await remove('/v1.0/update-scripts/used');
    expect(script).toMatchObject({ status: 409, body: { errorCode: 'IN_USE' } });
    expect(script.body.errorMessage).toContain('the schedule uses it');
    expect((await remove('/v1.0/update-scripts/unknown')).body.errorCode).toBe('SCRIPT_NOT_FOUND');
    await t.publish('unused', '5.0.0');
    expect((await remove('/v1.0/update-scripts/unused')).status).toBe(204);
    expect(
      (await remove(`/v1.0/artifacts/${sha256Of(Buffer.from('software 5.0.0'))}`)).status,
    ).toBe(204);
  });

  test('is refused while the image repository lists it', async () => {
    const bytes = Buffer.from('a target');
    const path = '/v1.0/artifacts?hardwareIds=hw&releaseCounter=1&path=hu/image.bin';
    expect((await t.call('POST', path, { headers: OCTETS, body: bytes })).status).toBe(201);
    const answer = await remove(`/v1.0/artifacts/${sha256Of(bytes)}`);
    expect(answer).toMatchObject({ status: 409, body: { errorCode: 'IN_USE' } });
    expect(answer.body.errorMessage).toContain('the target hu/image.bin');
    // Once replaced, it is no longer listed.
    const next = path.replace('releaseCounter=1', 'releaseCounter=2');
    expect(
      (await t.call('POST', next, { headers: OCTETS, body: Buffer.from('newer') })).status,
    ).toBe(201);
    const image = `${t.carota.httpUrl}/uptane/image/targets/hu/${sha256Of(bytes)}.image.bin`;
    expect((await fetch(image)).status).toBe(200);
    expect((await remove(`/v1.0/artifacts/${sha256Of(bytes)}`)).status).toBe(204);
    expect((await fetch(image)).status).toBe(404);
  });

  test('of a script is refused while the image repository lists it', async () => {
    const { sha256, md5, size } = await t.upload(Buffer.from('software of a target'));
    const answer = await t.call('POST', '/v1.0/update-scripts?hardwareIds=hw&releaseCounter=1', {
      body: {
        version: 'v1',
        'script-ref-id': 'listed',
        model: MODEL,
        ecus: [{ ecu: 'HU', version: '7.0.0', artifact: { sha256, md5, size } }],
      },
    });
    expect(answer).toMatchObject({ status: 201, body: { target: { state: 'published' } } });
    const refused = await remove('/v1.0/update-scripts/listed');
    expect(refused).toMatchObject({ status: 409, body: { errorCode: 'IN_USE' } });
    expect(refused.body.errorMessage).toContain('the target scripts/listed.json');
    const file = await remove(`/v1.0/artifacts/${answer.body.sha256}`);
    expect(file.body.errorMessage).toContain('the target scripts/listed.json');
  });

  test('works by command, which also shows the room that is left', async () => {
    const { sha256 } = await t.upload(Buffer.from('for the command'));
    const at = ['--url', t.carota.httpUrl, '--token', t.token];
    const listed = await runCommand(['artifacts', 'list', ...at]);
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringContaining(sha256) as string });
    expect((await runCommand(['artifacts', 'delete', sha256, ...at])).code).toBe(0);
    const again = await runCommand(['artifacts', 'delete', sha256, ...at]);
    expect(again).toMatchObject({ code: 3, output: expect.stringContaining(sha256) as string });
    await t.publish('by command', '6.0.0');
    const scripts = await runCommand(['scripts', 'list', ...at]);
    expect(scripts.stdout).toContain('by command');
    const used = await runCommand(['scripts', 'delete', 'used', ...at]);
    expect(used).toMatchObject({ code: 3, output: expect.stringContaining('uses it') as string });
    expect((await runCommand(['scripts', 'delete', 'by command', ...at])).code).toBe(0);
    const room = await runCommand(['artifacts', 'room', '--json', ...at]);
    expect(JSON.parse(room.stdout)).toEqual(await storage(t));
  });

  test('needs the permission of a planner', async () => {
    const { sha256 } = await t.upload(Buffer.from('kept'));
    for (const [role, more] of [
      ['viewer', {}],
      ['supplier', {}],
      ['vehicle', { vin: vinOf(1) }],
    ] as const) {
      const body = { name: role, role, ...more };
      const { token } = (await t.call('POST', '/v1.0/tokens', { body })).body;
      const answer = await t.call('DELETE', `/v1.0/artifacts/${sha256}`, { token });
      expect(answer.status, role).toBe(403);
    }
    expect((await t.call('GET', `/v1.0/artifacts/${sha256}`)).status).toBe(200);
  });

  test('leaves no row without its bytes while the same bytes are uploaded again and again', async () => {
    const bytes = Buffer.alloc(200_000, 9);
    const path = `/v1.0/artifacts/${sha256Of(bytes)}`;
    const uploads = byDepth({ quick: 3, full: 20 });
    const deleting = Array.from({ length: uploads }, async () => {
      for (let n = 0; n < 5; n++) expect([204, 404, 409]).toContain((await remove(path)).status);
    });
    const uploading = [1, 2].map(async () => {
      for (let n = 0; n < uploads; n++)
        expect([201, 400]).toContain((await upload(t, bytes)).status);
    });
    await Promise.all([...deleting, ...uploading]);
    expect((await upload(t, bytes)).status).toBe(201);
    const { body } = await t.call('GET', path);
    const content = await fetch(new URL(String(body.url), t.carota.httpUrl));
    expect(sha256Of(Buffer.from(await content.arrayBuffer()))).toBe(sha256Of(bytes));
  });
});

describe('Two servers on one database and one data directory', () => {
  test.runIf(isTurn())('the second one leaves the first one’s uploads alone', async () => {
    const { url, drop } = await newDatabase(CAROTA_SCHEMA);
    const dataDir = temporaryDirectory('shared');
    const first = await startWith({}, { databaseUrl: url, dataDir });
    const { socket } = await startUpload(first, `content-length: 8`);
    socket.write('half');
    const incoming = join(dataDir, 'incoming');
    await eventually(
      async () => filesBelow(incoming),
      (files) => files.length === 1,
    );
    const second = await startWith({}, { databaseUrl: url, dataDir, tokenOf: first.token });
    socket.write('done');
    await eventually(
      async () =>
        (await second.call('GET', `/v1.0/artifacts/${sha256Of(Buffer.from('halfdone'))}`)).status,
      (status) => status === 200,
    );
    socket.destroy();
    await second.stop(true);
    await first.stop(true);
    expect(filesBelow(incoming)).toEqual([]);
    expect(filesBelow(join(dataDir, 'incoming-owners'))).toEqual([]);
    await drop();
  });

  test.runIf(isTurn())(
    'the remains of a killed server count until the next start removes them',
    async () => {
      const { url, drop } = await newDatabase(CAROTA_SCHEMA);
      const dataDir = temporaryDirectory('killed');
      const first = await startWith({}, { databaseUrl: url, dataDir });
      const token = first.token;
      await first.stop(true);
      // What a kill leaves: part of an upload, bytes that were stored but not recorded, their rows, a lock that nobody
      // holds.
      const owner = '3f0c2d4e-5f01-4c3e-9c1b-6a3f0c2d4e5f';
      const stored = 'a'.repeat(64);
      mkdirSync(join(dataDir, 'artifacts', 'aa'), { recursive: true });
      writeFileSync(join(dataDir, 'artifacts', 'aa', stored), 'bytes');
      mkdirSync(join(dataDir, 'incoming-owners'), { recursive: true });
      writeFileSync(join(dataDir, 'incoming-owners', `${owner}.lock`), '');
      writeFileSync(join(dataDir, 'incoming', `${owner}.x`), 'part');
      const database = openPostgres({ url });
      await database.query(
        `insert into uploads (id, owner, token, bytes, sha256, seen_at)
       values (gen_random_uuid(), $1, 't', 100, null, now()), (gen_random_uuid(), $1, 't', 5, $2, now())`,
        [owner, stored],
      );
      // Of a server on another machine, which may still be uploading.
      await database.query(
        `insert into uploads (id, owner, token, bytes, seen_at) values (gen_random_uuid(), gen_random_uuid(), 't', 7, now())`,
      );
      const second = await startWith({}, { databaseUrl: url, dataDir, tokenOf: token });
      expect((await storage(second)).artifacts).toMatchObject({ number: 1, bytes: 7 });
      expect(filesBelow(join(dataDir, 'incoming'))).toEqual([]);
      expect(existsSync(join(dataDir, 'artifacts', 'aa', stored))).toBe(false);
      await second.stop(true);
      await database.close();
      await drop();
    },
  );
});
