/** JSON from a potential attacker, and its canonical form. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  canonicalJson,
  compareCodePoints,
  NotCanonical,
} from '../../src/uptane/json/canonical-json.js';
import { BadJson, parseJson } from '../../src/uptane/json/parse-json.js';
import { cases } from '../support/depth.js';

const parse = (text: string) => parseJson(Buffer.from(text));
const canonical = (text: string) => canonicalJson(parse(text)).toString();

describe('invalid JSON, and JSON that programs read differently, is rejected', () => {
  test.each<[what: string, bytes: string | Buffer]>([
    ['nothing', ''],
    ['only blanks', ' \n'],
    ['a byte order mark', '\ufeff{}'],
    ['UTF-16', Buffer.from('{}', 'utf16le')],
    ['invalid UTF-8 in a string', Buffer.from([0x22, 0xff, 0x22])],
    ['invalid UTF-8 after the end', Buffer.from([0x7b, 0x7d, 0xc0, 0x80])],
    ['an overlong slash', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['half a surrogate pair', '"\\ud800"'],
    ['a pair the wrong way round', '"\\udc00\\ud800"'],
    ['half a pair as a member name', '{"\\udfff":1}'],
    ['a repeated member', '{"a":1,"a":1}'],
    ['a repeated member, written differently', '{"a":1,"\\u0061":2}'],
    ['a repeated __proto__', '{"__proto__":1,"__proto__":1}'],
    ['two values', '{} {}'],
    ['a comma too many in an object', '{"a":1,}'],
    ['a comma too many in an array', '[1,]'],
    ['a missing comma', '[1 2]'],
    ['a missing colon', '{"a" 1}'],
    ['a name without quotes', '{a:1}'],
    ['single quotes', "{'a':1}"],
    ['a comment', '{}//'],
    ['NaN', '[NaN]'],
    ['Infinity', '[-Infinity]'],
    ['a leading zero', '[01]'],
    ['a plus', '[+1]'],
    ['a point without digits', '[1.]'],
    ['hex', '[0x10]'],
    ['a control character in a string', '"\n"'],
    ['a NUL in a string', '"\0"'],
    ['an unknown escape', '"\\x41"'],
    ['an escape of too few digits', '"\\u00g0"'],
    ['a string without its end', '"abc'],
    ['an escape at the end', '"abc\\'],
    ['an object without its end', '{"a":1'],
    ['a no-break space', '\u00a0{}'],
    ['100,000 arrays in each other', '['.repeat(100_000)],
    ['100,000 objects in each other', '{"a":'.repeat(100_000)],
  ])('%s', (_what, bytes) => {
    expect(() => parseJson(Buffer.from(bytes))).toThrow(BadJson);
  });

  test('the message names the position', () => {
    expect(() => parse('{"a": 1,\n "a": 2}')).toThrow(
      'is not JSON: line 2, column 2: the member "a" is repeated',
    );
  });
});

test('all other JSON is read as by JSON.parse', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (text) => {
      const plain = (value: any): unknown => {
        if (value instanceof Map)
          return Object.fromEntries([...value].map(([k, v]) => [k, plain(v)]));
        if (Array.isArray(value)) return value.map(plain);
        return typeof value?.text === 'string' ? Number(value.text) : value;
      };
      const expected: unknown = JSON.parse(text);
      const duplicates = text.includes('__proto__');
      if (!duplicates) expect(plain(parse(text))).toEqual(expected);
    }),
    cases({ quick: 100, full: 5_000 }),
  );
});

test('members are sorted by code point, not by UTF-16 unit', () => {
  // U+FB33 sorts before U+1F600, whose first unit is D83D.
  expect(canonical('{"\ud83d\ude00":1,"\ufb33":2,"a":3,"B":4,"":5}')).toBe(
    '{"":5,"B":4,"a":3,"\ufb33":2,"\ud83d\ude00":1}',
  );
});

test('the sort order is that of UTF-8 bytes', () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareCodePoints(a, b))).toBe(
        Buffer.compare(Buffer.from(a), Buffer.from(b)),
      );
    }),
    cases({ quick: 100, full: 5_000 }),
  );
});

test.each([
  ['only quotes and backslashes are escaped', '"\\u0022\\\\\\n\\u0000\\/é"', '"\\"\\\\\n\0/é"'],
  ['blanks go', ' { "a" : [ 1 , true , null ] } ', '{"a":[1,true,null]}'],
  ['a name is escaped too', '{"a\\"b":{}}', '{"a\\"b":{}}'],
  ['-0 is 0', '-0', '0'],
  ['the greatest integers', '[9007199254740991,-9007199254740991]', undefined],
  ['__proto__ is a name like any other', '{"__proto__":{"a":1},"z":2}', undefined],
])('%s', (_what, text, expected) => {
  expect(canonical(text)).toBe(expected ?? text);
});

test.each(['1.0', '1e2', '0.5', '9007199254740992', '-9007199254740992', '1E400'])(
  '%s has no canonical form',
  (text) => {
    expect(() => canonical(`{"a":[${text}]}`)).toThrow(NotCanonical);
  },
);
