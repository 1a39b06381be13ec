/** The messages of the seed, verbatim, and the errors for invalid ones. */
import { describe, expect, test } from 'vitest';
import {
  decodeMessage,
  EVENT_STATUS,
  lifecycleRank,
  EVENT_STATUS_NAMES,
  otaTrigger,
  encodeMessage,
  statusName,
} from '../../src/contract/index.js';

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');

const eventBody = {
  vin: '5YJSA1E40FF345678',
  device_id: 'device1234',
  device_type: 'TCU',
  status: 8,
  meta: [
    { key: 'download', value: '40%' },
    { key: 'reason', value: 'Network Failure' },
  ],
  timestamp: 1620891851,
  'ref-id': 'schedule 0909',
};

const event = {
  message_id: 'msg-dev-uniqueid',
  correlation_id: 'msg-cld-uniqueid',
  version: 'v1',
  system_id: 'c2c-sys-uniqueid',
  sub_system_id: 'c2c-sub-uniqueid',
  vin: '5YJSA1E40FF345678',
  device_id: '**device identifier **',
  ecu_type: '**ecu type**',
  source_id: 'c2c-edge',
  target_id: 'c2c-otaadapter',
  message_type: 'OTA_EVENT',
  time: 1620891851,
  ttl: -1,
  status: 'SUBMIT',
  property_bag: { body_encoding_type: 1 },
  body: base64(eventBody),
};

const decode = (envelope: object) => decodeMessage(Buffer.from(JSON.stringify(envelope)));
const without = (key: string) =>
  Object.fromEntries(Object.entries(event).filter(([name]) => name !== key));
const withBody = (changes: object) => ({ ...event, body: base64({ ...eventBody, ...changes }) });

test('the seed’s OTA event is decoded', () => {
  expect(decode(event)).toEqual({ ok: true, value: { ...event, body: eventBody } });
});

test('the seed’s acknowledgement is decoded', () => {
  const ack = {
    ...event,
    message_type: 'OTA_TRIGGER_ACK',
    body: base64({ acknowledge_time: 11111111 }),
  };
  expect(decode(ack)).toMatchObject({ ok: true, value: { body: { acknowledge_time: 11111111 } } });
});

test('our trigger has the fields of the seed’s example, in the same order', () => {
  const trigger = otaTrigger({
    triggerId: '0192d5b8-0000-7000-8000-000000000000',
    systemId: 'c2c-sys-1',
    deviceId: 'device1234',
    ecuType: 'TCU',
    time: 1620891851000,
    ttl: -1,
    ackRequired: true,
    body: {
      model: 'vehicle model a',
      'ref-id': 'schedule 0909',
      'script-ref-id': 'hu only 001',
      vin: '5YJSA1E40FF345678',
    },
  });
  expect(JSON.parse(encodeMessage(trigger).toString())).toEqual({
    message_id: 'msg-cld-0192d5b8-0000-7000-8000-000000000000',
    correlation_id: '',
    version: 'v1',
    system_id: 'c2c-sys-1',
    sub_system_id: '',
    vin: '5YJSA1E40FF345678',
    device_id: 'device1234',
    ecu_type: 'TCU',
    source_id: 'c2c-otaadapter',
    target_id: 'c2c-edge',
    message_type: 'OTA_TRIGGER',
    time: 1620891851,
    ttl: -1,
    status: 'SUBMIT',
    property_bag: { body_encoding_type: 1, ack_required: '1' },
    body: base64(trigger.body),
  });
});

test('each of the 18 values of the enum has its own lifecycle rank', () => {
  expect(Object.keys(EVENT_STATUS)).toHaveLength(18);
  const ranks = EVENT_STATUS_NAMES.map((name) => lifecycleRank(EVENT_STATUS[name]));
  expect(new Set(ranks).size).toBe(18);
  expect(lifecycleRank(999)).toBe(0);
  expect(statusName(999)).toBe('unknown(999)');
  expect(statusName(101)).toBe('consent_rejected');
});

describe('meta is accepted in each form that the contract names', () => {
  test.each([
    [[], []],
    [{}, []],
    [null, []],
    [
      { download: '40%', retries: 3 },
      [
        { key: 'download', value: '40%' },
        { key: 'retries', value: '3' },
      ],
    ],
    [[{ key: 'a', value: 1 }], [{ key: 'a', value: '1' }]],
    [[{ key: 'a', value: 'x\ud800y' }], [{ key: 'a', value: 'x\uFFFDy' }]],
    [{ '': '' }, [{ key: '', value: '' }]],
    [[{ key: '', value: '' }], [{ key: '', value: '' }]],
  ])('%j', (meta, expected) => {
    expect(decode(withBody({ meta }))).toMatchObject({
      ok: true,
      value: { body: { meta: expected } },
    });
  });
});

describe('an invalid message is rejected with the path of the fault', () => {
  const mandatory = [
    ...['message_id', 'version', 'system_id', 'vin', 'source_id', 'target_id'],
    ...['message_type', 'time', 'property_bag', 'body'],
  ];
  test.each([
    ...mandatory.map((key) => [`no ${key}`, without(key), 'INVALID_ENVELOPE', `/${key}`] as const),
    ['16 characters', { ...event, vin: '5YJSA1E40FF34567' }, 'INVALID_ENVELOPE', '/vin'],
    ['VIN with O', { ...event, vin: '5YJSA1E40FF34567O' }, 'INVALID_ENVELOPE', '/vin'],
    ['time as text', { ...event, time: 'now' }, 'INVALID_ENVELOPE', '/time'],
    ['version v2', { ...event, version: 'v2' }, 'INVALID_ENVELOPE', '/version'],
    ['wildcard', { ...event, system_id: 'a/+' }, 'INVALID_ENVELOPE', '/system_id'],
    ['NUL', { ...event, message_id: 'a\0' }, 'INVALID_ENVELOPE', '/message_id'],
    [
      'no encoding',
      { ...event, property_bag: {} },
      'INVALID_ENVELOPE',
      '/property_bag/body_encoding_type',
    ],
    [
      'other encoding',
      { ...event, property_bag: { body_encoding_type: 2 } },
      'UNSUPPORTED_BODY_ENCODING',
      '/property_bag/body_encoding_type',
    ],
    ['unknown type', { ...event, message_type: 'OTA_X' }, 'UNKNOWN_MESSAGE_TYPE', '/message_type'],
    ['body is no base64', { ...event, body: '{}' }, 'BODY_NOT_BASE64', '/body'],
    ['body is no UTF-8', { ...event, body: '/w==' }, 'BODY_NOT_UTF8', '/body'],
    ['body is no JSON', { ...event, body: 'e30' + 'A' }, 'BODY_NOT_JSON', '/body'],
    ['no status', withBody({ status: undefined }), 'INVALID_BODY', '/body/status'],
    ['status as text', withBody({ status: '6' }), 'INVALID_BODY', '/body/status'],
    ['no meta', withBody({ meta: undefined }), 'INVALID_BODY', '/body/meta'],
    ['no timestamp', withBody({ timestamp: undefined }), 'INVALID_BODY', '/body/timestamp'],
    ['no ref-id', withBody({ 'ref-id': undefined }), 'INVALID_BODY', '/body/ref-id'],
    ['another vehicle’s vin', withBody({ vin: '5YJSA1E40FF345679' }), 'INVALID_BODY', '/body/vin'],
    [
      'ack of nothing',
      { ...event, message_type: 'OTA_TRIGGER_ACK', correlation_id: '' },
      'INVALID_ENVELOPE',
      '/correlation_id',
    ],
  ] as const)('%s', (_name, envelope, code, path) => {
    expect(decode(envelope)).toMatchObject({ ok: false, fault: { code, path } });
  });
});
