/**
 * Requests that no honest client sends, against both servers: each answer names the fault and is never a server error,
 * and afterwards everything is still readable.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  startTestCarota,
  startAdapterDouble,
  type TestCarota,
} from '../../carota/support/test-carota.js';
import { type Answer, startTestAdapter, type TestAdapter } from '../../support/adapter.js';
import { sampleOf } from '../../support/depth.js';
import { vehicleOf } from '../../support/messages.js';

const { vin: VIN } = vehicleOf(1);
const { vin: OTHER } = vehicleOf(2);
const JSON_TYPE = { 'content-type': 'application/json' };
const CSV = { 'content-type': 'text/csv' };
const NDJSON = { 'content-type': 'application/x-ndjson' };
const GZIP = { 'content-encoding': 'gzip' };
const nul = (text: string) => JSON.stringify(text).replaceAll('\u0000', '\\u0000');

interface Asked {
  readonly body?: string | Buffer;
  readonly headers?: Record<string, string>;
  readonly token?: null;
}

/** Method and path, headers and body, the status, and the field (or code) in the answer. */
type Row = readonly [asked: string, given: Asked, status: number, named: string];

const trigger = (changes: object, body: object = {}) =>
  JSON.stringify({
    time: 1625660275379,
    version: 'v1',
    body: { model: 'm', 'ref-id': 'hostile', 'script-ref-id': 's', vins: [VIN], ...body },
    ...changes,
  });
const json = (body: unknown): Asked => ({
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: JSON_TYPE,
});
const CURSOR_OF_OTHER_LIST = Buffer.from(`vehicles ${VIN}`).toString('base64url');
const CURSOR_WITH_NUL = Buffer.from('operations 1\u0000').toString('base64url');

/** Routes that both servers have. */
const COMMON: readonly Row[] = [
  ['GET /v1.0/tokens?x=1', {}, 400, '/x'],
  ['GET /v1.0/tokens?__proto__=1', {}, 400, '/__proto__'],
  ['GET /v1.0/tokens?constructor=1', {}, 400, '/constructor'],
  ['DELETE /v1.0/tokens/%00', {}, 400, '/id'],
  ['DELETE /v1.0/tokens/a%00b', {}, 400, '/id'],
  [`DELETE /v1.0/tokens/${'x'.repeat(65)}`, {}, 400, '/id'],
  [`DELETE /v1.0/tokens/${'x'.repeat(4_000)}`, {}, 414, 'URI_TOO_LONG'],
  [`GET /v1.0/tokens?${'x'.repeat(20_000)}`, {}, 414, 'URI_TOO_LONG'],
  [`GET /v1.0/tokens?${'x'.repeat(100_000)}`, {}, 431, 'HEADERS_TOO_LARGE'],
  ['POST /v1.0/tokens', {}, 400, ''],
  ['POST /v1.0/tokens', { headers: JSON_TYPE }, 400, ''],
  ['POST /v1.0/tokens', json('null'), 400, ''],
  ['POST /v1.0/tokens', json('[]'), 400, ''],
  ['POST /v1.0/tokens', json('"text"'), 400, ''],
  ['POST /v1.0/tokens', json('1e999'), 400, ''],
  ['POST /v1.0/tokens', json(`{"name":${nul('a\u0000')},"role":"viewer"}`), 400, '/name'],
  ['POST /v1.0/tokens', json('{"name":"\\ud800","role":"viewer"}'), 400, '/name'],
  ['POST /v1.0/tokens', json('{"name":"a\\u0007","role":"viewer"}'), 400, '/name'],
  ['POST /v1.0/tokens', json({ name: '', role: 'viewer' }), 400, '/name'],
  ['POST /v1.0/tokens', json({ name: 'x'.repeat(257), role: 'viewer' }), 400, '/name'],
  ['POST /v1.0/tokens', json({ name: ['a'], role: 'viewer' }), 400, '/name'],
  ['POST /v1.0/tokens', json({ name: 'a', role: 'viewer\u0000' }), 400, '/role'],
  ['POST /v1.0/tokens', json({ name: 'a', role: 'nobody' }), 400, '/role'],
  ['POST /v1.0/tokens', json('{"name":"a","role":"viewer","__proto__":{}}'), 400, '/__proto__'],
  ['POST /v1.0/tokens', json(`{"name":"a","role":"viewer",${nul('k\u0000')}:1}`), 400, '/k\uFFFD'],
  [
    'POST /v1.0/tokens',
    json(`{"\\u0061":${'['.repeat(500)}${']'.repeat(500)}}`),
    400,
    `/a${'/0'.repeat(63)}`,
  ],
  [
    'POST /v1.0/tokens',
    { body: '{}', headers: { 'content-type': 'text/plain' } },
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'POST /v1.0/tokens',
    { body: '{}', headers: { 'content-type': ';' } },
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'POST /v1.0/tokens',
    { body: '{}', headers: { ...JSON_TYPE, 'content-encoding': 'br' } },
    415,
    'UNSUPPORTED_CONTENT_ENCODING',
  ],
  [
    'POST /v1.0/tokens',
    { body: gzipSync('{"name":"a","role":"viewer"}'), headers: { ...JSON_TYPE, ...GZIP } },
    415,
    'UNSUPPORTED_CONTENT_ENCODING',
  ],
  ['POST /v1.0/tokens', { body: Buffer.from([0xff, 0xfe]), headers: JSON_TYPE }, 400, 'NOT_UTF8'],
  ['PATCH /v1.0/tokens', {}, 405, 'METHOD_NOT_ALLOWED'],
  ['OPTIONS /v1.0/tokens', {}, 405, 'METHOD_NOT_ALLOWED'],
  ['PUT /v1.0/vehicles/import', {}, 405, 'METHOD_NOT_ALLOWED'],
  ['GET /v1.0/live?topic=operation:%00', {}, 400, '/topic'],
  ['GET /v1.0/live?topic=%ff', {}, 400, '/topic'],
  ['GET /v1.0/live?topic=', {}, 400, '/topic/0'],
  ['GET /v1.0/live?topic=nothing:1', {}, 400, '/topic/0'],
  [`GET /v1.0/live?${'topic=operation:1&'.repeat(51)}`, {}, 400, '/topic'],
  ['POST /v1.0/session', { token: null }, 400, ''],
  ['POST /v1.0/session', { ...json('{"token":"\\u0000"}'), token: null }, 400, '/token'],
  ['GET /v1.0/%00', {}, 404, 'NOT_FOUND'],
  ['GET /v1.0/%ff', {}, 400, ''],
  ['GET /v1.0/%zz', {}, 400, ''],
  ['DELETE /v1.0/tokens/%zz', {}, 400, ''],
  ['DELETE /v1.0/tokens/%', {}, 400, ''],
  ['DELETE /v1.0/tokens/%c3%28', {}, 400, ''],
];

const OF_ADAPTER: readonly Row[] = [
  [
    'POST /v1.0/ota/trigger',
    { body: gzipSync('{"name"').subarray(0, 12), headers: { ...JSON_TYPE, ...GZIP } },
    400,
    'UNREADABLE_BODY',
  ],
  ['POST /v1.0/ota/operations/held/cancel', json('null'), 400, ''],
  ['GET /v1.0/ota/operations?limit=true', {}, 400, '/limit'],
  ['GET /v1.0/ota/operations?limit=1e3', {}, 400, '/limit'],
  ['GET /v1.0/ota/operations?limit=0x10', {}, 400, '/limit'],
  ['GET /v1.0/ota/operations?limit=%205', {}, 400, '/limit'],
  ['GET /v1.0/ota/operations?limit=5.0', {}, 400, '/limit'],
  ['GET /v1.0/ota/operations?limit=%2B5', {}, 400, '/limit'],
  ['GET /v1.0/ota/operations?limit=', {}, 400, '/limit'],
  ['GET /v1.0/ota/operations?limit', {}, 400, '/limit'],
  ['GET /v1.0/ota/operations?limit=null', {}, 400, '/limit'],
  ['GET /v1.0/ota/operations?limit=0', {}, 400, '/limit'],
  ['GET /v1.0/ota/operations?limit=-1', {}, 400, '/limit'],
  ['GET /v1.0/ota/operations?limit=99999999999999999999', {}, 400, '/limit'],
  ['GET /v1.0/ota/operations?limit=5&limit=5', {}, 400, '/limit'],
  ['GET /v1.0/ota/operations?limit%00=5', {}, 400, '/limit\u0000'],
  ['GET /v1.0/ota/operations?cursor=zzz', {}, 400, '/cursor'],
  ['GET /v1.0/ota/operations?cursor=%00', {}, 400, '/cursor'],
  ['GET /v1.0/ota/operations?cursor=', {}, 400, '/cursor'],
  [`GET /v1.0/ota/operations?cursor=${CURSOR_OF_OTHER_LIST}`, {}, 400, '/cursor'],
  [`GET /v1.0/ota/operations?cursor=${CURSOR_WITH_NUL}`, {}, 400, '/cursor'],
  ['GET /v1.0/ota/operations/%00', {}, 400, '/ref-id'],
  ['GET /v1.0/ota/operations/a%0Ab', {}, 400, '/ref-id'],
  ['GET /v1.0/ota/operations/held/vehicles?state=%00', {}, 400, '/state'],
  ['GET /v1.0/ota/operations/held/vehicles?text=%00', {}, 400, '/text'],
  ['GET /v1.0/ota/operations/held/vehicles?offset=9007199254740992', {}, 400, '/offset'],
  ['GET /v1.0/ota/operations/held/export?format=xml', {}, 400, '/format'],
  [`GET /v1.0/ota/operations/held/vehicles/${VIN}/messages/%00`, {}, 400, '/message_id'],
  ['POST /v1.0/ota/operations/held/pause', json(`{"reason":${nul('\u0000')}}`), 400, '/reason'],
  ['POST /v1.0/ota/operations/held/retrigger', json(`{"state":${nul('\u0000')}}`), 400, '/state'],
  ['PATCH /v1.0/ota/operations/held', json({ priority: 1e300 }), 400, '/priority'],
  ['PATCH /v1.0/ota/operations/held', json({ priority: true }), 400, '/priority'],
  [
    'PATCH /v1.0/ota/operations/held',
    json({ rate: { perSecond: 1, after: 1e300 } }),
    400,
    '/rate/after',
  ],
  ['GET /v1.0/dead-letters?from=2016-12-31T23:58:60Z', {}, 400, '/from'],
  ['GET /v1.0/dead-letters?from=2020-02-30T00:00:00Z', {}, 400, '/from'],
  ['GET /v1.0/dead-letters?from=2020-01-01', {}, 400, '/from'],
  ['GET /v1.0/dead-letters?from=1577836800', {}, 400, '/from'],
  ['GET /v1.0/dead-letters?reason=%00', {}, 400, '/reason'],
  ['GET /v1.0/dead-letters?system_id=%00', {}, 400, '/system_id'],
  ['GET /v1.0/dead-letters?replayed=1', {}, 400, '/replayed'],
  ['GET /v1.0/dead-letters?replayed=TRUE', {}, 400, '/replayed'],
  ['POST /v1.0/dead-letters/replay', json(`{"reason":${nul('\u0000')}}`), 400, '/reason'],
  ['POST /v1.0/dead-letters/replay', json({ limit: '5' }), 400, '/limit'],
  ['GET /v1.0/ota/events?after=-1', {}, 400, '/after'],
  ['GET /v1.0/ota/events?ref-id=%00', {}, 400, '/ref-id'],
  ['GET /v1.0/ota/events?since=9999-99-99T00:00:00Z', {}, 400, '/since'],
  [
    'GET /v1.0/ota/events/stream',
    { headers: { 'last-event-id': '1 or 1' } },
    400,
    '/last-event-id',
  ],
  [
    'POST /v1.0/callbacks',
    json({ name: 'far', url: 'http://127.0.0.1:9/', after: 2 ** 53 }),
    400,
    '/after',
  ],
  [
    'POST /v1.0/callbacks',
    json({ name: 'far', url: 'http://127.0.0.1:9/', after: 1e300 }),
    400,
    '/after',
  ],
  ['POST /v1.0/callbacks', json(`{"name":"far","url":${nul('http://a/\u0000')}}`), 400, '/url'],
  ['GET /v1.0/callbacks/%00', {}, 400, '/id'],
  ['POST /v1.0/ota/trigger', json(trigger({ time: 1e300 })), 400, '/time'],
  ['POST /v1.0/ota/trigger', json(trigger({ time: -1 })), 400, '/time'],
  [
    'POST /v1.0/ota/trigger',
    json(trigger({}, { dispatch: { ttl: 1e12 } })),
    400,
    '/body/dispatch/ttl',
  ],
  ['POST /v1.0/ota/trigger', json(trigger({ extra: '\u0000' })), 400, '/extra'],
  [`PUT /v1.0/vehicles/${VIN}`, json(`{"system_id":"a","model":${nul('\u0000')}}`), 400, '/model'],
  ['GET /v1.0/vehicles?vin=%00', {}, 400, '/vin'],
  ['POST /v1.0/vehicles/import', {}, 400, 'BODY_MISSING'],
  ['POST /v1.0/vehicles/import', { body: 'x', headers: JSON_TYPE }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  [
    'POST /v1.0/vehicles/import',
    { body: 'no gzip', headers: { ...CSV, ...GZIP } },
    400,
    'UNREADABLE_BODY',
  ],
  [
    'POST /v1.0/vehicles/import',
    { body: 'no gzip', headers: { ...NDJSON, ...GZIP } },
    400,
    'UNREADABLE_BODY',
  ],
];

const OF_CAROTA: readonly Row[] = [
  ['POST /v1.0/artifacts', {}, 400, 'BODY_MISSING'],
  ['POST /v1.0/artifacts', { body: '', headers: CSV }, 400, 'ARTIFACT_REFUSED'],
  ['POST /v1.0/artifacts?name=%00', { body: 'x' }, 400, '/name'],
  ['POST /v1.0/artifacts?name=a&name=b', { body: 'x' }, 400, '/name'],
  ['POST /v1.0/artifacts?sha256=x', { body: 'x' }, 400, '/sha256'],
  [
    'POST /v1.0/artifacts',
    { body: 'no gzip', headers: { ...CSV, ...GZIP } },
    415,
    'UNSUPPORTED_CONTENT_ENCODING',
  ],
  ['GET /v1.0/artifacts?cursor=AA', {}, 400, '/cursor'],
  ['GET /v1.0/artifacts/%00', {}, 400, '/sha256'],
  [`GET /v1.0/artifacts/${'0'.repeat(64)}/content?expires=1e9&signature=a`, {}, 400, '/expires'],
  [
    `GET /v1.0/artifacts/${'0'.repeat(64)}/content?expires=99999999999999&signature=a`,
    {},
    400,
    '/expires',
  ],
  [`GET /v1.0/artifacts/${'0'.repeat(64)}/content`, {}, 400, '/expires'],
  ['GET /v1.0/update-scripts/%00', {}, 400, '/script-ref-id'],
  ['POST /v1.0/update-scripts', {}, 400, ''],
  ['POST /v1.0/update-scripts', json('[]'), 400, ''],
  ['POST /v1.0/update-scripts', json(`{"version":${nul('\u0000')}}`), 400, '/version'],
  ['POST /v1.0/schedules', json('null'), 400, ''],
  ['POST /v1.0/schedules', json(`{${nul('\u0000')}:1}`), 400, '/\uFFFD'],
  ['POST /v1.0/schedules', json({ start: '2026-13-01T00:00:00Z' }), 400, '/start'],
  ['POST /v1.0/schedules', json({ guard: { patience: 1e300 } }), 400, '/guard/patience'],
  [
    'POST /v1.0/schedules/preview',
    json({ guard: { maxFailures: 1e300 } }),
    400,
    '/guard/maxFailures',
  ],
  ['GET /v1.0/schedules?cursor=MTIz', {}, 400, '/cursor'],
  ['GET /v1.0/schedules/%00', {}, 400, '/ref-id'],
  ['GET /v1.0/schedules/none/vehicles?wave=99999999999', {}, 400, '/wave'],
  ['GET /v1.0/schedules/none/vehicles?state=%00', {}, 400, '/state'],
  ['POST /v1.0/schedules/none/stop', json(`{"reason":${nul('\u0000')}}`), 400, '/reason'],
  ['POST /v1.0/schedules/none/vehicles', {}, 400, 'BODY_MISSING'],
  [
    'POST /v1.0/schedules/none/vehicles',
    { body: 'no gzip', headers: { ...CSV, ...GZIP } },
    400,
    'UNREADABLE_BODY',
  ],
  ['GET /v1.0/vehicles?tag=%00', {}, 400, '/tag'],
  ['GET /v1.0/vehicles?model=%00', {}, 400, '/model'],
  [
    `PUT /v1.0/vehicles/${VIN}`,
    json({ model: 'm', versions: { 'bad key!': { x: [1] } } }),
    400,
    '/versions/bad key!',
  ],
  [
    `PUT /v1.0/vehicles/${VIN}`,
    json({ model: 'm', versions: { HU: { x: [1] } } }),
    400,
    '/versions/HU',
  ],
  [
    `PUT /v1.0/vehicles/${VIN}`,
    json(`{"model":"m","versions":{${nul('HU\u0000')}:"1"}}`),
    400,
    '/versions/HU\uFFFD',
  ],
  [
    `PUT /v1.0/vehicles/${VIN}`,
    json('{"model":"m","versions":{"__proto__":"1"}}'),
    400,
    '/versions/__proto__',
  ],
  [`PUT /v1.0/vehicles/${VIN}`, json('{"model":"m","tags":["\\u0000"]}'), 400, '/tags/0'],
  ['POST /v1.0/vehicles/import', {}, 400, 'BODY_MISSING'],
  [
    'POST /v1.0/vehicles/import',
    { body: 'no gzip', headers: { ...NDJSON, ...GZIP } },
    400,
    'UNREADABLE_BODY',
  ],
  ['POST /v1.0/ota/events', { token: null }, 401, 'SIGNATURE_REFUSED'],
  ['POST /v1.0/ota/events', { token: null, headers: JSON_TYPE }, 401, 'SIGNATURE_REFUSED'],
  [
    'POST /v1.0/ota/events',
    { token: null, body: 'x', headers: CSV },
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
];

let adapter: TestAdapter;
let carota: TestCarota;
let double: Awaited<ReturnType<typeof startAdapterDouble>>;
beforeAll(async () => {
  double = await startAdapterDouble();
  [adapter, carota] = await Promise.all([startTestAdapter(), startTestCarota(double.url)]);
  await adapter.register(vehicleOf(1));
  await adapter.trigger('held', [VIN]);
});
afterAll(async () => {
  await Promise.all([adapter.stop(), carota.stop(), double.stop()]);
});

const LISTS = {
  adapter: [
    '/v1.0/ota/operations',
    '/v1.0/ota/operations/held/vehicles',
    '/v1.0/ota/operations/held/audit',
    `/v1.0/ota/vehicles?vin=${VIN}`,
    '/v1.0/vehicles',
    '/v1.0/dead-letters',
    '/v1.0/callbacks',
    '/v1.0/audit',
    '/v1.0/ota/events',
    '/v1.0/tokens',
    '/v1.0/dispatch',
    '/v1.0/health',
  ],
  carota: [
    '/v1.0/artifacts',
    '/v1.0/update-scripts',
    '/v1.0/schedules',
    '/v1.0/refused-events',
    '/v1.0/vehicles',
    '/v1.0/tokens',
  ],
} as const;

describe.each([
  ['adapter', [...COMMON.map(forAdapter), ...OF_ADAPTER], LISTS.adapter],
  ['carota', [...COMMON.map(forCarota), ...OF_CAROTA], LISTS.carota],
] as const)('%s', (name, rows, lists) => {
  const server = () => (name === 'adapter' ? adapter : carota);
  const url = () => (name === 'adapter' ? adapter.adapter.httpUrl : carota.carota.httpUrl);

  /** Health is checked after each of these; in a quick run, after the others only at the end. */
  const checkedRows = new Set<Row>(sampleOf(rows, 24));

  async function expectHealthy(): Promise<void> {
    for (const path of ['/healthz', '/readyz', ...lists]) {
      const { status, body } = await server().call('GET', path);
      expect({ path, status, body: status === 200 ? '' : (body as unknown) }).toEqual({
        path,
        status: 200,
        body: '',
      });
    }
  }

  test.each(rows.map((row) => [row[0].slice(0, 120), row[2], row[3].slice(0, 60), row] as const))(
    '%s → %d %s',
    async (_title, _status, _named, row) => {
      const [asked, given, status, named] = row;
      const [method = '', path = ''] = asked.split(' ');
      const answer: Answer = await server().call(method, path, given);
      expect({ status: answer.status, body: answer.body as unknown }).toMatchObject({
        status,
        body: { status },
      });
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      const body = answer.body as { errorCode: string; errors?: { path: string }[] };
      if (/^[A-Z]/.test(named)) expect(body.errorCode).toBe(named);
      else expect(body.errors?.map((error) => error.path)).toContain(named);
      if (status === 405) {
        const allowed = path.endsWith('import') ? 'POST' : 'GET, HEAD, POST';
        expect(answer.headers.get('allow')).toBe(allowed);
      }
      if (checkedRows.has(row)) await expectHealthy();
    },
  );

  test('everything is readable, and no value reached the database', async () => {
    await expectHealthy();
    const text = String((await server().call('GET', '/metrics')).body);
    expect(text).toMatch(/^# TYPE otaops_(carota_)?http_refused_values_total counter$/m);
    expect(text).not.toMatch(/^otaops_(carota_)?http_refused_values_total\{/m);
  });

  const ON_THE_CONNECTION = [
    ['no HTTP', 'hello\r\n\r\n', 400, 'NOT_HTTP'],
    ['a TLS client', '\u0016\u0003\u0001\u0000\u0005hello', 400, 'NOT_HTTP'],
    [
      'a length that is not a number',
      'POST /v1.0/tokens HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n',
      400,
      'NOT_HTTP',
    ],
    [
      'two lengths',
      'POST /v1.0/tokens HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
      400,
      'NOT_HTTP',
    ],
    ['a header with NUL', 'GET /healthz HTTP/1.1\r\nhost: a\r\nx: \u0000\r\n\r\n', 400, 'NOT_HTTP'],
    ['a URL with a space', 'GET /healthz x HTTP/1.1\r\nhost: a\r\n\r\n', 400, 'NOT_HTTP'],
    [
      'a header of 1 MiB',
      `GET /healthz HTTP/1.1\r\nx: ${'x'.repeat(1024 * 1024)}\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
    ['an unknown method', 'BREW /v1.0/tokens HTTP/1.1\r\nhost: a\r\n\r\n', 400, 'NOT_HTTP'],
    [
      'PROPFIND',
      'PROPFIND /v1.0/tokens HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
      405,
      'METHOD_NOT_ALLOWED',
    ],
  ] as const;
  const checked = new Set(sampleOf(ON_THE_CONNECTION, 4).map(([title]) => title));

  test.each(ON_THE_CONNECTION)('on the raw connection: %s', async (title, bytes, status, code) => {
    const answer = await rawAnswer(url(), bytes);
    expect(answer).toContain(`HTTP/1.1 ${status}`);
    expect(answer).toContain('application/problem+json');
    expect(answer).toContain(`"errorCode":"${code}"`);
    if (checked.has(title)) await expectHealthy();
  });
});

function forAdapter(row: Row): Row {
  return row;
}

/** The CarOTA Server's streams have different topics. */
function forCarota([asked, ...rest]: Row): Row {
  return [asked.replaceAll('operation:', 'schedule:'), ...rest];
}

async function rawAnswer(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.write(Buffer.from(bytes, 'latin1'));
  // Rejects on a connection reset, which could lose the answer.
  await once(socket, 'close');
  return answer;
}

describe('valid items among invalid ones', () => {
  test('an invalid import line is reported, and the other lines are imported', async () => {
    const lines = [
      `{"vin":"${VIN}","model":"m","versions":{"a\\u0000":"1"}}`,
      `{"vin":"${VIN}","model":"\\ud800"}`,
      `{"vin":"${VIN}","model":"m","__proto__":{"tags":[]}}`,
      `{"vin":"${VIN}","model":"m","versions":{"bad key!":"1"}}`,
      `{"vin":"${OTHER}","model":"m","versions":{"HU":"1.0.0"}}`,
    ];
    const { status, body } = await carota.call('POST', '/v1.0/vehicles/import', {
      body: lines.join('\n'),
      headers: NDJSON,
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ imported: 1, rejectedCount: 4 });
    const lineNumbers = (body.rejected as { line: number }[]).map(({ line }) => line);
    expect(lineNumbers).toEqual([1, 2, 3, 4]);
    const csv = `vin,system_id\n${OTHER},a\u0000b\n${OTHER},sys-${OTHER}\n`;
    const imported = await adapter.call('POST', '/v1.0/vehicles/import', {
      body: csv,
      headers: CSV,
    });
    expect(imported.body).toMatchObject({ created: 1, rejectedCount: 1, rejected: [{ line: 2 }] });
  });

  test.each([
    '2016-12-31T23:59:60Z',
    '0000-01-01T00:00:00%2B23:59',
    '9999-12-31T23:59:59-23:59',
    '0001-01-01T00:00:00%2B23:59',
    '2020-01-01t00:00:00.123456789z',
  ])('a time at the edge: %s', async (from) => {
    expect((await adapter.call('GET', `/v1.0/dead-letters?from=${from}`)).status).toBe(200);
    expect((await adapter.call('GET', `/v1.0/ota/events?since=${from}`)).status).toBe(200);
  });

  test('a receiver whose start position lies beyond the end of the stream starts with the next event', async () => {
    const { status, body } = await adapter.call('POST', '/v1.0/callbacks', {
      body: { name: 'far', url: 'http://example.com/', after: Number.MAX_SAFE_INTEGER },
    });
    expect(status).toBe(201);
    expect(body.position).toBe(0);
    await adapter.call('DELETE', '/v1.0/callbacks/far');
  });
});
