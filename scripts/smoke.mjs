// A smoke test on another Node.js: fetches it from npm into a temporary folder, builds with it, and runs the tests
// that touch most of what differs between releases (HTTP, TLS and crypto, streams, processes, the file system).
//
//   npm run test:smoke          the newest release that we promise to run on
//   npm run test:smoke -- 24    another one, by major or full version
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEWEST = '26';
const TESTS = [
  'test/contract/seed-examples.test.ts',
  'test/contract/round-trip.test.ts',
  'test/update-script/update-script.test.ts',
  'test/exports.test.ts',
  'test/end-to-end/seed-trigger.test.ts',
  'test/uptane/cycle.test.ts',
  'test/vehicle/update.test.ts',
  'test/carota/artifacts.test.ts',
];

process.chdir(join(dirname(fileURLToPath(import.meta.url)), '..'));
const [version = NEWEST] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'otaops-smoke-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** @param {string} what @param {string} command @param {string[]} args @param {NodeJS.ProcessEnv} env */
function run(what, command, args, env = process.env) {
  console.log(`${what} …`);
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env });
  if (status === 0) return;
  console.error(`${what} failed${error === undefined ? '' : `: ${error.message}`}`);
  process.exit(status ?? 1);
}

const name = `node-${process.platform}-${process.arch}`;
run(`Fetching Node.js ${version}`, 'npm', [
  ...['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'],
  ...['--loglevel=error', `${name}@${version}`],
]);
const env = {
  ...process.env,
  PATH: join(folder, 'node_modules', name, 'bin') + delimiter + (process.env.PATH ?? ''),
  // What the next release removes is an error here, not a line that nobody reads.
  NODE_OPTIONS: '--throw-deprecation',
};
run('Node.js', 'node', ['--version'], env);
run('Building', 'node', [join('scripts', 'prepare.mjs'), '--again'], env);
run('Testing', 'node', [join('node_modules', 'vitest', 'vitest.mjs'), 'run', ...TESTS], env);
