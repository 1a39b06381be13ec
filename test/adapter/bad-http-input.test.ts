/** Invalid HTTP input gets an answer that names the error and its place, and the adapter continues. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestAdapter, type TestAdapter, triggerEvent } from '../support/adapter.js';
import { isFullDepth } from '../support/depth.js';
import { vehicleOf } from '../support/messages.js';

const KNOWN = vehicleOf(1);
const OTHER = vehicleOf(2);
const UNKNOWN = vehicleOf(99);

/** The seed's example, verbatim. */
const SEED_EXAMPLE = ` {
   "time":1625660275379,  
   "version": “v1”,
   "body":
	  {
		"model" : "vehicle model a",
		"ref-id": "schedule 0909",
		"script-ref-id" : "hu only 001",
		"vins": [
			"5YJSA1E40FF345678",
			"5YJSA1E40FF345679",
		]	
	  }
  }`;
const SEED_WITHOUT_CURLY_QUOTES = SEED_EXAMPLE.replace('“v1”', '"v1"');

const event = triggerEvent('bad input', [KNOWN.vin]);
const withBody = (changes: object) => ({ ...event, body: { ...event.body, ...changes } });

let t: TestAdapter;
beforeAll(async () => {
  t = await startTestAdapter();
  await t.register(KNOWN, OTHER);
  await t.trigger('taken', [KNOWN.vin]);
});
afterAll(() => t.stop());

/** Checks the answer, and that the adapter still works and has counted the request. */
async function expectRefusal(
  send: () => Promise<{ status: number; headers: Headers; body: unknown }>,
  status: number,
  expected: object,
) {
  const counter = `otaops_http_requests_total{method="POST",route="/v1.0/ota/trigger",code="${status}"}`;
  const before = await t.metric(counter).catch(() => 0);
  const answer = await send();
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body).toMatchObject({ status, ...expected });
  expect(await t.metric(counter)).toBe(before + 1);
  expect((await t.call('GET', '/v1.0/ota/operations')).status).toBe(200);
}

const post = (body: unknown, headers: Record<string, string> = {}) =>
  t.call('POST', '/v1.0/ota/trigger', { body, headers });

describe('authorisation', () => {
  test.each([
    ['no token', null],
    ['a wrong token', 'otaops_wrong'],
  ])('%s is refused', async (_name, token) => {
    const send = () => t.call('POST', '/v1.0/ota/trigger', { token, body: event });
    await expectRefusal(send, 401, { errorCode: 'UNAUTHORIZED' });
  });

  test.each(['viewer', 'operator'])('a %s cannot trigger', async (role) => {
    const token = await t.tokenFor(role);
    const send = () => t.call('POST', '/v1.0/ota/trigger', { token, body: event });
    await expectRefusal(send, 403, { errorCode: 'FORBIDDEN' });
  });

  test('a revoked token is refused', async () => {
    const { body: created } = await t.call('POST', '/v1.0/tokens', {
      body: { role: 'carota', name: 'short-lived' },
    });
    expect((await t.call('GET', '/v1.0/vehicles', { token: created.token })).status).toBe(200);
    await t.call('DELETE', `/v1.0/tokens/${created.id}`);
    expect((await t.call('GET', '/v1.0/vehicles', { token: created.token })).status).toBe(401);
  });

  test.each([
    ['carota', 'PUT', `/v1.0/vehicles/${KNOWN.vin}`, 403],
    ['carota', 'POST', '/v1.0/ota/operations/taken/pause', 403],
    ['viewer', 'POST', '/v1.0/ota/operations/taken/pause', 403],
    ['operator', 'POST', '/v1.0/ota/operations/taken/resume', 200],
    ['operator', 'GET', '/v1.0/tokens', 403],
    ['viewer', 'GET', '/v1.0/ota/operations', 200],
  ] as const)('%s: %s %s → %d', async (role, method, path, status) => {
    const token = await t.tokenFor(role);
    const body = method === 'PUT' ? { system_id: KNOWN.systemId } : undefined;
    expect((await t.call(method, path, { token, body })).status).toBe(status);
  });
});

test.each(['vehicles', 'vehicle-count', 'export'])(
  'a state that no vehicle can have is rejected instead of giving an empty result: %s',
  async (list) => {
    const path = `/v1.0/ota/operations/taken/${list}`;
    for (const state of ['sucess', 'SUCCESS', 'paused', 'unknown()', '']) {
      const { status, body } = await t.call('GET', `${path}?state=${state}`);
      expect(status, state).toBe(400);
      expect(body.errors).toEqual([
        {
          path: '/state',
          message: expect.stringMatching(/^must be one of pending, sent/) as string,
        },
      ]);
    }
    for (const state of ['success', 'pending', 'unknown', 'unknown(200)']) {
      expect((await t.call('GET', `${path}?state=${state}`)).status, state).toBe(200);
    }
  },
);

test('a retrigger by a misspelt state is rejected too', async () => {
  const { status, body } = await t.call('POST', '/v1.0/ota/operations/taken/retrigger', {
    body: { state: 'download_failed' },
  });
  expect(status).toBe(400);
  expect(body.errors).toMatchObject([{ path: '/state' }]);
});

describe('invalid JSON is reported with line and column', () => {
  test.each([
    ['text', 'hello', /line 1, column 1$/],
    ['the seed’s literal example: curly quotes', SEED_EXAMPLE, /line 3, column 15$/],
    ['and its trailing comma', SEED_WITHOUT_CURLY_QUOTES, /line 12, column 3$/],
    ['cut off', '{"time": 1,\n"version"', /line 2, column \d+$/],
    ['a comment', '{} // no', /line 1, column 4$/],
  ])('%s', async (_name, text, where) => {
    await expectRefusal(() => post(text), 400, {
      errorCode: 'NOT_JSON',
      errorMessage: expect.stringMatching(where) as string,
    });
  });

  test('nested 100,000 deep', async () => {
    await expectRefusal(() => post('['.repeat(100_000)), 400, { errorCode: 'NOT_JSON' });
  });

  test('invalid UTF-8', async () => {
    await expectRefusal(() => post(Buffer.from([0x7b, 0xff, 0x7d])), 400, {
      errorCode: 'NOT_UTF8',
    });
  });
});

describe('invalid fields are named', () => {
  test.each<[string, unknown, string[]]>([
    ['no body at all', '', ['']],
    ['an array', [], ['']],
    ['time as text', { ...event, time: 'now' }, ['/time']],
    ['version 2', { ...event, version: 'v2' }, ['/version']],
    ['no body', { time: 1, version: 'v1' }, ['/body']],
    ['empty vins', withBody({ vins: [] }), ['/body/vins']],
    ['vins as text', withBody({ vins: KNOWN.vin }), ['/body/vins']],
    [
      'missing fields',
      { time: 1, version: 'v1', body: { vins: [KNOWN.vin] } },
      ['/body/model', '/body/ref-id', '/body/script-ref-id'],
    ],
    ['an over-long ref-id', withBody({ 'ref-id': 'x'.repeat(257) }), ['/body/ref-id']],
    ['an empty model', withBody({ model: '' }), ['/body/model']],
    ['a control character', withBody({ model: 'a\0b' }), ['/body/model']],
    ['a lone surrogate', withBody({ model: 'a\ud800' }), ['/body/model']],
    ['a VIN of 16', withBody({ vins: [KNOWN.vin, KNOWN.vin.slice(1)] }), ['/body/vins/1']],
    ['a VIN with I', withBody({ vins: ['5YJSA1E40FF34567I'] }), ['/body/vins/0']],
    ['a VIN with O', withBody({ vins: ['5YJSA1E40FF34567O'] }), ['/body/vins/0']],
    ['a VIN with Q', withBody({ vins: ['5YJSA1E40FF34567Q'] }), ['/body/vins/0']],
    ['a number as VIN', withBody({ vins: [1] }), ['/body/vins/0']],
  ])('%s', async (_name, body, paths) => {
    const errors = paths.map((path) => ({ path, message: expect.any(String) as string }));
    await expectRefusal(() => post(body), 400, { errorCode: 'INVALID', errors });
  });

  test('at most 100 of them', async () => {
    const { body } = await post(withBody({ vins: Array<string>(5_000).fill('short') }));
    expect(body.errors).toHaveLength(100);
  });
});

describe('bodies that are too large or of another type', () => {
  const MEGABYTE = 1024 * 1024;

  test('65 MiB are refused', async () => {
    await expectRefusal(() => post(Buffer.alloc(65 * MEGABYTE, ' ')), 413, {
      errorCode: 'BODY_TOO_LARGE',
    });
  });

  // Reading this many takes seconds of CPU time.
  test.runIf(isFullDepth)('1,000,001 VINs are refused', async () => {
    const vins = Array<string>(1_000_001).fill(KNOWN.vin);
    await expectRefusal(() => post(withBody({ vins })), 400, {
      errors: [{ path: '/body/vins', message: expect.stringContaining('1000000') as string }],
    });
  });

  test('a gzip bomb of 1 GiB is refused before it is expanded in full', async () => {
    // A gzip file is a sequence of members: 1 GiB in 1 MiB.
    const member = gzipSync(Buffer.alloc(8 * MEGABYTE, ' '));
    const bomb = Buffer.concat(Array<Buffer>(128).fill(member));
    const before = process.memoryUsage().rss;
    await expectRefusal(() => post(bomb, { 'content-encoding': 'gzip' }), 413, {
      errorCode: 'BODY_TOO_LARGE',
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * MEGABYTE);
  });

  test('broken gzip is refused', async () => {
    await expectRefusal(() => post('no gzip', { 'content-encoding': 'gzip' }), 400, {
      errorCode: 'UNREADABLE_BODY',
    });
  });

  test('an unknown encoding is refused', async () => {
    await expectRefusal(() => post(event, { 'content-encoding': 'br' }), 415, {
      errorCode: 'UNSUPPORTED_CONTENT_ENCODING',
    });
  });

  test.each(['text/plain', 'text/csv', 'application/xml'])('content type %s', async (type) => {
    await expectRefusal(() => post('x', { 'content-type': type }), 415, {
      errorCode: 'UNSUPPORTED_MEDIA_TYPE',
    });
  });

  test('valid gzip is accepted', async () => {
    const body = gzipSync(JSON.stringify(triggerEvent('zipped', [KNOWN.vin])));
    expect((await post(body, { 'content-encoding': 'gzip' })).status).toBe(202);
  });
});

describe('triggers that are accepted with remarks', () => {
  test('a repeated VIN counts once', async () => {
    const { status, body } = await t.trigger('twice', [KNOWN.vin, KNOWN.vin.toLowerCase()]);
    expect(status).toBe(202);
    expect(body).toMatchObject({ accepted: 1, repeated: 1, rejectedCount: 0 });
    const operation = await t.call('GET', '/v1.0/ota/operations/twice');
    expect(operation.body.vehicles).toBe(1);
  });

  test('an unknown VIN is rejected in the answer and recorded', async () => {
    const { status, body } = await t.trigger('unknown', [KNOWN.vin, UNKNOWN.vin]);
    expect(status).toBe(202);
    expect(body).toMatchObject({
      accepted: 1,
      rejectedCount: 1,
      rejected: [{ vin: UNKNOWN.vin, errorCode: 'DEVICE_NOT_FOUND' }],
    });
    const { body: state } = await t.call(
      'GET',
      `/v1.0/ota/operations/unknown/vehicles/${UNKNOWN.vin}`,
    );
    expect(state.state).toBe('device_not_found');
  });

  test('a repeated ref-id adds only new vehicles', async () => {
    await t.trigger('again', [KNOWN.vin]);
    const { status, body } = await t.trigger('again', [KNOWN.vin, OTHER.vin]);
    expect(status).toBe(202);
    expect(body).toMatchObject({ accepted: 1, alreadyIncluded: 1 });
  });

  test.each([
    ['script', { 'script-ref-id': 'another script' }],
    ['model', { model: 'another model' }],
  ])('the same ref-id with another %s is refused', async (_name, changes) => {
    const other = triggerEvent('taken', [OTHER.vin]);
    const send = () => post({ ...other, body: { ...other.body, ...changes } });
    await expectRefusal(send, 409, { errorCode: 'REF_ID_CONFLICT' });
  });
});

describe('other requests', () => {
  test.each([
    ['GET', '/v1.0/ota/operations/nobody', 404, 'OPERATION_NOT_FOUND'],
    ['GET', `/v1.0/ota/operations/taken/vehicles/${UNKNOWN.vin}`, 404, 'VEHICLE_NOT_IN_OPERATION'],
    ['GET', '/v1.0/ota/operations/taken/vehicles/short', 400, 'INVALID'],
    ['GET', '/v1.0/ota/operations?limit=0', 400, 'INVALID'],
    ['GET', '/v1.0/ota/operations?limit=many', 400, 'INVALID'],
    ['GET', '/v1.0/ota/operations?cursor=zzz', 400, 'INVALID'],
    ['GET', '/v1.0/dead-letters?cursor=zzz', 400, 'INVALID'],
    ['POST', '/v1.0/dead-letters/no-uuid/replay', 400, 'INVALID'],
    [
      'POST',
      '/v1.0/dead-letters/0192d5b8-0000-7000-8000-000000000000/replay',
      404,
      'DEAD_LETTER_NOT_FOUND',
    ],
    ['GET', `/v1.0/vehicles/${UNKNOWN.vin}`, 404, 'DEVICE_NOT_FOUND'],
    ['DELETE', `/v1.0/vehicles/${UNKNOWN.vin}`, 404, 'DEVICE_NOT_FOUND'],
    ['GET', '/v1.0/nothing', 404, 'NOT_FOUND'],
    ['GET', '/v1.0/%ff', 400, 'INVALID'],
  ] as const)('%s %s → %d %s', async (method, path, status, errorCode) => {
    const answer = await t.call(method, path);
    expect(answer).toMatchObject({ status, body: { errorCode } });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });
});
