// Makes a fresh clone ready: installs what is missing or out of date, and builds what has changed.
// Runs before `npm start` and `npm test`, with nothing installed but Node and npm.
//
//   node scripts/prepare.mjs            `--again`: builds even where nothing has changed
import { spawn } from 'node:child_process';
import { once as event } from 'node:events';
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
import { isDeepStrictEqual } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);
const again = process.argv.includes('--again');

async function run(what, command, ...args) {
  console.log(`${what} …`);
  const [status] = await event(
    spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] }),
    'exit',
  );
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
async function once(marker, files, work, isForced = false) {
  const digest = digestOf(files);
  if (!isForced && existsSync(marker) && readFileSync(marker, 'utf8') === digest) return;
  // Work that is broken off leaves something in between.
  rmSync(marker, { force: true });
  await work();
  mkdirSync(dirname(marker), { recursive: true });
  writeFileSync(marker, digest);
}

/** Whether `npm ci` has been run by hand: npm notes what it has installed, which leaves out what other systems need. */
function isInstalled() {
  const noted = join('node_modules', '.package-lock.json');
  if (!existsSync(noted)) return false;
  const packagesIn = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;
  const installed = packagesIn(noted);
  const wanted = packagesIn('package-lock.json');
  delete wanted[''];
  return (
    Object.keys(installed).every((path) => path in wanted) &&
    Object.entries(wanted).every(([path, entry]) =>
      path in installed ? isDeepStrictEqual(installed[path], entry) : entry.optional,
    )
  );
}

await once('node_modules/.otaops-installed', ['package-lock.json'], async () => {
  if (isInstalled()) return;
  await run('Installing', 'npm', 'ci', '--no-audit', '--no-fund', '--loglevel=error');
});

const configuration = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
const isConsole = (file) => file.startsWith(join('src', 'console'));
const sources = filesBelow('src');
const bundler = join('scripts', 'bundle-typebox.mjs');

/** All but the console. Unchecked, which takes half the time: `npm run types` checks types, and so does a release's build. */
async function buildProgram() {
  const build = ['-p', 'tsconfig.build.json', '--noCheck'];
  await run('Building', process.execPath, bin('typescript', 'tsc'), ...build);
  await run('Bundling the schema library', process.execPath, bundler);
}

async function buildConsole() {
  const build = ['build', '--config', 'vite.console.config.ts', '--logLevel', 'warn'];
  await run('Building the console', process.execPath, bin('vite', 'vite.js'), ...build);
}

await Promise.all([
  once(
    'dist/.otaops-built',
    [...sources.filter((file) => !isConsole(file)), ...configuration, bundler],
    buildProgram,
    again,
  ),
  once(
    'dist/.otaops-console-built',
    // What the console takes from the contract is part of it.
    [
      ...sources.filter((file) => isConsole(file) || file.startsWith(join('src', 'contract'))),
      ...configuration,
      'vite.console.config.ts',
    ],
    buildConsole,
    again,
  ),
]);
if (!statSync('dist/cli/main.js').isFile()) process.exit(1);
