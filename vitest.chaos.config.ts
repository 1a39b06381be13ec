import { defineConfig } from 'vitest/config';
import { isLong, seed } from './test/support/depth.js';

// As a project of vitest.config.ts it finds the seed that was chosen and printed there.
if (process.env.TEST_SEED === undefined) {
  process.env.TEST_SEED = String(seed);
  process.stdout.write(`Seed ${seed} (TEST_SEED=${seed} repeats it)\n`);
}

/** The chaos suite, after all other tests. */
export default defineConfig({
  test: {
    name: 'chaos',
    include: ['test/chaos/*.chaos.ts'],
    globalSetup: ['test/support/run-folder.ts'],
    testTimeout: 60 * 60_000,
    hookTimeout: 120_000,
    // Of the short form, files wait for leases and time-outs most of their time: one takes a third of a core.
    maxWorkers: isLong ? 1 : 5,
    sequence: { groupOrder: 1 },
    // What it does when must be seen while it runs.
    disableConsoleIntercept: true,
  },
});
