/**
 * Hostile messages of a vehicle that are well-formed JSON, written as text so that they contain what our own encoder
 * cannot write.
 */
import fc from 'fast-check';
import { EVENT_STATUS } from '../../../src/contract/index.js';
import { type TestVehicle } from '../../support/messages.js';

const KB_100 = 'x'.repeat(100_000);

const numberText = fc.oneof(
  fc.constantFrom(
    ...['0', '-0', '1', '-1', '6.0', '6.5', '1E+1', '0.6e1', '65535', '65536', '2147483647'],
    ...['2147483648', '-2147483649', '9007199254740993', '1e308', '-1e308', '1e309', '-1e999999'],
    ...[
      '5e-324',
      '1e-999999',
      `1${'0'.repeat(400)}`,
      `0.${'0'.repeat(400)}1`,
      `6.${'0'.repeat(999)}`,
    ],
  ),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
);

/** Years 1 to 275,760, in seconds or ms. */
const timeText = fc.oneof(
  fc
    .record({
      year: fc.oneof(
        fc.integer({ min: 1, max: 275_760 }),
        fc.constantFrom(1, 1969, 1970, 2014, 9_999, 10_000, 294_276, 275_760),
      ),
      inSeconds: fc.boolean(),
    })
    .map(({ year, inSeconds }) => {
      const ms = new Date(0).setUTCFullYear(year, 0, 1);
      return String(inSeconds ? Math.floor(ms / 1000) : ms);
    }),
  numberText,
);

const stringText = fc.oneof(
  fc.constantFrom(
    ...['""', '"\\u0000"', '"a\\u0000b"', '"\\\\u0000"', '"\\\\\\u0000"', '"\\ud800"', '"\\udfff"'],
    ...['"\\ud83d\\ude97"', '"\\ude97\\ud83d"', '"\\uFFFE\\uFFFF"', '"\\u0001\\u001f\\u007f"'],
    ...['"{\\"a\\",NULL}"', '"\\\\x00"', '"\'; drop table events; --"', '"\u202e\u0301\u{1F697}"'],
    ...['"__proto__"', '"null"', '"\u2028\u2029"', `"${KB_100}"`, `"${'\\ud800'.repeat(10_000)}"`],
  ),
  fc.string({ unit: 'binary', maxLength: 30 }).map((text) => JSON.stringify(text)),
  fc.string({ unit: 'grapheme', maxLength: 300 }).map((text) => JSON.stringify(text)),
);

const deepText = fc
  .record({ depth: fc.constantFrom(10, 100, 1_000, 10_000), isObject: fc.boolean() })
  .map(({ depth, isObject }) =>
    isObject
      ? '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)
      : '['.repeat(depth) + ']'.repeat(depth),
  );

const keyText = fc.oneof(
  fc.constantFrom(
    ...[
      '"__proto__"',
      '"constructor"',
      '"toString"',
      '""',
      '"reason"',
      '"version:HU"',
      '"version:__proto__"',
    ],
    `"${KB_100}"`,
  ),
  stringText,
);

const anyText: fc.Arbitrary<string> = fc.oneof(
  numberText,
  stringText,
  deepText,
  fc.constantFrom('null', 'true', 'false', '[]', '{}'),
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
);

const metaValue = fc.oneof({ weight: 6, arbitrary: stringText }, numberText, anyText);
const metaText = fc.oneof(
  fc
    .array(fc.tuple(keyText, metaValue), { maxLength: 3 })
    .map((all) => `[${all.map(([key, value]) => `{"key":${key},"value":${value}}`).join(',')}]`),
  fc
    .array(fc.tuple(keyText, metaValue), { maxLength: 3 })
    .map((all) => `{${all.map(([key, value]) => `${key}:${value}`).join(',')}}`),
  anyText,
);

/** A member's key and value as JSON text. */
type Member = readonly [key: string, value: string];
const space = fc.constantFrom('', ' ', '\n', '\t', '\r\n', ' \t\r\n '.repeat(50));

const statusText = fc.oneof(
  fc.constantFrom(...Object.values(EVENT_STATUS)).map(String),
  fc.integer({ min: 0, max: 65_535 }).map(String),
  numberText,
);
/** Values for one field of the body. */
const hostileMember: fc.Arbitrary<Member> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('"status"'), statusText) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('"meta"'), metaText) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('"timestamp"'), timeText) },
  fc.tuple(fc.constantFrom('"vin"', '"device_id"', '"device_type"', '"ref-id"'), stringText),
  fc.tuple(fc.constantFrom('"status"', '"timestamp"', '"ref-id"', '"device_id"'), anyText),
  { weight: 3, arbitrary: fc.tuple(keyText, anyText) },
);
const hostileEnvelopeMember: fc.Arbitrary<Member> = fc.oneof(
  fc.tuple(fc.constantFrom('"time"', '"ttl"'), timeText),
  fc.tuple(
    fc.constantFrom('"correlation_id"', '"message_id"', '"status"', '"sub_system_id"'),
    stringText,
  ),
  fc.tuple(fc.constant('"property_bag"'), anyText),
  fc.tuple(keyText, anyText),
);

interface Place {
  readonly vehicle: TestVehicle;
  readonly refId: string;
  readonly messageId: string;
  /** ms */
  readonly now: number;
}

/** A faulty message of this sender. */
export const hostileMessage: fc.Arbitrary<(place: Place) => Buffer> = fc
  .record({
    body: fc.array(hostileMember, { minLength: 1, maxLength: 3 }),
    envelope: fc.oneof(
      { weight: 3, arbitrary: fc.constant<Member[]>([]) },
      fc.array(hostileEnvelopeMember, { maxLength: 2 }),
    ),
    /** Whether it replaces the member of that name or follows it; of duplicates, the last counts. */
    replaces: fc.boolean(),
    space,
    byteOrderMark: fc.boolean(),
  })
  .map(({ body, envelope, replaces, space, byteOrderMark }) => (place: Place) => {
    const write = (members: readonly Member[], changes: readonly Member[]) => {
      const changed = new Set(changes.map(([key]) => key));
      const kept = replaces ? members.filter(([key]) => !changed.has(key)) : members;
      const all = [...kept, ...changes].map(([key, value]) => `${key}${space}:${space}${value}`);
      return `${byteOrderMark ? '\ufeff' : ''}{${space}${all.join(`${space},${space}`)}${space}}${space}`;
    };
    const text = (value: string) => JSON.stringify(value);
    const bodyText = write(
      [
        ['"status"', '3'],
        ['"meta"', '[]'],
        ['"timestamp"', String(place.now)],
        ['"ref-id"', text(place.refId)],
      ],
      body,
    );
    const members: Member[] = [
      ['"message_id"', text(place.messageId)],
      ['"correlation_id"', '""'],
      ['"version"', '"v1"'],
      ['"system_id"', text(place.vehicle.systemId)],
      ['"vin"', text(place.vehicle.vin)],
      ['"source_id"', '"c2c-edge"'],
      ['"target_id"', '"c2c-otaadapter"'],
      ['"message_type"', '"OTA_EVENT"'],
      ['"time"', String(Math.floor(place.now / 1000))],
      ['"property_bag"', '{"body_encoding_type":1}'],
      ['"body"', text(Buffer.from(bodyText).toString('base64'))],
    ];
    return Buffer.from(write(members, envelope));
  });
