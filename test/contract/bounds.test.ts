/** The bounds of contract section 2, on `status` and on texts. The input is JSON text, not written by our encoder. */
import { describe, expect, test } from 'vitest';
import { decodeMessage, MAX_EVENT_STATUS, type OtaEvent } from '../../src/contract/index.js';

interface Raw {
  /** JSON text of `status`. */
  readonly status?: string;
  readonly meta?: string;
  /** JSON text of further members. */
  readonly inBody?: string;
  readonly inEnvelope?: string;
}

function eventText({ status = '6', meta = '[]', inBody, inEnvelope }: Raw): Buffer {
  const body = `{"status":${status},"meta":${meta},"timestamp":1620891851,"ref-id":"schedule 0909"${inBody ? `,${inBody}` : ''}}`;
  return Buffer.from(
    `{"message_id":"msg-dev-1","correlation_id":"","version":"v1","system_id":"c2c-sys-1",
      "vin":"5YJSA1E40FF345678","source_id":"c2c-edge","target_id":"c2c-otaadapter",
      "message_type":"OTA_EVENT","time":1620891851,"property_bag":{"body_encoding_type":1},
      "body":"${Buffer.from(body).toString('base64')}"${inEnvelope ? `,${inEnvelope}` : ''}}`,
  );
}

const decode = (raw: Raw) => decodeMessage(eventText(raw));
const eventOf = (raw: Raw) => {
  const result = decode(raw);
  if (!result.ok) throw new Error(JSON.stringify(result.fault));
  return result.value as OtaEvent;
};

describe('status', () => {
  test.each([
    ['0', 0],
    ['-0', 0],
    ['6.0', 6],
    ['65535', MAX_EVENT_STATUS],
    ['6553.5e1', MAX_EVENT_STATUS],
    ['4711', 4711],
  ])('%s is accepted', (status, number) => {
    expect(eventOf({ status }).body.status + 0).toBe(number);
  });

  test.each([
    ...[
      '6.5',
      '-1',
      '65536',
      '2147483648',
      '9007199254740993',
      '1e308',
      '-1e308',
      '1e400',
      '5e-324',
    ],
    ...['"6"', 'null', 'true', '[6]', '{"value":6}'],
  ])('%s is refused', (status) => {
    expect(decode({ status })).toMatchObject({
      ok: false,
      fault: { code: 'INVALID_BODY', path: '/body/status' },
    });
  });
});

describe('text with NUL is rejected, with its path', () => {
  test.each<[string, Raw, string, string]>([
    [
      'a value of meta',
      { meta: '[{"key":"reason","value":"a\\u0000"}]' },
      'INVALID_BODY',
      '/body/meta/0/value',
    ],
    ['a key of meta', { meta: '{"a\\u0000b":"1"}' }, 'INVALID_BODY', '/body/meta/a\uFFFDb'],
    [
      'a nested unknown field',
      { inBody: '"x":[{"y":{"z":["\\u0000"]}}]' },
      'INVALID_BODY',
      '/body/x/0/y/z/0',
    ],
    ['an unknown key', { inBody: '"\\u0000":1' }, 'INVALID_BODY', '/body/\uFFFD'],
    ['an unknown field of the envelope', { inEnvelope: '"x":"\\u0000"' }, 'INVALID_ENVELOPE', '/x'],
    [
      'a member __proto__',
      { inEnvelope: '"__proto__":{"x":"\\u0000"}' },
      'INVALID_ENVELOPE',
      '/__proto__/x',
    ],
    ['after an escaped backslash', { inEnvelope: '"x":"\\\\\\u0000"' }, 'INVALID_ENVELOPE', '/x'],
    [
      'a member that a later duplicate replaces',
      { inEnvelope: '"x":"\\u0000","x":""' },
      'INVALID_ENVELOPE',
      '',
    ],
  ])('%s', (_name, raw, code, path) => {
    expect(decode(raw)).toMatchObject({ ok: false, fault: { code, path } });
  });

  test('50,000 levels down', () => {
    const deep = '['.repeat(50_000) + '"\\u0000"' + ']'.repeat(50_000);
    expect(decode({ inEnvelope: `"x":${deep}` })).toMatchObject({
      ok: false,
      fault: { code: 'INVALID_ENVELOPE', path: expect.stringMatching(/^\/x(\/0)+$/) as string },
    });
  });

  test('an escaped backslash before u0000 is not NUL', () => {
    const { meta } = eventOf({ meta: '[{"key":"path","value":"C:\\\\u0000"}]' }).body;
    expect(meta).toEqual([{ key: 'path', value: 'C:\\u0000' }]);
  });
});

test('a lone surrogate in meta becomes U+FFFD; an identifier with one is rejected', () => {
  expect(eventOf({ meta: '{"a\\ud800":"\\udc00b"}' }).body.meta).toEqual([
    { key: 'a\uFFFD', value: '\uFFFDb' },
  ]);
  expect(decode({ inBody: '"device_id":"\\ud800"' })).toMatchObject({
    fault: { code: 'INVALID_BODY', path: '/body/device_id' },
  });
});

test.each([
  ['a key of 100 KB', `{"${'k'.repeat(100_000)}":{}}`],
  ['a key with half of a surrogate pair', '{"\\ud800":{}}'],
])('the path of a fault is well-formed and short: %s', (_name, meta) => {
  const result = decode({ meta });
  expect(result.ok).toBe(false);
  if (result.ok) return;
  expect(result.fault.path.isWellFormed()).toBe(true);
  expect(result.fault.path.length).toBeLessThanOrEqual(1_000);
});
