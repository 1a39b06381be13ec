import { defineConfig } from 'vitest/config';

/** The chaos suite: one after another, because each needs the whole machine. */
export default defineConfig({
  test: {
    include: ['test/chaos/*.chaos.ts'],
    testTimeout: 60 * 60_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    maxWorkers: 1,
    // Its seed, and what it does when, must be seen while it runs.
    disableConsoleIntercept: true,
  },
});
