/** The published image repository in a bucket, as a CDN serves it: its files and cache headers. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import S3rver from 's3rver';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { takingTurns } from '../support/depth.js';
import {
  DiskStore,
  openS3Objects,
  type PublishedObjects,
} from '../../src/carota/artifacts/index.js';
import { Mirror } from '../../src/carota/image-repository/mirror.js';
import { changeKeys } from '../../src/uptane/repository/changes.js';
import { RepositoryClient } from '../../src/uptane/repository-client.js';
import { IMAGE_REPOSITORY } from '../../src/uptane/rules.js';
import { HttpFetcher } from '../../src/uptane/transfer/http-fetcher.js';
import { imagePath } from '../../src/uptane/urls.js';
import { runCommand } from '../support/run-command.js';
import { freePort, temporaryDirectory } from '../support/servers.js';
import { makeSigner, TestCeremony, TestClient } from '../uptane/repository/support.js';
import { MemoryStore } from '../uptane/support/memory.js';
import { must } from '../uptane/support/must.js';
import { type AdapterDouble, startAdapterDouble, startTestCarota } from './support/test-carota.js';

/** Tests with siblings on the same subject take turns. */
const isTurn = takingTurns(2);

const BUCKET = 'published';
let s3: S3rver;
let s3Url: string;
let client: S3Client;
let cdn: Server;
let cdnUrl: string;
let cdnBucket = BUCKET;
let adapter: AdapterDouble;
/** Cache-Control of what the CDN has served, by path. */
const served = new Map<string, string>();

beforeAll(async () => {
  process.env.AWS_ACCESS_KEY_ID = 'S3RVER';
  process.env.AWS_SECRET_ACCESS_KEY = 'S3RVER';
  const port = await freePort();
  s3 = new S3rver({
    port,
    address: '127.0.0.1',
    silent: true,
    directory: temporaryDirectory('s3'),
    configureBuckets: [
      { name: BUCKET, configs: [] },
      { name: 'artifacts', configs: [] },
      { name: 'cut', configs: [] },
      { name: 'lost', configs: [] },
    ],
  });
  await s3.run();
  s3Url = `http://127.0.0.1:${port}`;
  client = new S3Client({ endpoint: s3Url, region: 'us-east-1', forcePathStyle: true });
  // Reads the bucket with its own credentials, as a CDN does.
  cdn = createServer((request, response) => {
    const Key = decodeURIComponent((request.url ?? '').slice(1));
    client.send(new GetObjectCommand({ Bucket: cdnBucket, Key })).then(
      async ({ Body, CacheControl = '' }) => {
        served.set(Key, CacheControl);
        response.end(await Body?.transformToByteArray());
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => cdn.listen(0, '127.0.0.1', resolve));
  cdnUrl = `http://127.0.0.1:${(cdn.address() as AddressInfo).port}`;
  adapter = await startAdapterDouble();
});
afterAll(async () => {
  await adapter.stop();
  cdn.closeAllConnections();
  cdn.close();
  client.destroy();
  await s3.close();
});

class CdnVehicle {
  readonly #store = new MemoryStore();

  constructor(root: Uint8Array) {
    this.#store.write('root', root);
  }

  /** Content of an image, fetched only from the CDN. @throws Refusal */
  async fetch(path: string): Promise<string | undefined> {
    const repository = new RepositoryClient({
      name: 'image',
      rules: IMAGE_REPOSITORY,
      fetcher: new HttpFetcher(new URL(`${cdnUrl}/metadata`)),
      store: this.#store,
      now: new Date(),
    });
    await repository.updateRoot();
    await repository.updateTimestamp();
    await repository.updateSnapshot();
    await repository.updateTargets();
    const found = await repository.findImage({ path, hardwareId: 'hw-a' });
    if (!found) return undefined;
    const answer = await fetch(`${cdnUrl}/targets/${imagePath(found.target)}`);
    return answer.ok ? answer.text() : undefined;
  }
}

test('published files are in the bucket at once, also with artifacts on S3', async () => {
  const t = await startTestCarota(adapter.url, {
    s3Url,
    s3Bucket: 'artifacts',
    imageBucket: BUCKET,
  });
  try {
    const upload = (content: string, query: string) =>
      t.call('POST', `/v1.0/artifacts?hardwareIds=hw-a&${query}`, {
        headers: { 'content-type': 'application/octet-stream' },
        body: Buffer.from(content),
      });
    const vehicle = new CdnVehicle(readFileSync(must(t.carota.imageRootFile)));
    await upload('brakes 1', 'path=brakes/fw%20%C3%BC%251.bin&releaseCounter=1');
    expect(await vehicle.fetch('brakes/fw ü%1.bin')).toBe('brakes 1');
    await upload('brakes 2', 'path=brakes/fw%20%C3%BC%251.bin&releaseCounter=2');
    expect(await vehicle.fetch('brakes/fw ü%1.bin')).toBe('brakes 2');
    for (const [key, cacheControl] of served) {
      const isTimestamp = key === 'metadata/timestamp.json';
      expect(cacheControl).toBe(
        isTimestamp ? 'public, max-age=30' : 'public, max-age=31536000, immutable',
      );
    }
    expect([...served.keys()].some((key) => key.startsWith('targets/brakes/'))).toBe(true);
  } finally {
    await t.stop();
  }
});

test.runIf(isTurn())('the server does not start with a bucket name but no S3 store', async () => {
  await expect(startTestCarota(adapter.url, { imageBucket: BUCKET })).rejects.toThrow(
    '--image-bucket needs --s3-url',
  );
});

test('after a copy is cut between any two objects, vehicles accept what is there, and the next copy finishes it', async () => {
  const ceremony = new TestCeremony();
  ceremony.now = new Date();
  await ceremony.established();
  await ceremony.addImage('a.bin', 'a 1');
  await ceremony.sign(...ceremony.targets.slice(0, 2));
  await ceremony.publish();
  const objects = await openS3Objects({ s3Url, s3Bucket: 'cut', s3Region: 'us-east-1' });
  const store = new DiskStore(temporaryDirectory('none'));
  // This server has no artifacts: people published the images.
  const database = { query: () => Promise.resolve([]), script: () => Promise.resolve() };
  let left = Infinity;
  const dying: PublishedObjects = {
    list: () => objects.list(),
    async put(...put) {
      if (left-- <= 0) throw new Error('the connection broke');
      await objects.put(...put);
    },
  };
  /** Each time as a new process. */
  const copy = async () => {
    const mirror = new Mirror({ folder: ceremony.folder, database, store, objects: dying });
    await mirror.copyImages();
    await mirror.copyMetadata();
  };
  const bucket = async (path: string) => {
    try {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: 'cut', Key: path }));
      return await Body?.transformToByteArray();
    } catch {
      return undefined;
    }
  };
  async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  const parked = TestClient.ofFolder(ceremony.folder);
  const find = async () => {
    const repository = new RepositoryClient({
      name: 'image',
      rules: IMAGE_REPOSITORY,
      fetcher: {
        fetch: async (name) => {
          const bytes = await bucket(`metadata/${name}`);
          return bytes && pieces(bytes);
        },
      },
      store: parked.store,
      now: new Date(),
    });
    await repository.updateRoot();
    await repository.updateTimestamp();
    await repository.updateSnapshot();
    await repository.updateTargets();
    const found = await repository.findImage({ path: 'a.bin', hardwareId: 'hw-a' });
    const image = found && (await bucket(`targets/${imagePath(found.target)}`));
    return image && Buffer.from(image).toString();
  };
  await copy();
  expect(await find()).toBe('a 1');
  // A new image and a new timestamp key at once; the old one signs a last time.
  const next = makeSigner();
  await ceremony.addImage('a.bin', 'a 2', 2);
  await ceremony.propose(
    changeKeys('timestamp', { remove: [ceremony.timestamp.keyId], add: [next.key] }),
  );
  await ceremony.sign(...ceremony.root.slice(0, 2), ...ceremony.targets.slice(0, 2));
  await ceremony.repository.publish([...ceremony.online, next], ceremony.now);
  for (let operations = 0; ; operations++) {
    left = operations;
    const isDone = await copy().then(
      () => true,
      () => false,
    );
    expect(['a 1', 'a 2']).toContain(await find());
    if (isDone) break;
  }
  expect(await find()).toBe('a 2');
  expect(must(await bucket('metadata/2.root.json'))).toEqual(
    new Uint8Array(readFileSync(join(ceremony.folder, 'metadata', '2.root.json'))),
  );
});

test.runIf(isTurn())(
  'a lost folder is restored from the CDN, even after an interrupted copy, and can publish again',
  async () => {
    cdnBucket = 'lost';
    const ceremony = new TestCeremony();
    ceremony.now = new Date();
    await ceremony.established();
    const publish = async (content: string, counter: number) => {
      await ceremony.addImage('a.bin', content, counter);
      await ceremony.sign(...ceremony.targets.slice(0, 2));
      await ceremony.publish();
    };
    const objects = await openS3Objects({ s3Url, s3Bucket: 'lost', s3Region: 'us-east-1' });
    let isTimestampTaken = true;
    const copy = async () => {
      const mirror = new Mirror({
        folder: ceremony.folder,
        database: { query: () => Promise.resolve([]), script: () => Promise.resolve() },
        store: new DiskStore(temporaryDirectory('none')),
        objects: {
          list: () => objects.list(),
          async put(key, ...rest) {
            if (key === 'metadata/timestamp.json' && !isTimestampTaken) throw new Error('cut');
            await objects.put(key, ...rest);
          },
        },
      });
      await mirror.copyImages();
      await mirror.copyMetadata();
    };
    await publish('a 1', 1);
    await copy();
    const root = readFileSync(join(ceremony.folder, 'metadata', '1.root.json'));
    const vehicle = new CdnVehicle(root);
    expect(await vehicle.fetch('a.bin')).toBe('a 1');
    // This version never becomes current: its targets and snapshot are in the bucket, but not its timestamp.
    await publish('a 2', 2);
    isTimestampTaken = false;
    await expect(copy()).rejects.toThrow('cut');
    isTimestampTaken = true;
    rmSync(ceremony.folder, { recursive: true });

    ceremony.folder = join(temporaryDirectory('restored'), 'repo');
    const rootFile = join(temporaryDirectory('provisioned'), 'root.json');
    writeFileSync(rootFile, root);
    const args = ['repository', 'fetch', ceremony.folder, '--from', cdnUrl, '--root', rootFile];
    const fetched = await runCommand([...args, '--images']);
    expect([fetched.code, fetched.output]).toEqual([0, expect.stringContaining('a.bin')]);
    const targets = join(ceremony.folder, 'targets');
    const contents = () =>
      readdirSync(targets).map((name) => readFileSync(join(targets, name), 'utf8'));
    expect(new Set(contents())).toEqual(new Set(['a 1']));
    expect(await vehicle.fetch('a.bin')).toBe('a 1');

    // Damaged on disk: fetched again. Forged in the bucket: refused, and not written.
    const [name = ''] = readdirSync(targets);
    writeFileSync(join(targets, name), 'a 9');
    expect((await runCommand([...args, '--images'])).output).toContain(`Fetched targets/${name}`);
    expect(new Set(contents())).toEqual(new Set(['a 1']));
    const listed = [...served.keys()].filter((key) => key.endsWith('.a.bin'));
    for (const Key of listed) {
      await client.send(new PutObjectCommand({ Bucket: 'lost', Key, Body: 'a 8' }));
    }
    rmSync(join(targets, name));
    const forged = await runCommand([...args, '--images']);
    expect([forged.code, forged.output]).toEqual([1, expect.stringContaining('hash')]);
    expect(existsSync(join(targets, name))).toBe(false);
    for (const Key of listed) {
      await client.send(new PutObjectCommand({ Bucket: 'lost', Key, Body: 'a 1' }));
    }

    await runCommand([...args, '--images']);
    await publish('a 3', 3);
    await copy();
    expect(await vehicle.fetch('a.bin')).toBe('a 3');
  },
);
