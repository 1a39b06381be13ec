/** A server closes everything it opened for a request, however the request ends (counted in /proc/self/fd). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import {
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../../carota/support/test-carota.js';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from '../../../src/service/limits/index.js';
import { eventually, startTestAdapter, type TestAdapter } from '../../support/adapter.js';
import { byDepth, sampleOf } from '../../support/depth.js';
import { vehicleOf } from '../../support/messages.js';

const REQUESTS = byDepth({ quick: 25, full: 300 });
const AT_ONCE = 25;
/** Files that the process itself may have open: a directory, a closing connection. */
const TOLERATED = 8;

const CSV = { 'content-type': 'text/csv' };
const NDJSON = { 'content-type': 'application/x-ndjson' };
const JSON_TYPE = { 'content-type': 'application/json' };
const GZIP = { 'content-encoding': 'gzip' };
const BYTES = { 'content-type': 'application/octet-stream' };
const MEGABYTE = Buffer.alloc(1024 * 1024, 'x');

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  /** Fewer repetitions, for expensive answers. */
  readonly times?: number;
  /** The client disconnects after half of the body, or after the first part of the answer. */
  readonly leaves?: 'sending' | 'reading';
}

/** Enough for the tests' concurrent requests. */
const WIDE: HttpLimits = {
  ...DEFAULT_HTTP_LIMITS,
  loads: {
    stream: { perToken: 1_000, inAll: 1_000 },
    export: { perToken: 1_000, inAll: 1_000 },
    search: { perToken: 1_000, inAll: 1_000 },
    upload: { perToken: 1_000, inAll: 1_000 },
    dossier: { perToken: 1_000, inAll: 1_000 },
  },
};

let adapter: TestAdapter;
let carota: TestCarota;
let double: Awaited<ReturnType<typeof startAdapterDouble>>;
let artifact: string;
beforeAll(async () => {
  double = await startAdapterDouble();
  [adapter, carota] = await Promise.all([
    startTestAdapter({ httpLimits: WIDE }),
    startTestCarota(double.url, { httpLimits: WIDE }),
  ]);
  const vehicles = Array.from({ length: 300 }, (_, number) => vehicleOf(number + 1));
  await adapter.register(...vehicles);
  await adapter.trigger(
    'held',
    vehicles.map(({ vin }) => vin),
  );
  artifact = (await carota.upload(Buffer.concat([MEGABYTE, MEGABYTE, MEGABYTE]))).url;
});
afterAll(async () => {
  await Promise.all([adapter.stop(), carota.stop(), double.stop()]);
});

/** Repeats a request that is answered 503, because the machine is so busy that the database does not answer in time. */
async function askUntilServed(url: string, token: string, asked: Asked): Promise<number> {
  for (let left = 10; ; left -= 1) {
    const status = await ask(url, token, asked);
    if (status !== 503 || left === 0) return status;
  }
}

/** One connection, one request. @returns its status; 0 if the client left or was cut off */
function ask(url: string, token: string, asked: Asked): Promise<number> {
  const { method, path, headers, body, leaves } = asked;
  return new Promise((resolve) => {
    const sent = request(url + path, {
      method,
      agent: false,
      headers: {
        'authorization-token': token,
        ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
        ...headers,
      },
    });
    sent.once('error', () => resolve(0));
    sent.once('response', (response) => {
      response.once('error', () => resolve(0));
      response.once('close', () => resolve(response.statusCode ?? 0));
      if (leaves === 'reading') response.once('data', () => response.destroy());
      else response.resume();
    });
    if (leaves === 'sending' && body !== undefined) {
      sent.write(body.slice(0, body.length / 2), () => setImmediate(() => sent.destroy()));
    } else sent.end(body);
  });
}

/**
 * By kind, e.g. `socket`, `pipe`, or a file name. Database connections do not count: the pools open them as needed and
 * keep them.
 */
function openFiles(): string[] {
  const toDatabase = databaseConnections();
  return readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${name}`);
      return toDatabase.has(target) ? [] : [target.replace(/:?\[.*/, '')];
    } catch {
      return [];
    }
  });
}

/** Names as in `/proc/self/fd`: `socket:[inode]`. */
function databaseConnections(): Set<string> {
  const port = Number(new URL(inject('postgresUrl')).port);
  // Fields of proc(5): slot, local address, remote address (port in hexadecimal), …; the tenth is the inode.
  const rows = readFileSync('/proc/self/net/tcp', 'utf8').trim().split('\n').slice(1);
  return new Set(
    rows
      .map((row) => row.trim().split(/\s+/))
      .filter(([, , remote = '']) => Number.parseInt(remote.split(':')[1] ?? '', 16) === port)
      .map((fields) => `socket:[${fields[9]}]`),
  );
}
const counted = (names: readonly string[]) =>
  Object.fromEntries(
    [...new Set(names)].map((name) => [name, names.filter((one) => one === name).length]),
  );

const OF_CAROTA: readonly (readonly [string, number, () => Asked])[] = [
  ['an upload without a body', 400, () => ({ method: 'POST', path: '/v1.0/artifacts' })],
  [
    'an empty upload',
    400,
    () => ({ method: 'POST', path: '/v1.0/artifacts', headers: BYTES, body: '' }),
  ],
  [
    'an upload rejected before it is read',
    400,
    () => ({ method: 'POST', path: '/v1.0/artifacts?x=1', headers: BYTES, body: MEGABYTE }),
  ],
  [
    'an upload with a wrong digest',
    400,
    () => ({
      method: 'POST',
      path: `/v1.0/artifacts?sha256=${'0'.repeat(64)}`,
      headers: BYTES,
      body: 'x',
    }),
  ],
  [
    'a compressed upload',
    415,
    () => ({
      method: 'POST',
      path: '/v1.0/artifacts',
      headers: { ...BYTES, ...GZIP },
      body: MEGABYTE,
    }),
  ],
  [
    'an upload that is cut off',
    0,
    () => ({
      method: 'POST',
      path: '/v1.0/artifacts',
      headers: BYTES,
      body: MEGABYTE,
      leaves: 'sending',
    }),
  ],
  ['a download that breaks off', 200, () => ({ method: 'GET', path: artifact, leaves: 'reading' })],
  [
    'an unsatisfiable range',
    416,
    () => ({ method: 'GET', path: artifact, headers: { range: 'bytes=99999999-' } }),
  ],
  [
    'an import that is not gzip',
    400,
    () => ({
      method: 'POST',
      path: '/v1.0/vehicles/import',
      headers: { ...CSV, ...GZIP },
      body: MEGABYTE,
    }),
  ],
  [
    'an import of truncated gzip',
    400,
    () => ({
      method: 'POST',
      path: '/v1.0/vehicles/import',
      headers: { ...NDJSON, ...GZIP },
      body: gzipSync('{}'.repeat(9_999)).subarray(0, 40),
    }),
  ],
  [
    'an import of another type',
    415,
    () => ({ method: 'POST', path: '/v1.0/vehicles/import', headers: JSON_TYPE, body: MEGABYTE }),
  ],
  [
    'an import that breaks off',
    0,
    () => ({
      method: 'POST',
      path: '/v1.0/vehicles/import',
      headers: NDJSON,
      body: MEGABYTE,
      leaves: 'sending',
    }),
  ],
  ['a call-back without a body', 401, () => ({ method: 'POST', path: '/v1.0/ota/events' })],
  [
    'a call-back that is cut off',
    0,
    () => ({
      method: 'POST',
      path: '/v1.0/ota/events',
      headers: JSON_TYPE,
      body: MEGABYTE,
      leaves: 'sending',
    }),
  ],
];

const OF_ADAPTER: readonly (readonly [string, number, () => Asked])[] = [
  [
    'a trigger that is cut off',
    0,
    () => ({
      method: 'POST',
      path: '/v1.0/ota/trigger',
      headers: JSON_TYPE,
      body: MEGABYTE,
      leaves: 'sending',
    }),
  ],
  [
    'a trigger that is not gzip',
    400,
    () => ({
      method: 'POST',
      path: '/v1.0/ota/trigger',
      headers: { ...JSON_TYPE, ...GZIP },
      body: MEGABYTE,
    }),
  ],
  [
    'a trigger whose Content-Length is too large',
    413,
    () => ({
      method: 'POST',
      path: '/v1.0/ota/trigger',
      headers: { ...JSON_TYPE, 'content-length': '99999999' },
      body: 'x',
      leaves: 'sending',
    }),
  ],
  [
    'an import that breaks off',
    0,
    () => ({
      method: 'POST',
      path: '/v1.0/vehicles/import',
      headers: CSV,
      body: MEGABYTE,
      leaves: 'sending',
    }),
  ],
  [
    'an export that is cut off',
    200,
    () => ({
      method: 'GET',
      path: '/v1.0/ota/operations/held/export?format=ndjson',
      times: byDepth({ quick: 10, full: 75 }),
      leaves: 'reading',
    }),
  ],
  [
    'a live event stream that the client stops reading',
    200,
    () => ({ method: 'GET', path: '/v1.0/ota/events/stream', leaves: 'reading' }),
  ],
  [
    'a live change stream that the client stops reading',
    200,
    () => ({ method: 'GET', path: '/v1.0/live?topic=operation:held', leaves: 'reading' }),
  ],
];

describe.each([
  ['carota', OF_CAROTA],
  ['adapter', OF_ADAPTER],
] as const)('%s', (name, kinds) => {
  test.each(sampleOf(kinds, 2))('%s', async (_kind, status, asked) => {
    const [url, token] =
      name === 'carota'
        ? [carota.carota.httpUrl, carota.token]
        : [adapter.adapter.httpUrl, adapter.token];
    await ask(url, token, asked());
    const before = openFiles().length;
    for (let done = 0; done < (asked().times ?? REQUESTS); done += AT_ONCE) {
      const answers = await Promise.all(
        Array.from({ length: AT_ONCE }, () => askUntilServed(url, token, asked())),
      );
      // A client that disconnected may still have received an answer.
      const others = answers.filter(
        (answer) => answer !== status && (status !== 413 || answer !== 0),
      );
      expect(others).toEqual([]);
    }
    await eventually(
      async () => ({ before, now: openFiles().length, files: counted(openFiles()) }),
      ({ now }) => now <= before + TOLERATED,
    );
    if (name === 'carota') {
      await eventually(
        async () => readdirSync(join(carota.dataDir, 'incoming')),
        (files) => files.length === 0,
      );
    }
  });
});
