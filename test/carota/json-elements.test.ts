/** Elements of an array in JSON text, each unchanged. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { elementTexts } from '../../src/carota/events/json-elements.js';
import { cases } from '../support/depth.js';

const space = fc.constantFrom('', ' ', '\n', '\t\r\n  ');

/** JSON text of a value with white space wherever JSON allows it. */
const { text } = fc.letrec<{ text: string }>((tie) => {
  const padded = fc.tuple(space, tie('text'), space).map((parts) => parts.join(''));
  const member = fc
    .tuple(fc.string({ unit: 'binary' }), space, padded)
    .map(([key, gap, value]) => `${JSON.stringify(key)}${gap}:${value}`);
  return {
    text: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('null', '-0', '1.50', '1E+2', '""', '"]"', '"\\""', '"\\\\"', '"},{"'),
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc.array(padded, { maxLength: 4 }).map((all) => `[${all.join(',')}]`),
      fc.array(member, { maxLength: 4 }).map((all) => `{${all.join(', ')}}`),
    ),
  };
});

test('each element is found unchanged', () => {
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 5 }),
      fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }),
      space,
      (elements, others, gap) => {
        const before = JSON.stringify(others).slice(1, -1);
        const list = `[${gap}${elements.join(`${gap},${gap}`)}${gap}]`;
        const whole = `${gap}{"body":{"events":[1]}${before && `,${before}`},"body"${gap}:${gap}{"events":{},"events":${list}}}`;
        JSON.parse(whole);
        expect(elementTexts(whole, ['body', 'events'])).toEqual(elements);
      },
    ),
    cases({ quick: 100, full: 2_000 }),
  );
});

test('elements nested 100,000 levels deep are found', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  expect(elementTexts(`{"x":${deep},"body":{"events":[${deep},2]}}`, ['body', 'events'])).toEqual([
    deep,
    '2',
  ]);
});
