import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { afterAll, beforeAll } from 'vitest';

/**
 * For the tests of a file that writes durably very often: `fsync` does nothing in this process. It protects from a cut of
 * the machine's power, which these tests have none of; the kernel keeps what a killed process has written.
 */
export function withoutFsync(): void {
  const { fsyncSync } = fs;
  beforeAll(() => {
    fs.fsyncSync = () => undefined;
    syncBuiltinESMExports();
  });
  afterAll(() => {
    fs.fsyncSync = fsyncSync;
    syncBuiltinESMExports();
  });
}
