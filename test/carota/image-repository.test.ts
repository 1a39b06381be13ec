/** The image repository as the CarOTA Server serves it, seen by the vehicles' own verification. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { downloadImage } from '../../src/uptane/image-download.js';
import { SLOWEST } from '../../src/uptane/limits.js';
import { RepositoryClient } from '../../src/uptane/repository-client.js';
import { proposedImage } from '../../src/uptane/repository/index.js';
import { IMAGE_REPOSITORY } from '../../src/uptane/rules.js';
import { SignerServer } from '../../src/uptane/signing/process/signer-server.js';
import { HttpFetcher } from '../../src/uptane/transfer/http-fetcher.js';
import { imagePath } from '../../src/uptane/urls.js';
import { eventually } from '../support/adapter.js';
import { temporaryDirectory } from '../support/servers.js';
import { TestCeremony } from '../uptane/repository/support.js';
import { MemoryStore } from '../uptane/support/memory.js';
import { must } from '../uptane/support/must.js';
import {
  type AdapterDouble,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from './support/test-carota.js';

let adapter: AdapterDouble;
beforeAll(async () => {
  adapter = await startAdapterDouble();
});
afterAll(() => adapter.stop());

class Vehicle {
  readonly #store = new MemoryStore();
  readonly #base: string;

  constructor(url: string, root: Uint8Array) {
    this.#base = `${url}/uptane/image`;
    this.#store.write('root', root);
  }

  /** The content of an image, fetched and verified. @throws Refusal */
  async fetch(path: string): Promise<string | undefined> {
    const client = new RepositoryClient({
      name: 'image',
      rules: IMAGE_REPOSITORY,
      fetcher: new HttpFetcher(new URL(`${this.#base}/metadata`)),
      store: this.#store,
      now: new Date(),
    });
    await client.updateRoot();
    await client.updateTimestamp();
    await client.updateSnapshot();
    await client.updateTargets();
    const found = await client.findImage({ path, hardwareId: 'hw-a' });
    if (found === undefined) return undefined;
    const file = join(temporaryDirectory('image'), 'image');
    const subject = { repository: 'image', role: path };
    const { target } = found;
    await downloadImage(
      {
        fetcher: new HttpFetcher(new URL(`${this.#base}/targets`)),
        url: imagePath(target),
        target,
        subject,
        rate: SLOWEST,
      },
      file,
    );
    return readFileSync(file, 'utf8');
  }
}

const OCTETS = { 'content-type': 'application/octet-stream' };
const upload = (t: TestCarota, content: string, query: string) =>
  t.call('POST', `/v1.0/artifacts?${query}`, { headers: OCTETS, body: Buffer.from(content) });

describe('with its own trial keys', () => {
  let t: TestCarota;
  let vehicle: Vehicle;
  beforeAll(async () => {
    t = await startTestCarota(adapter.url);
    vehicle = new Vehicle(t.carota.httpUrl, readFileSync(must(t.carota.imageRootFile)));
  });
  afterAll(() => t.stop());

  test('an uploaded artifact becomes a target that vehicles fetch', async () => {
    const { status, body } = await upload(
      t,
      'brakes 1',
      'path=brakes/fw%20%C3%BC%251.bin&hardwareIds=hw-a,hw-b&releaseCounter=1',
    );
    expect(status).toBe(201);
    expect(body.target).toEqual({ path: 'brakes/fw ü%1.bin', state: 'published' });
    expect(await vehicle.fetch('brakes/fw ü%1.bin')).toBe('brakes 1');
  });

  test('without a path an artifact is a target named by its digest; without hardware it is no target', async () => {
    const { body } = await upload(t, 'radio', 'hardwareIds=hw-a&releaseCounter=0');
    expect(body.target.path).toBe(`artifacts/${body.sha256}`);
    expect(await vehicle.fetch(body.target.path)).toBe('radio');
    const none = await upload(t, 'no target', '');
    expect(none.body.target).toBeUndefined();
    expect(await vehicle.fetch(`artifacts/${none.body.sha256}`)).toBeUndefined();
  });

  test('an update script becomes a target', async () => {
    const { sha256, md5, size } = await t.upload(Buffer.from('hu'));
    const script = {
      version: 'v1',
      'script-ref-id': 'hu only 001',
      model: MODEL,
      ecus: [{ ecu: 'HU', version: '1.1.0', artifact: { sha256, md5, size } }],
    };
    const publish = () =>
      t.call('POST', '/v1.0/update-scripts?hardwareIds=hw-a&releaseCounter=3', { body: script });
    expect((await publish()).body.target).toEqual({
      path: 'scripts/hu only 001.json',
      state: 'published',
    });
    expect((await publish()).status).toBe(200);
    const fetched = JSON.parse(must(await vehicle.fetch('scripts/hu only 001.json')));
    expect(fetched).toEqual(script);
  });

  test('an upload is refused if its release counter goes back, or if it cannot be a target', async () => {
    await upload(t, 'v5', 'path=ecu.bin&hardwareIds=hw-a&releaseCounter=5');
    const back = await upload(t, 'v4', 'path=ecu.bin&hardwareIds=hw-a&releaseCounter=4');
    expect([back.status, back.body.errorCode]).toEqual([409, 'TARGET_REFUSED']);
    expect(back.body.errorMessage).toContain('the release counter 4 is lower than 5');
    expect(await vehicle.fetch('ecu.bin')).toBe('v5');
    const path = await upload(t, 'x', 'path=../x&hardwareIds=hw-a&releaseCounter=1');
    expect(path.body.errorMessage).toContain('cannot be the path of a target');
    // It would take the place of an approved script.
    const script = await upload(t, 'x', 'path=scripts/s.json&hardwareIds=hw-a&releaseCounter=9');
    expect([script.status, script.body.errorCode]).toEqual([409, 'TARGET_REFUSED']);
    const alone = await upload(t, 'x', 'hardwareIds=hw-a');
    expect(alone.body.errors).toEqual([
      { path: '/releaseCounter', message: 'is needed where hardware ids are given' },
    ]);
    const empty = await upload(t, 'x', 'hardwareIds=hw-a,,hw-b&releaseCounter=1');
    expect(empty.status).toBe(400);
  });

  test('uploads at the same time all become targets', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `many/${index}.bin`);
    const answers = await Promise.all(
      names.map((name) => upload(t, name, `path=${name}&hardwareIds=hw-a&releaseCounter=1`)),
    );
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 201));
    for (const name of names) expect(await vehicle.fetch(name)).toBe(name);
  });

  test('an image is served under each of its hashes, also in ranges; nothing else is served', async () => {
    const { body } = await upload(
      t,
      '0123456789',
      'path=r/a.bin&hardwareIds=hw-a&releaseCounter=1',
    );
    const get = (path: string, headers = {}) =>
      fetch(`${t.carota.httpUrl}/uptane/image/targets/${path}`, { headers });
    const part = await get(`r/${body.sha256}.a.bin`, { range: 'bytes=2-4' });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      'bytes 2-4/10',
      '234',
    ]);
    const past = await get(`r/${body.sha256}.a.bin`, { range: 'bytes=10-' });
    expect(past.status).toBe(416);
    const head = await fetch(`${t.carota.httpUrl}/uptane/image/targets/r/${body.sha256}.a.bin`, {
      method: 'HEAD',
    });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '10']);
    for (const path of [
      `r/${body.sha256}.b.bin`,
      `${body.sha256}.a.bin`,
      'r/a.bin',
      `r%2F${body.sha256}.a.bin`,
      `..%2F..%2F${body.sha256}.a.bin`,
      `%2e%2e/%2e%2e/token`,
      `r/${body.sha256}.%ff`,
      `r/${body.sha256}.%00`,
      '',
    ]) {
      expect([400, 404], path).toContain((await get(path)).status);
    }
    for (const file of ['2.root.json', '..%2Frepository.json', 'root.json', '0.root.json']) {
      const url = `${t.carota.httpUrl}/uptane/image/metadata/${file}`;
      expect([400, 404], file).toContain((await fetch(url)).status);
    }
  });

  test('nothing is deleted while the repository’s list cannot be read', async () => {
    const { body } = await upload(t, 'kept', 'path=kept.bin&hardwareIds=hw-a&releaseCounter=1');
    await t.publish('kept');
    const metadata = join(t.dataDir, 'image-repository', 'metadata');
    const targets = readdirSync(metadata).filter((name) => /^\d+\.targets\.json$/.test(name));
    for (const name of targets) renameSync(join(metadata, name), join(t.dataDir, name));
    const [artifact, script] = [`/v1.0/artifacts/${body.sha256}`, '/v1.0/update-scripts/kept'];
    for (const path of [artifact, script]) {
      const answer = await t.call('DELETE', path);
      expect([answer.status, answer.body.errorCode]).toEqual([503, 'REPOSITORY_UNAVAILABLE']);
      expect(answer.body.errorMessage).toContain('targets.json, but the file is not there');
      expect((await t.call('GET', path)).status).toBe(200);
    }
    for (const name of targets) renameSync(join(t.dataDir, name), join(metadata, name));
    expect((await t.call('DELETE', artifact)).body.errorCode).toBe('IN_USE');
    expect((await t.call('DELETE', script)).status).toBe(204);
  });

  test('an artifact whose copies cannot be removed stays, and can be deleted later', async () => {
    const { sha256 } = await t.upload(Buffer.from('its copy resists'));
    const copy = join(t.dataDir, 'image-repository', proposedImage(sha256));
    mkdirSync(copy, { recursive: true });
    const path = `/v1.0/artifacts/${sha256}`;
    expect((await t.call('DELETE', path)).status).toBe(500);
    expect((await t.call('GET', path)).status).toBe(200);
    rmdirSync(copy);
    mkdirSync(dirname(copy), { recursive: true });
    writeFileSync(copy, 'its copy resists');
    expect((await t.call('DELETE', path)).status).toBe(204);
    expect(existsSync(copy)).toBe(false);
  });

  test('people see the repository, and metrics show when it expires', async () => {
    const { body } = await t.call('GET', '/v1.0/image-repository');
    expect(body.published.map(({ role }: { role: string }) => role)).toEqual([
      'root',
      'timestamp',
      'snapshot',
      'targets',
    ]);
    expect([body.proposed, body.attention]).toEqual([[], []]);
    const expires = /otaops_carota_image_metadata_expires_timestamp_seconds\{role="root"\} \d/;
    await eventually(
      async () => String((await t.call('GET', '/metrics')).body),
      (metrics) => expires.test(metrics),
    );
  });

  test('after a restart, the repository keeps its keys', async () => {
    const { dataDir, databaseUrl, token } = t;
    await t.stop(true);
    t = await startTestCarota(adapter.url, { dataDir, databaseUrl, tokenOf: token });
    await upload(t, 'later', 'path=later.bin&hardwareIds=hw-a&releaseCounter=1');
    const parked = new Vehicle(t.carota.httpUrl, readFileSync(must(t.carota.imageRootFile)));
    expect(await parked.fetch('later.bin')).toBe('later');
    expect(await parked.fetch('brakes/fw ü%1.bin')).toBe('brakes 1');
  });
});

describe('with offline keys', () => {
  test('an upload is proposed; people sign and publish it; the signer process keeps it fresh', async () => {
    const ceremony = new TestCeremony();
    ceremony.now = new Date();
    await ceremony.established();
    const socketPath = join(temporaryDirectory('signer'), 'socket');
    const signer = new SignerServer({
      socketPath,
      keys: [
        { signer: ceremony.snapshot, roles: ['snapshot'] },
        { signer: ceremony.timestamp, roles: ['timestamp'] },
      ],
      longestDays: 30,
    });
    await signer.start();
    // The timestamp is in the last quarter of its life.
    ceremony.now = new Date(Date.now() - 20 * 60 * 60 * 1000);
    await ceremony.repository.refresh(ceremony.online, ceremony.now);
    const before = await ceremony.repository.status(new Date());
    const t = await startTestCarota(adapter.url, {
      imageRepositoryDir: ceremony.folder,
      imageSigner: socketPath,
    });
    try {
      const versionOf = (status: typeof before) =>
        status.published.find(({ role }) => role === 'timestamp')?.version ?? 0;
      await eventually(
        async () => versionOf(await ceremony.repository.status(new Date())),
        (version) => version === versionOf(before) + 1,
      );
      expect(t.carota.imageRootFile).toBeUndefined();
      const { body } = await upload(t, 'fw', 'path=a.bin&hardwareIds=hw-a&releaseCounter=1');
      expect(body.target).toEqual({ path: 'a.bin', state: 'proposed' });
      const root = readFileSync(join(ceremony.folder, 'metadata', '1.root.json'));
      const vehicle = new Vehicle(t.carota.httpUrl, root);
      expect(await vehicle.fetch('a.bin')).toBeUndefined();
      const { body: shown } = await t.call('GET', '/v1.0/image-repository');
      expect(shown.proposed[0]).toMatchObject({ role: 'targets', signatures: [{ missing: 2 }] });
      expect(shown.difference.join('\n')).toContain('  + a.bin  2 bytes, release counter 1');
      ceremony.now = new Date();
      await ceremony.sign(ceremony.targets[0], ceremony.targets[1]);
      await ceremony.publish();
      expect(await vehicle.fetch('a.bin')).toBe('fw');
    } finally {
      await t.stop();
      await signer.stop();
    }
  });
});

test('with image access for vehicles, images need their token; the metadata does not', async () => {
  const t = await startTestCarota(adapter.url, { imageAccess: 'vehicles' });
  try {
    const { body } = await upload(t, 'secret', 'path=a.bin&hardwareIds=hw-a&releaseCounter=1');
    const path = `/uptane/image/targets/${body.sha256}.a.bin`;
    const token = async (role: string) =>
      (await t.call('POST', '/v1.0/tokens', { body: { name: role, role } })).body.token;
    const status = async (token: string | null, method = 'GET') =>
      (await t.call(method, path, { token })).status;
    expect(await status(null)).toBe(401);
    expect(await status('otaops_wrong', 'HEAD')).toBe(401);
    expect(await status(await token('viewer'))).toBe(403);
    expect(await status(await token('supplier'))).toBe(403);
    expect(await status(await token('vehicle'))).toBe(200);
    const metadata = await fetch(`${t.carota.httpUrl}/uptane/image/metadata/timestamp.json`);
    expect(metadata.status).toBe(200);
  } finally {
    await t.stop();
  }
});
