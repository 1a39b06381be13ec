import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { isFullDepth, seed } from './test/support/depth.js';

// Projects and their worker processes read it from here.
process.env.TEST_SEED = String(seed);
process.stdout.write(
  `Depth ${isFullDepth ? 'full' : 'quick'}, seed ${seed} (TEST_SEED=${seed} repeats it)\n`,
);

const tests: TestProjectInlineConfiguration = {
  test: {
    name: 'tests',
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Test files share modules, not servers or databases: loading the modules anew for each file took as long as half of the tests.
    isolate: false,
    sequence: { groupOrder: 0 },
    // On two cores: while one file waits, for a lease or for Chromium, two others work.
    maxWorkers: 3,
  },
};

/** What concerns storage, on the PostgreSQL that is installed: the others have the one that comes with us. */
const onInstalledPostgres: TestProjectInlineConfiguration = {
  test: {
    ...tests.test,
    name: 'installed PostgreSQL',
    include: [
      'test/adapter/{ack-after-commit,d2c-receiver,duplicates,migrations,operation,registry,retention}.test.ts',
      'test/adapter/{several-adapters,state-of-a-vehicle}.test.ts',
      'test/adapter/{c2d-sender,call-back,event-stream,operations}/*.test.ts',
      'test/carota/{approval,guard,refused-events,schedules}.test.ts',
      'test/service/clock.test.ts',
    ],
    env: { OTAOPS_TEST_POSTGRES: 'installed' },
  },
};

export default defineConfig({
  test: {
    projects: isFullDepth ? [tests, onInstalledPostgres, 'vitest.chaos.config.ts'] : [tests],
  },
});
