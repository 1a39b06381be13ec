/** The comparison that the chaos suite relies on detects each kind of fault, so a passing suite means something. */
import { expect, test } from 'vitest';
import { deviations, NONE } from './deviations.js';

const A = '5YJSA1E40FF345678';
const B = '5YJSA1E40FF345679';
const sent = new Map([
  [A, { sent: ['0', '1', '2', '3'], acknowledged: new Set(['0', '1', '2']) }],
  [B, { sent: ['0'], acknowledged: new Set(['0']) }],
]);
const compare = (ofA: string[], ofB = ['0']) =>
  deviations(
    sent,
    new Map([
      [A, ofA],
      [B, ofB],
    ]),
  );

test('messages stored once and in order are no deviation, with or without the message in flight', () => {
  expect(compare(['0', '1', '2'])).toEqual(NONE);
  expect(compare(['0', '1', '2', '3'])).toEqual(NONE);
});

test('an acknowledged message that is not stored is lost', () => {
  expect(compare(['0', '2'])).toEqual({ ...NONE, lost: [`${A} 1`] });
  expect(deviations(sent, new Map([[B, ['0']]]))).toEqual({
    ...NONE,
    lost: [`${A} 0`, `${A} 1`, `${A} 2`],
  });
});

test('a message that is stored again is a duplicate, wherever it is stored', () => {
  expect(compare(['0', '0', '1', '2'])).toEqual({ ...NONE, twice: [`${A} 0`] });
  expect(compare(['0', '1', '2', '0'])).toEqual({ ...NONE, twice: [`${A} 0`] });
});

test('a message stored after a later one is out of order', () => {
  expect(compare(['1', '0', '2'])).toEqual({ ...NONE, outOfOrder: [`${A} 0`] });
  expect(compare(['2', '0', '1'])).toEqual({ ...NONE, outOfOrder: [`${A} 0`, `${A} 1`] });
  expect(compare(['3', '0', '1', '2']).outOfOrder).toHaveLength(3);
});

test('a message that no vehicle sent is unknown', () => {
  expect(compare(['0', '1', '2', '9'])).toEqual({ ...NONE, unknown: [`${A} 9`] });
  expect(deviations(new Map(), new Map([[A, ['0']]]))).toEqual({ ...NONE, unknown: [`${A} 0`] });
});
