/** Bodies built to exhaust a server: each is rejected at the limit of its route, before parsing. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { byDepth, isFullDepth } from '../../support/depth.js';
import { MODEL, startAdapterDouble, startTestCarota } from '../../carota/support/test-carota.js';
import { startTestAdapter, type TestAdapter, triggerEvent } from '../../support/adapter.js';
import { vehicleOf } from '../../support/messages.js';
import { parseLargeJson } from '../../../src/service/http/large-json.js';

const MEBIBYTE = 1024 * 1024;
const GZIP = { 'content-encoding': 'gzip' };
const NDJSON = { 'content-type': 'application/x-ndjson' };
const { vin: VIN } = vehicleOf(1);
/** Number of VINs in a trigger that takes long to parse. */
const VINS = byDepth({ quick: 60_000, full: 400_000 });

/** Compressed JSON of 20 million arrays, made once because it takes long to compress, too. */
const BOMB = gzipSync(
  `{"time":1,"version":"v1","body":{"vins":[${'[],'.repeat((60 * MEBIBYTE) / 3)}[]]}}`,
);

/** Megabytes of gzip that decompress to gigabytes: gzip members can be concatenated. */
const repeated = (text: string, times: number) =>
  Buffer.concat(Array<Buffer>(times).fill(gzipSync(text)));

describe('the OTA Adapter', () => {
  let t: TestAdapter;
  beforeAll(async () => {
    t = await startTestAdapter();
  });
  afterAll(() => t.stop());

  const signIn = (body: string | Buffer, headers: Record<string, string> = {}) =>
    t.call('POST', '/v1.0/session', {
      token: null,
      headers: { 'x-otaops-console': '1', ...headers },
      body,
    });

  test('sign-in does not decompress: 64 KiB of gzip with 60 MiB of JSON is rejected', async () => {
    const { status, body } = await signIn(BOMB, GZIP);
    expect([status, body.errorCode]).toEqual([415, 'UNSUPPORTED_CONTENT_ENCODING']);
  });

  test('sign-in accepts at most 4 KiB, with or without Content-Length', async () => {
    const most = JSON.stringify({ token: 'x' }).padEnd(4_096);
    expect((await signIn(most)).status).toBe(401);
    const { status, body } = await signIn(`${most} `);
    expect([status, body.errorCode]).toEqual([413, 'BODY_TOO_LARGE']);
    const streamed = await fetch(`${t.adapter.httpUrl}/v1.0/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-otaops-console': '1' },
      body: new Blob([most, ' ']).stream(),
      duplex: 'half',
    });
    expect(streamed.status).toBe(413);
  });

  test('a trigger with 20 million arrays is rejected before they are built', async () => {
    const { status, body } = await t.call('POST', '/v1.0/ota/trigger', {
      headers: GZIP,
      body: BOMB,
    });
    expect([status, body.errorCode]).toEqual([413, 'BODY_TOO_LARGE']);
  });

  test('other requests are answered while a large trigger is parsed', async () => {
    const vins = Array.from({ length: VINS }, (_, index) => vehicleOf(index + 1).vin);
    let isAnswered = false;
    const event = triggerEvent('large', [...vins, 'no VIN']);
    const trigger = t
      .call('POST', '/v1.0/ota/trigger', { body: event })
      .finally(() => (isAnswered = true));
    let served = 0;
    const isWaiting = () => !isAnswered;
    while (isWaiting()) {
      await t.call('GET', '/healthz');
      served += 1;
    }
    const { status, body } = await trigger;
    expect([status, body.errors[0].path]).toEqual([400, `/body/vins/${VINS}`]);
    expect(served).toBeGreaterThan(1);
  });

  test('OpenAPI states the limit of each body', async () => {
    const { body } = await t.call('GET', '/openapi.json');
    expect(body.paths['/v1.0/session'].post.requestBody).toMatchObject({
      description: 'The token. At most 4 KiB, not compressed.',
      'x-max-bytes': 4_096,
      'x-content-encodings': [],
    });
    expect(body.paths['/v1.0/ota/trigger'].post.requestBody).toMatchObject({
      'x-max-bytes': 64 * MEBIBYTE,
      'x-content-encodings': ['gzip'],
    });
  });
});

describe('the CarOTA Server', () => {
  test.runIf(isFullDepth)(
    'rejects 3 MB of NDJSON with a vehicle in each of 40 million lines',
    async () => {
      const adapter = await startAdapterDouble();
      const t = await startTestCarota(adapter.url);
      await t.publish('script');
      const plan = { 'ref-id': 'bombed', 'script-ref-id': 'script', model: MODEL };
      expect((await t.call('POST', '/v1.0/schedules', { body: plan })).status).toBe(201);
      const lines = repeated(`${JSON.stringify({ vin: VIN })}\n`.repeat(200_000), 200);
      expect(lines.length).toBeLessThan(4 * MEBIBYTE);
      const { status, body } = await t.call('POST', '/v1.0/schedules/bombed/vehicles', {
        headers: { ...NDJSON, ...GZIP },
        body: lines,
      });
      expect([status, body.errorCode]).toEqual([413, 'BODY_TOO_LARGE']);
      expect((await t.call('GET', '/healthz')).status).toBe(200);
      await t.stop();
      await adapter.stop();
    },
  );
});

describe('a large body in chunks', () => {
  const parse = (text: string) => parseLargeJson(Buffer.from(text));
  const faultOf = (text: string) =>
    parse(text).then(String, (error: unknown) => (error as Error).message);
  const long = (count: number) => Array.from({ length: count }, (_, index) => `é"\\ ${index}`);

  test.each([
    ['a list within objects', { a: 1, body: { vins: long(20_000), b: [1, 2], c: { d: null } } }],
    ['a list of lists', [long(20_000), [], [long(3), {}]]],
    ['several lists', { a: long(9_000), b: { c: long(9_000) }, d: [{ e: long(9_000) }] }],
    ['a key that is no name', JSON.parse(`{"__proto__":${JSON.stringify(long(9_000))}}`)],
  ])('%s is parsed as by JSON.parse', async (_name, value) => {
    for (const text of [JSON.stringify(value), `\uFEFF${JSON.stringify(value, null, 3)}\n`]) {
      expect(JSON.stringify(await parse(text))).toBe(JSON.stringify(value));
    }
  });

  const items = long(20_000).map((item) => JSON.stringify(item));
  const text = items.join(',\n');
  test.each([
    ['a trailing comma', `[${text},\n]`, 'ValueExpected at line 20001, column 1'],
    ['nothing between commas', `[${text},\n,1]`, 'ValueExpected at line 20001, column 1'],
    ['another bracket', `{"a":[${text}}`, 'unexpected bracket at line 20000, column 14'],
    ['a word', `{"a":[${text},\nwhy]}`, 'InvalidSymbol at line 20001, column 1'],
    [
      'a fault behind a list',
      `{"a":[${text}],\n "b":why}`,
      'InvalidSymbol at line 20001, column 6',
    ],
    ['no end', `[${text}`, 'CloseBracketExpected at line 20000, column 14'],
    ['lists in lists', '['.repeat(65), 'nested too deep at line 1, column 65'],
  ])('%s', async (_name, faulty, where) => {
    expect(await faultOf(faulty)).toBe(`the body is not JSON: ${where}`);
  });
});
