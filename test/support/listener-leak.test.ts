/** The setup of the tests detects exactly the leaks of which Node.js warns. */
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { hasListenerLeak, isListenerLeak, passOnListenerLeak } from './listener-leak.js';

const noWork = () => undefined;
const warnings: unknown[] = [];
beforeEach(() => {
  vi.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(warning));
});
afterEach(() => {
  vi.restoreAllMocks();
  warnings.length = 0;
});

test('eleven listeners on a signal are a leak', () => {
  const { signal } = new AbortController();
  for (let n = 0; n < 10; n++) signal.addEventListener('abort', () => noWork());
  expect(warnings).toEqual([]);
  signal.addEventListener('abort', noWork);
  expect(warnings.map(isListenerLeak)).toEqual([true]);
});

test('eleven listeners on an emitter are a leak', () => {
  const emitter = new EventEmitter();
  for (let n = 0; n < 11; n++) emitter.on('data', () => noWork());
  expect(warnings.map(isListenerLeak)).toEqual([true]);
});

test('other warnings are not a leak', () => {
  process.emitWarning(new Error('something else'));
  process.emitWarning('MaxListenersExceededWarning');
  expect(warnings.map(isListenerLeak)).toEqual([false, false]);
});

test('a warning of a child process counts as one of this process', () => {
  const output = 'started\n(node:7) MaxListenersExceededWarning: 11 abort listeners\n(use …)\n';
  expect(hasListenerLeak('started\n')).toBe(false);
  expect(hasListenerLeak(output)).toBe(true);
  passOnListenerLeak('otaops serve', output);
  expect(warnings.map(isListenerLeak)).toEqual([true]);
  expect(String(warnings[0])).toBe(
    'MaxListenersExceededWarning: otaops serve: (node:7) MaxListenersExceededWarning: 11 abort listeners',
  );
});
