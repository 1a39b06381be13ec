/**
 * Setup of all tests: a test file fails if Node.js warns of leaked listeners while it runs, in this process or in a
 * command that it starts (see `process.ts`).
 */
import { afterAll, beforeAll } from 'vitest';
import { isListenerLeak } from './listener-leak.js';

const leaks: string[] = [];
const emit = process.emitWarning.bind(process) as (...args: unknown[]) => void;

beforeAll(() => {
  // Not the event `warning`: commands that run in this process replace its listeners. Also, the stack here shows the
  // leak.
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (isListenerLeak(warning)) leaks.push(warning.stack ?? warning.message);
    emit(warning, ...rest);
  };
});

afterAll(() => {
  process.emitWarning = emit;
  if (leaks.length > 0) throw new Error(`Leaked listeners:\n${leaks.join('\n')}`);
});
