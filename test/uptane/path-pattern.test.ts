/** Patterns of the paths that a delegation covers. */
import { expect, test } from 'vitest';
import { matchesPath } from '../../src/uptane/delegations/path-pattern.js';

test.each([
  ['a', 'a', true],
  ['a', 'A', false],
  ['*', '', true],
  ['*', 'abc', true],
  ['*', 'a/b', false],
  ['*/*', 'a/b', true],
  ['**', 'a/b', false],
  ['**', 'ab', true],
  ['a*b*c', 'aXbYbZc', true],
  ['a*b*c', 'aXcYb', false],
  ['*a', 'aaab', false],
  ['*.tgz', 'foo-1.tgz', true],
  ['foo-?.tgz', 'foo-12.tgz', false],
  ['?', '🚗', true],
  ['?', '/', false],
  ['??', '🚗', false],
  ['', '', true],
  ['', 'a', false],
  ['/a', 'a', false],
  ['a/', 'a', false],
  ['*', '.hidden', true],
  ['a.b', 'axb', false],
  ['[ab]', 'a', false],
  ['[ab]', '[ab]', true],
  ['\\*', 'a', false],
  ['a\nb', 'a\nb', true],
  ['*', 'a\nb', true],
])('the pattern %j and the path %j: %s', (pattern, path, expected) => {
  expect(matchesPath(pattern, path)).toBe(expected);
});

test('a hostile pattern costs no more than the product of both lengths', () => {
  expect(matchesPath(`${'*a'.repeat(2_000)}b`, 'a'.repeat(4_000))).toBe(false);
});
