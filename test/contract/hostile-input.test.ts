/** No byte string crashes the decoder: it returns a message, or an error with a path. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type AnyMessage,
  decodeMessage,
  encodeMessage,
  MAX_MESSAGE_BYTES,
} from '../../src/contract/index.js';
import { anyMessage } from './arbitraries.js';
import { cases, seed } from '../support/depth.js';

const CASES = cases({ quick: 200, full: 25_000 });

function decodeAndCheck(bytes: Uint8Array) {
  const result = decodeMessage(bytes);
  if (result.ok) {
    expect(result.value.vin).toMatch(/^[A-HJ-NPR-Z0-9]{17}$/);
    // An accepted message can be sent again and reads the same.
    const again = encodeMessage(result.value);
    if (again.length <= MAX_MESSAGE_BYTES) expect(decodeMessage(again).ok).toBe(true);
  } else {
    expect(result.fault.code).toMatch(/^[A-Z0-9_]+$/);
    expect(result.fault.path).toMatch(/^(\/.*)?$/);
    expect(result.fault.message).not.toBe('');
  }
  return result;
}

/** Values that tend to break programs. */
const nasty: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    -0,
    1e308,
    -1e308,
    2 ** 53 + 1,
    5e-324,
    '',
    '\0',
    '\u001b[2J',
    '\ud800',
    'a\udfffb',
    '__proto__',
    [],
    {},
    [[[]]],
  ),
  fc.string({ unit: 'binary' }),
  fc.bigInt().map((n) => Number(n)),
  fc.jsonValue(),
);

/** A valid envelope as JSON text, with fields removed, replaced or added. */
const mutatedEnvelope = fc
  .record({
    message: anyMessage,
    edits: fc.array(
      fc.record({
        inBody: fc.boolean(),
        key: fc.oneof(
          fc.constantFrom(
            ...['message_id', 'correlation_id', 'version', 'system_id', 'vin', 'time', 'ttl'],
            ...['message_type', 'property_bag', 'status', 'meta', 'timestamp', 'ref-id', 'body'],
            ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'vins', 'model'],
          ),
          fc.string(),
        ),
        remove: fc.boolean(),
        value: nasty,
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(({ message, edits }) => {
    const fields = new Map<string, unknown>(Object.entries(message));
    const body = new Map<string, unknown>(Object.entries(message.body));
    for (const { inBody, key, remove, value } of edits) {
      const target = inBody ? body : fields;
      if (remove) target.delete(key);
      else target.set(key, value);
    }
    if (typeof fields.get('body') === 'object') {
      fields.set('body', Buffer.from(jsonObject(body)).toString('base64'));
    }
    return Buffer.from(jsonObject(fields));
  });

/** JSON text with exactly these members, including `__proto__` as an ordinary key. */
function jsonObject(members: Map<string, unknown>): string {
  const pairs = [...members].map(([key, value]) => `${JSON.stringify(key)}:${json(value)}`);
  return `{${pairs.join(',')}}`;
}
const json = (value: unknown) => (JSON.stringify(value) as string | undefined) ?? 'null';

const withBody = (message: AnyMessage, body: string) =>
  Buffer.from(JSON.stringify({ ...message, body }));

test('random bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void decodeAndCheck(bytes)),
    CASES,
  );
});

test('random JSON with prototype keys, lone surrogates and large numbers', () => {
  const text = fc.oneof(
    fc.jsonValue().map(json),
    fc.array(nasty).map(json),
    fc
      .array(fc.tuple(fc.string({ unit: 'binary' }), nasty))
      .map((members) => jsonObject(new Map(members))),
    fc.constantFrom('1e400', '-1e400', '{"time":1e999}', '"\\ud800"', '{"__proto__":{"vin":1}}'),
  );
  fc.assert(
    fc.property(text, (text) => void decodeAndCheck(Buffer.from(text))),
    CASES,
  );
});

test('valid envelopes with changed fields', () => {
  let refused = 0;
  let taken = 0;
  fc.assert(
    fc.property(mutatedEnvelope, (bytes) => {
      if (decodeAndCheck(bytes).ok) taken += 1;
      else refused += 1;
    }),
    CASES,
  );
  // The generator produces both accepted and rejected messages.
  expect(refused).toBeGreaterThan(CASES.numRuns / 10);
  expect(taken).toBeGreaterThan(CASES.numRuns / 100);
});

test('valid envelopes with flipped, missing or repeated bytes', () => {
  const damaged = fc
    .record({
      message: anyMessage,
      at: fc.nat(),
      kind: fc.constantFrom('flip', 'cut', 'double', 'insert'),
      byte: fc.integer({ min: 0, max: 255 }),
    })
    .map(({ message, at, kind, byte }) => {
      const bytes = encodeMessage(message);
      const position = at % bytes.length;
      if (kind === 'flip') bytes[position] = (bytes[position] ?? 0) ^ (byte || 1);
      if (kind === 'cut') return bytes.subarray(0, position);
      if (kind === 'double') return Buffer.concat([bytes, bytes.subarray(position)]);
      if (kind === 'insert') {
        return Buffer.concat([
          bytes.subarray(0, position),
          Buffer.of(byte),
          bytes.subarray(position),
        ]);
      }
      return bytes;
    });
  fc.assert(
    fc.property(damaged, (bytes) => void decodeAndCheck(bytes)),
    CASES,
  );
});

test('bodies that are not base64, or base64 of something other than JSON', () => {
  const base64Text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.base64String(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')),
    fc.jsonValue().map((value) => Buffer.from(json(value)).toString('base64')),
  );
  fc.assert(
    fc.property(anyMessage, base64Text, (message, body) => {
      decodeAndCheck(withBody(message, body));
    }),
    CASES,
  );
});

test.each([
  ['arrays', '['.repeat(130_000)],
  ['closed arrays', '['.repeat(100_000) + ']'.repeat(100_000)],
  ['objects', '{"a":'.repeat(40_000) + '1' + '}'.repeat(40_000)],
])('nesting 40,000 deep and more: %s', (_name, text) => {
  expect(decodeAndCheck(Buffer.from(text)).ok).toBe(false);
  const message = fc.sample(anyMessage, { numRuns: 1, seed })[0];
  if (!message) throw new Error('no sample');
  const nested = Buffer.from(text.slice(0, 90_000)).toString('base64');
  expect(decodeAndCheck(withBody(message, nested)).ok).toBe(false);
});

test('a deeply nested extra field in a valid envelope is accepted', () => {
  const message = fc.sample(anyMessage, { numRuns: 1, seed })[0];
  if (!message) throw new Error('no sample');
  const text = encodeMessage(message).toString();
  const deep = '['.repeat(50_000) + ']'.repeat(50_000);
  expect(decodeMessage(Buffer.from(`{"x":${deep},${text.slice(1)}`)).ok).toBe(true);
});

test('a message over 256 KiB', () => {
  const result = decodeAndCheck(Buffer.alloc(MAX_MESSAGE_BYTES + 1, 0x20));
  expect(result).toMatchObject({ ok: false, fault: { code: 'PAYLOAD_TOO_LARGE' } });
});
