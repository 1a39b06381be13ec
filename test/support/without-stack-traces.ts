import { afterAll, beforeAll } from 'vitest';

/**
 * For the tests of a file or block in which nearly every case throws and the stack traces do not matter: collecting
 * them costs a fifth of the processor time.
 */
export function withoutStackTraces(): void {
  const { stackTraceLimit } = Error;
  beforeAll(() => {
    Error.stackTraceLimit = 0;
  });
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });
}
