/** Artifacts and update scripts over HTTP: upload, content addresses, ranges, signatures; on disk and in S3. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import S3rver from 's3rver';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { DiskStore, isSigned, signedPath } from '../../src/carota/artifacts/index.js';
import { type CarotaSettings } from '../../src/carota/index.js';
import { httpClient } from '../support/adapter.js';
import { byDepth, isFullDepth, takingTurns } from '../support/depth.js';
import { vinOf } from '../support/messages.js';
import { freePort, temporaryDirectory } from '../support/servers.js';
import {
  type AdapterDouble,
  MODEL,
  SECRET,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from './support/test-carota.js';

const BUCKET = 'artifacts';
/** For slow tests. */
const isTurn = takingTurns(4);

interface Store {
  readonly name: string;
  start(): Promise<{ settings: Partial<CarotaSettings>; stop: () => Promise<void> }>;
}

const disk: Store = {
  name: 'on disk',
  start: () => Promise.resolve({ settings: {}, stop: () => Promise.resolve() }),
};

const s3: Store = {
  name: 'in an S3-compatible store',
  async start() {
    process.env.AWS_ACCESS_KEY_ID = 'S3RVER';
    process.env.AWS_SECRET_ACCESS_KEY = 'S3RVER';
    const port = await freePort();
    const server = new S3rver({
      port,
      address: '127.0.0.1',
      silent: true,
      directory: temporaryDirectory('s3'),
      configureBuckets: [{ name: BUCKET, configs: [] }],
    });
    await server.run();
    return {
      settings: { s3Url: `http://127.0.0.1:${port}`, s3Bucket: BUCKET },
      stop: () => server.close(),
    };
  },
};

const BYTES = Buffer.from(Array.from({ length: 100_000 }, (_, n) => n % 251));
const sha256 = createHash('sha256').update(BYTES).digest('hex');
const md5 = createHash('md5').update(BYTES).digest('hex');

describe.each([disk, s3])('$name', (store) => {
  let adapter: AdapterDouble;
  let carota: TestCarota;
  let stopStore: () => Promise<void>;
  let url: string;

  beforeAll(async () => {
    adapter = await startAdapterDouble();
    const started = await store.start();
    stopStore = started.stop;
    carota = await startTestCarota(adapter.url, started.settings);
    ({ url } = await carota.upload(BYTES));
  });
  afterAll(async () => {
    await carota.stop();
    await stopStore();
    await adapter.stop();
  });

  const get = (headers: Record<string, string> = {}, path = url, method = 'GET') =>
    fetch(carota.carota.httpUrl + path, { method, headers });
  const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

  test('an upload is addressed by content; the same bytes are the same artifact', async () => {
    expect(await carota.upload(BYTES)).toMatchObject({ sha256, md5, size: BYTES.length });
    const { body } = await carota.call('GET', '/v1.0/artifacts');
    expect(body.items).toHaveLength(1);
    expect(readdirSync(join(carota.dataDir, 'incoming'))).toEqual([]);
  });

  test('a viewer gets no URLs of firmware', async () => {
    const asRole = async (role: string) => {
      const body = { name: `test ${role}`, role };
      const { token } = (await carota.call('POST', '/v1.0/tokens', { body })).body;
      return [
        (await carota.call('GET', `/v1.0/artifacts/${sha256}`, { token })).body,
        ...(await carota.call('GET', '/v1.0/artifacts', { token })).body.items,
      ];
    };
    for (const artifact of await asRole('viewer')) {
      expect(artifact).toMatchObject({ sha256: expect.any(String) as string });
      expect(JSON.stringify(artifact)).not.toMatch(/signature|url/);
    }
    for (const artifact of await asRole('planner')) expect(artifact.url).toContain('signature=');
  });

  test.runIf(store === disk)(
    'a file that is deleted while it is being read is not found',
    async () => {
      const uploaded = await carota.upload(Buffer.from('deleted while it is read'));
      const read = vi.spyOn(DiskStore.prototype, 'read');
      read.mockImplementationOnce(async function (this: DiskStore, digest, range) {
        await carota.call('DELETE', `/v1.0/artifacts/${digest}`);
        return this.read(digest, range);
      });
      const response = await get({ range: 'bytes=2-4' }, uploaded.url);
      read.mockRestore();
      expect([response.status, await response.json()]).toMatchObject([
        404,
        { errorCode: 'ARTIFACT_NOT_FOUND' },
      ]);
      const names = ['etag', 'cache-control', 'content-range', 'accept-ranges'];
      expect(names.filter((name) => response.headers.has(name))).toEqual([]);
    },
  );

  test('GET returns the whole file, with cache headers', async () => {
    const response = await get();
    expect(response.status).toBe(200);
    expect(BYTES.equals(await bytesOf(response))).toBe(true);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      etag: `"${sha256}"`,
      'accept-ranges': 'bytes',
      'content-length': String(BYTES.length),
      'cache-control': 'public, max-age=31536000, immutable',
    });
    expect((await get({ 'if-none-match': `"${sha256}"` })).status).toBe(304);
  });

  // RFC 9110, section 14.2: ranges are defined for GET only.
  test.each([undefined, 'bytes=0-9', 'bytes=100000-'])(
    'HEAD returns the length without content, whatever range is requested: %s',
    async (range) => {
      const response = await get(range === undefined ? {} : { range }, url, 'HEAD');
      expect(response.status).toBe(200);
      expect(response.headers.get('content-length')).toBe(String(BYTES.length));
      expect(response.headers.has('content-range')).toBe(false);
      expect(await response.text()).toBe('');
    },
  );

  test.each([
    ['bytes=0-9', 0, 9],
    ['bytes=99990-', 99_990, 99_999],
    ['bytes=-5', 99_995, 99_999],
    ['bytes=99990-200000', 99_990, 99_999],
  ])('GET returns the range %s', async (range, from, to) => {
    const response = await get({ range, 'if-range': `"${sha256}"` });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes ${from}-${to}/100000`);
    expect(await bytesOf(response)).toEqual(BYTES.subarray(from, to + 1));
  });

  test('a range of another file, several ranges and invalid ranges return the whole file', async () => {
    const whole = [
      { range: 'bytes=5-9', 'if-range': '"another"' },
      { range: 'bytes=0-1,5-6' },
      { range: 'lines=1-2' },
      { range: 'bytes=9-5' },
    ];
    for (const headers of whole) {
      const response = await get(headers);
      expect(response.status).toBe(200);
      expect(BYTES.equals(await bytesOf(response))).toBe(true);
    }
  });

  test('a range beyond the end is refused, with the length', async () => {
    const response = await get({ range: 'bytes=100000-' });
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe('bytes */100000');
  });

  test('a signature has only one valid spelling, although base64url has unused bits', () => {
    const key = [Buffer.alloc(32, 1)];
    const path = signedPath(sha256, key, 0, 60);
    const [, expires = '', signature = ''] = /expires=(\d+)&signature=(.+)$/.exec(path) ?? [];
    const check = (text: string) =>
      isSigned(sha256, { expires: Number(expires), signature: text }, key, 0);
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const same = [...digits].filter((digit) => check(signature.slice(0, -1) + digit));
    expect(same).toEqual([signature.at(-1)]);
  });

  test('during a key change, URLs signed with the old key stay valid, and new URLs are signed with the new key', () => {
    const [first, second] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)] as const;
    const check = (path: string, keys: readonly Buffer[]) => {
      const [, expires = '', signature = ''] = /expires=(\d+)&signature=(.+)$/.exec(path) ?? [];
      return isSigned(sha256, { expires: Number(expires), signature }, keys, 0);
    };
    const before = signedPath(sha256, [first], 0, 60);
    const after = signedPath(sha256, [second, first], 0, 60);
    expect(check(before, [second, first])).toBe(true);
    expect(check(before, [second])).toBe(false);
    expect(check(after, [second])).toBe(true);
    expect(check(after, [first])).toBe(false);
  });

  test('a modified or expired URL is refused', async () => {
    const changed = [
      url.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      url.replace(/expires=\d+/, 'expires=9999999999'),
      signedPath(sha256, [Buffer.alloc(32)], Date.now(), 60),
      url.replace(sha256, '0'.repeat(64)),
      url.split('?')[0] ?? '',
    ];
    for (const path of changed) expect([403, 400]).toContain((await get({}, path)).status);
  });

  test('a damaged upload is refused and leaves nothing behind', async () => {
    const answer = await carota.call('POST', `/v1.0/artifacts?sha256=${'1'.repeat(64)}`, {
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.from('something'),
    });
    expect(answer).toMatchObject({ status: 400, body: { errorCode: 'ARTIFACT_REFUSED' } });
    const empty = await carota.call('POST', '/v1.0/artifacts', {
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.alloc(0),
    });
    expect(empty.status).toBe(400);
    expect((await carota.call('GET', '/v1.0/artifacts')).body.items).toHaveLength(1);
    expect(readdirSync(join(carota.dataDir, 'incoming'))).toEqual([]);
  });

  test.runIf(store === disk ? isTurn() : isFullDepth)(
    'an upload may be larger than a JSON body, as it is streamed',
    async () => {
      // At full depth, longer than any JSON body may be.
      const big = Buffer.alloc(byDepth({ quick: 4, full: 80 }) * 1024 * 1024, 1);
      const { size, url: bigUrl } = await carota.upload(big);
      expect(size).toBe(big.length);
      const response = await get({ range: `bytes=${size - 10}-` }, bigUrl);
      expect(await bytesOf(response)).toEqual(Buffer.alloc(10, 1));
    },
  );
});

describe('a CarOTA Server', () => {
  const SECOND = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
  const FOREIGN = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
  let adapter: AdapterDouble;
  let carota: TestCarota;
  let artifact: object;

  beforeAll(async () => {
    adapter = await startAdapterDouble();
    carota = await startTestCarota(adapter.url, {
      publicUrl: 'https://cdn.example',
      callbackSecrets: [SECRET, SECOND],
    });
    const stored = await carota.upload(BYTES);
    artifact = { sha256: stored.sha256, md5: stored.md5, size: stored.size };
  });
  afterAll(async () => {
    await carota.stop();
    await adapter.stop();
  });

  describe('update scripts', () => {
    const script = (fields: object = {}) => ({
      version: 'v1',
      'script-ref-id': 'hu only 001',
      model: MODEL,
      ecus: [{ ecu: 'HU', version: '1.1.0', artifact }],
      ...fields,
    });
    const publish = (body: object) => carota.call('POST', '/v1.0/update-scripts', { body });

    test('a script is returned as published; a vehicle without a schedule gets no URLs of its artifacts', async () => {
      const published = await publish(script());
      expect(published.status).toBe(201);
      expect(published.body.script).toEqual(script());
      const { body: token } = await carota.call('POST', '/v1.0/tokens', {
        body: { role: 'vehicle', name: 'a vehicle', vin: vinOf(1) },
      });
      const vehicle = httpClient(carota.carota.httpUrl, token.token);
      const path = `/v1.0/update-scripts/${encodeURIComponent('hu only 001')}/artifacts`;
      // With a running schedule: test/carota/vehicle-tokens.test.ts.
      expect((await vehicle.call('GET', path)).status).toBe(403);
      const { body } = await carota.call('GET', path);
      expect(body.artifacts[sha256]).toMatch(/^https:\/\/cdn\.example\/v1\.0\/artifacts\//);
      // The script itself comes from the image repository, where it can be verified; nothing unsigned is handed out.
      expect(Object.keys(body)).toEqual(['artifacts']);
      const got = await carota.call('GET', '/v1.0/update-scripts/hu%20only%20001');
      expect(got.body).toEqual({
        script: script(),
        createdAt: published.body.createdAt,
        sha256: createHash('sha256').update(JSON.stringify(got.body.script)).digest('hex'),
        approvedAt: null,
      });
      // A vehicle's token lists neither scripts nor schedules.
      expect((await vehicle.call('GET', '/v1.0/update-scripts')).status).toBe(403);
      expect((await vehicle.call('GET', '/v1.0/schedules')).status).toBe(403);
    });

    test('a script never changes: publishing it again returns it, different content is refused', async () => {
      await publish(script());
      expect((await publish(script())).status).toBe(200);
      const other = await publish(script({ downgrade: true }));
      expect(other).toMatchObject({ status: 409, body: { errorCode: 'SCRIPT_EXISTS' } });
    });

    test('errors are reported with their fields, including those of artifacts', async () => {
      const wrong = script({
        ecus: [
          {
            ecu: 'HU',
            version: '1',
            artifact: { sha256: 'f'.repeat(64), md5: 'e'.repeat(32), size: 1 },
          },
          { ecu: 'TCU', version: '1', artifact: { ...artifact, md5: 'e'.repeat(32) } },
        ],
      });
      const answer = await publish({ ...wrong, 'script-ref-id': 'wrong' });
      expect(answer.body.errors).toEqual([
        { path: '/ecus/0/artifact/sha256', message: 'there is no such artifact' },
        { path: '/ecus/1/artifact/md5', message: `must be ${md5}` },
      ]);
      const verdict = await carota.call('POST', '/v1.0/update-scripts/validate', {
        body: { version: 'v1' },
      });
      expect(verdict.body.valid).toBe(false);
      expect(verdict.body.errors.map(({ path }: any) => path)).toEqual(
        expect.arrayContaining(['/script-ref-id', '/model', '/ecus']),
      );
      const good = await carota.call('POST', '/v1.0/update-scripts/validate', { body: script() });
      expect(good.body).toEqual({ valid: true, errors: [] });
    });

    test('serves its OpenAPI document, health and metrics', async () => {
      const { body } = await carota.call('GET', '/openapi.json');
      expect(Object.keys(body.paths)).toContain('/v1.0/schedules/{ref-id}');
      expect((await carota.call('GET', '/readyz')).body).toEqual({
        status: 'ready',
        database: true,
      });
      expect((await carota.call('GET', '/metrics')).body).toMatch(
        /otaops_carota_artifact_bytes_total/,
      );
    });
  });

  describe('the call-back', () => {
    test('is accepted if signed with any of its secrets, and with no other', async () => {
      expect((await carota.callBack([])).status).toBe(200);
      expect((await carota.callBack([], SECOND)).status).toBe(200);
      expect(await carota.callBack([], FOREIGN)).toMatchObject({
        status: 401,
        body: { errorCode: 'SIGNATURE_REFUSED' },
      });
    });

    test('without signature headers, the answer names the missing ones', async () => {
      const { status, body } = await carota.call('POST', '/v1.0/ota/events', {
        token: null,
        headers: { 'webhook-id': 'a', 'webhook-timestamp': 'now' },
        body: { events: [] },
      });
      expect(status).toBe(401);
      expect(body).toMatchObject({
        errorCode: 'SIGNATURE_REFUSED',
        errorMessage: 'webhook-signature is missing, webhook-timestamp must be Unix seconds',
      });
    });
  });
});

test.runIf(isTurn())(
  'a port in use makes the start fail with a clear error, and nothing stays open',
  async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => holder.once('listening', resolve));
    const { port } = holder.address() as { port: number };
    const adapter = await startAdapterDouble();
    const dataDir = temporaryDirectory('carota');
    const settings = { httpPort: port, dataDir, databaseUrl: undefined };
    await expect(startTestCarota(adapter.url, settings)).rejects.toThrow(/EADDRINUSE/);
    await new Promise((resolve) => holder.close(resolve));
    const again = await startTestCarota(adapter.url, settings);
    await again.stop();
    await adapter.stop();
  },
);
