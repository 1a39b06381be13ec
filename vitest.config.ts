import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { builtSource, isBuilt } from './test/support/built-source.js';
import { byDepth, isFullDepth, seed } from './test/support/depth.js';
import { LongestFirst } from './test/support/longest-first.js';
import { filesWithoutTheirPrograms } from './test/support/needed-programs.js';
import { isInstalled } from './test/support/servers.js';

// Projects and their worker processes read it from here.
process.env.TEST_SEED = String(seed);
if (process.argv.some((argument) => argument.endsWith('.test.ts'))) process.env.TEST_TURNS = 'all';
process.stdout.write(
  `Depth ${isFullDepth ? 'full' : 'quick'}, seed ${seed} (TEST_SEED=${seed} repeats it)\n`,
);

const tests: TestProjectInlineConfiguration = {
  plugins: isBuilt ? [builtSource] : [],
  test: {
    name: 'tests',
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(await filesWithoutTheirPrograms())],
    globalSetup: ['test/support/run-folder.ts', 'test/support/global-setup.ts'],
    setupFiles: ['test/support/leaked-listeners.ts', 'test/support/without-fsync.ts'],
    // Only what hangs ends by them, however busy the machine is.
    testTimeout: byDepth({ quick: 600_000, full: 900_000 }),
    hookTimeout: 180_000,
    expect: { poll: { timeout: 45_000 } },
    // Files share modules, but neither servers nor databases. Loading all modules again for each file costs as much
    // processor time as a third of the tests.
    isolate: false,
    sequence: { groupOrder: 0 },
    // On two cores: while some files wait, for a lease or for Chromium, others work. At full depth fewer, as more of its
    // files keep the cores busy.
    maxWorkers: byDepth({ quick: 6, full: 4 }),
  },
};

/** What concerns storage, on the PostgreSQL that is installed: the others have the one that comes with us. */
const onInstalledPostgres: TestProjectInlineConfiguration = {
  ...tests,
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

const hasPostgres =
  isFullDepth && (await isInstalled('pg_config', 'apt-get install postgresql libpq-dev'));

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      tests,
      ...(hasPostgres ? [onInstalledPostgres] : []),
      ...(isFullDepth ? ['vitest.chaos.config.ts'] : []),
    ],
  },
});
