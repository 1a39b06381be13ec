// Makes a fresh clone ready: installs what is missing or out of date, and builds what has changed.
// Runs before `npm start` and `npm test`, with nothing installed but Node and npm.
//
//   node scripts/prepare.mjs            `--again`: builds even where nothing has changed
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);
const again = process.argv.includes('--again');

function run(what, command, ...args) {
  console.log(`${what} …`);
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) {
    console.error(`${what} failed`);
    process.exit(status ?? 1);
  }
}

const filesBelow = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

function digestOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update('\0').update(readFileSync(file));
  return hash.digest('hex');
}

const bin = (name, file) => join('node_modules', name, 'bin', file);

/** Runs the work if the files differ from when it last succeeded, or if it is forced. */
function once(marker, files, work, isForced = false) {
  const digest = digestOf(files);
  if (!isForced && existsSync(marker) && readFileSync(marker, 'utf8') === digest) return;
  // Work that is broken off leaves something in between.
  rmSync(marker, { force: true });
  work();
  mkdirSync(dirname(marker), { recursive: true });
  writeFileSync(marker, digest);
}

once('node_modules/.otaops-installed', ['package-lock.json'], () =>
  run('Installing', 'npm', 'ci', '--no-audit', '--no-fund', '--loglevel=error'),
);
const configuration = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
const isConsole = (file) => file.startsWith(join('src', 'console'));
const sources = filesBelow('src');
const bundler = join('scripts', 'bundle-typebox.mjs');
once(
  'dist/.otaops-built',
  [...sources.filter((file) => !isConsole(file)), ...configuration, bundler],
  () => {
    // Unchecked, which takes half the time: types are checked by `npm run types`, and by the build of a release.
    const build = ['-p', 'tsconfig.build.json', '--noCheck'];
    run('Building', process.execPath, bin('typescript', 'tsc'), ...build);
    run('Bundling the schema library', process.execPath, bundler);
  },
  again,
);
// What the console takes from the contract is part of it.
const consoleSources = sources.filter(
  (file) => isConsole(file) || file.startsWith(join('src', 'contract')),
);
once(
  'dist/.otaops-console-built',
  [...consoleSources, ...configuration, 'vite.console.config.ts'],
  () =>
    run(
      'Building the console',
      process.execPath,
      bin('vite', 'vite.js'),
      'build',
      '--config',
      'vite.console.config.ts',
      '--logLevel',
      'warn',
    ),
  again,
);
if (!statSync('dist/cli/main.js').isFile()) process.exit(1);
