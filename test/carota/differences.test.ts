/** Differences between two JSON documents: small cases, and completeness. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { differences } from '../../src/carota/schedules/differences.js';
import { cases } from '../support/depth.js';

test.each([
  [{ a: 1 }, { a: 1 }, []],
  [{ a: 1 }, { a: 2 }, [{ path: '/a', before: 1, after: 2 }]],
  [{}, { a: { b: 1 } }, [{ path: '/a', before: null, after: { b: 1 } }]],
  [{ a: { b: 1, c: 1 } }, { a: { b: 1 } }, [{ path: '/a/c', before: 1, after: null }]],
  [{ 'a/b': { '~': 1 } }, { 'a/b': { '~': 2 } }, [{ path: '/a~1b/~0', before: 1, after: 2 }]],
  // A list of objects is compared item by item, a list of texts as a whole.
  [
    { waves: [{ percent: 1 }, { percent: 10 }] },
    { waves: [{ percent: 1 }, { percent: 20 }, { vehicles: 5 }] },
    [
      { path: '/waves/1/percent', before: 10, after: 20 },
      { path: '/waves/2', before: null, after: { vehicles: 5 } },
    ],
  ],
  [{ tags: ['a', 'b'] }, { tags: ['b'] }, [{ path: '/tags', before: ['a', 'b'], after: ['b'] }]],
  [{ a: [{}] }, { a: [] }, [{ path: '/a', before: [{}], after: [] }]],
  [{ a: [1] }, { a: { 0: 1 } }, [{ path: '/a', before: [1], after: { 0: 1 } }]],
  [{ a: [] }, { a: {} }, [{ path: '/a', before: [], after: {} }]],
])('%j to %j', (before, after, expected) => {
  expect(differences(before, after)).toEqual(expected);
});

/** Documents without null, which stands for absence, as in plans and scripts. */
const { document } = fc.letrec((tie) => ({
  document: fc.dictionary(fc.string({ maxLength: 3 }), tie('value'), { maxKeys: 4 }),
  value: fc.oneof(
    { maxDepth: 3 },
    fc.integer({ max: 3, min: 0 }),
    fc.boolean(),
    fc.array(fc.integer({ max: 2, min: 0 }), { maxLength: 3 }),
    fc.array(tie('document'), { maxLength: 3 }),
    tie('document'),
  ),
}));

test('there are none if and only if two documents are equal, and each path is listed once', () => {
  fc.assert(
    fc.property(document, document, (before, after) => {
      const found = differences(before, after);
      expect(found.length === 0).toBe(
        JSON.stringify(sorted(before)) === JSON.stringify(sorted(after)),
      );
      expect(new Set(found.map(({ path }) => path)).size).toBe(found.length);
      // The same in both directions.
      const back = differences(after, before);
      expect(back).toEqual(found.map((one) => ({ ...one, before: one.after, after: one.before })));
    }),
    cases({ quick: 100, full: 5_000 }),
  );
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]));
}
