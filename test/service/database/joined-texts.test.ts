/** PostgreSQL reads back exactly the joined texts, and no text that a message may contain has the separators. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeMessage } from '../../../src/contract/index.js';
import { joinedTexts, NOT_JOINABLE, splitTexts } from '../../../src/service/database/index.js';
import { openTestDatabase } from '../../support/databases.js';

let opened: Awaited<ReturnType<typeof openTestDatabase>>;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened.close());

const ODD = ['', ' ', 'NULL', '{', '}', ',', '"', '\\', '","', "'", '\n\t', '\u0001', 'ü€😀', '$1'];

const cases: [string, (string | null)[]][] = [
  ['none', []],
  ['one', ['a']],
  ['one empty text', ['']],
  ['two empty texts', ['', '']],
  ['an empty text at the end', ['a', '']],
  ['one NULL', [null]],
  ['NULLs among odd ones', ODD.flatMap((odd) => [null, odd])],
  ['a thousand', Array.from({ length: 1_000 }, (_, n) => `text ${n}`)],
];

test.each(cases)('%s', async (_name, values) => {
  const rows = await opened.database.query<{ value: string | null }>(
    `select value from unnest(${splitTexts('$1')}) with ordinality as t (value, nr) order by nr`,
    [joinedTexts(values)],
  );
  expect(rows.map(({ value }) => value)).toEqual(values);
});

const SEPARATORS = ['\u0002', '\u0003'];

const envelope = {
  message_id: 'msg-dev-1',
  correlation_id: '',
  version: 'v1',
  system_id: 'c2c-sys-1',
  sub_system_id: '',
  vin: '5YJSA1E40FF345678',
  device_id: 'd',
  ecu_type: 'TCU',
  source_id: 'c2c-edge',
  target_id: 'c2c-otaadapter',
  message_type: 'OTA_EVENT',
  time: 1_700_000_000,
  property_bag: { body_encoding_type: 1 },
};
const body = {
  device_id: 'd',
  device_type: 'TCU',
  status: 1,
  meta: [],
  timestamp: 1_700_000_000,
  'ref-id': 'r',
};
const bytesOf = (changed: object, changedBody: object = {}) => {
  const encoded = Buffer.from(JSON.stringify({ ...body, ...changedBody })).toString('base64');
  return Buffer.from(JSON.stringify({ ...envelope, body: encoded, ...changed }));
};

test('a message with a separator in any separately stored text is refused', () => {
  expect(decodeMessage(bytesOf({}))).toMatchObject({ ok: true });
  for (const separator of SEPARATORS) {
    const text = `a${separator}b`;
    for (const field of [
      'message_id',
      'correlation_id',
      'system_id',
      'sub_system_id',
      'vin',
      'device_id',
      'ecu_type',
    ]) {
      expect(decodeMessage(bytesOf({ [field]: text })).ok, field).toBe(false);
    }
    for (const field of ['ref-id', 'device_id', 'device_type']) {
      expect(decodeMessage(bytesOf({}, { [field]: text })).ok, field).toBe(false);
    }
    // Raw control characters are not valid JSON, so an envelope kept as received has none.
    const raw = bytesOf({ extra: 'here' }).toString().replace('here', text);
    expect(decodeMessage(Buffer.from(raw))).toMatchObject({
      ok: false,
      fault: { code: 'NOT_JSON' },
    });
    expect(text.replace(NOT_JOINABLE, ' ')).toBe('a b');
  }
});
