import { defineConfig } from 'vitest/config';
import { seed } from './test/support/depth.js';

process.env.TEST_SEED = String(seed);

/** The chaos suite: one after another and after all other tests, because each needs the whole machine. */
export default defineConfig({
  test: {
    name: 'chaos',
    include: ['test/chaos/*.chaos.ts'],
    testTimeout: 60 * 60_000,
    hookTimeout: 120_000,
    maxWorkers: 1,
    sequence: { groupOrder: 1 },
    // What it does when must be seen while it runs.
    disableConsoleIntercept: true,
  },
});
