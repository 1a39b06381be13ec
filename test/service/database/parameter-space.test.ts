/** Parameters of one statement do not overlap; the next statement uses the same memory. */
import { expect, test } from 'vitest';
import { ParameterSpace, textParameter } from '../../../src/service/database/index.js';

const TEXTS = ['', 'a', 'ü€😀', 'x'.repeat(10_000), '{"key":"value"}'];

function write(space: ParameterSpace): (string | undefined)[] {
  space.clear();
  const allocate = (bytes: number) => space.allocate(bytes);
  const parameters = TEXTS.map((text) => textParameter(text, allocate));
  return parameters.map((parameter) => parameter?.toString());
}

test('each parameter keeps its value, the first time and when memory is reused', () => {
  const space = new ParameterSpace();
  expect([write(space), write(space), write(space)]).toEqual([TEXTS, TEXTS, TEXTS]);
});

test('no new memory is allocated once the needed size is known', () => {
  const space = new ParameterSpace();
  write(space);
  write(space);
  const first = space.allocate(0).buffer;
  write(space);
  expect(space.allocate(0).buffer).toBe(first);
});

test('very large parameters get separate memory', () => {
  const space = new ParameterSpace();
  const LARGE = 3 * 1024 * 1024;
  space.allocate(LARGE);
  space.clear();
  const large = space.allocate(LARGE);
  const small = space.allocate(10);
  expect([large.length, small.length]).toEqual([LARGE, 10]);
  expect(large.buffer).not.toBe(small.buffer);
  expect(small.buffer.byteLength).toBe(2 * 1024 * 1024);
});

test('null stays null', () => {
  expect(textParameter(null, (bytes) => Buffer.alloc(bytes))).toBeNull();
});
