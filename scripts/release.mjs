// Makes a release out of what is on `main`: checks it, builds and packs it, and records it in the changelog, a commit
// and a tag. It pushes and publishes nothing; docs/releasing.md says what follows.
//
//   npm run release -- patch             or minor, major, or a version such as 1.0.0-rc.1
//   npm run release -- patch --dry-run   all of the checks, and no change
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { released, unreleasedOf } from './release/changelog.mjs';
import { faultsOfPackage } from './release/package-contents.mjs';
import { nextVersion } from './release/version.mjs';

const BRANCH = 'main';
const USAGE = 'usage: npm run release -- <patch|minor|major|version> [--dry-run]';

process.chdir(join(dirname(fileURLToPath(import.meta.url)), '..'));

/** @param {string[]} args */
const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim();
/** @param {string} path */
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** @param {string[]} args */
function npm(...args) {
  const { status, error } = spawnSync('npm', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0)
    throw new Error(`npm ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
}

/** @returns {{ asked: string, isDryRun: boolean }} */
function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      options: { 'dry-run': { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const [asked, ...others] = positionals;
    if (asked !== undefined && others.length === 0) return { asked, isDryRun: values['dry-run'] };
  } catch {
    // The usage says it as well.
  }
  console.error(USAGE);
  process.exit(2);
}

/** Only what is committed, on the branch that everyone sees, is released. @param {string} version */
function requireCleanMain(version) {
  const branch = git('branch', '--show-current');
  if (branch !== BRANCH)
    throw new Error(`releases are made on ${BRANCH}, not on ${branch || 'a detached HEAD'}`);
  const changes = git('status', '--porcelain');
  if (changes !== '')
    throw new Error(`the working tree has changes that are not committed:\n${changes}`);
  if (git('tag', '--list', `v${version}`) !== '') throw new Error(`the tag v${version} exists`);
}

/** A fresh build, so that nothing of an older one is packed. */
function build() {
  rmSync('dist', { recursive: true, force: true });
  npm('run', '--silent', 'build');
}

/**
 * @param {string[]} flags
 * @returns {{ filename: string, files: string[], size: number }}
 */
function pack(...flags) {
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', ...flags], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [packed] = JSON.parse(output);
  return {
    filename: packed.filename,
    size: packed.size,
    files: packed.files.map(({ path }) => path),
  };
}

function requireRightContents() {
  const migrations = readdirSync('migrations', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.sql'))
    .map((path) => `migrations/${path.replaceAll('\\', '/')}`);
  const { files, size } = pack('--dry-run');
  const faults = faultsOfPackage(files, readJson('package.json'), migrations);
  if (faults.length > 0)
    throw new Error(`the package is not as it should be:\n${faults.join('\n')}`);
  console.log(`the package has ${files.length} files, ${Math.ceil(size / 1024)} KiB`);
}

/** @param {string} version */
function record(version) {
  const date = new Date().toISOString().slice(0, 10);
  const changelog = readFileSync('CHANGELOG.md', 'utf8');
  const notes = unreleasedOf(changelog);
  npm('version', version, '--no-git-tag-version', '--ignore-scripts', '--silent');
  writeFileSync('CHANGELOG.md', released(changelog, version, date));
  git(
    'commit',
    '--quiet',
    '--message',
    `Release ${version}`,
    'package.json',
    'package-lock.json',
    'CHANGELOG.md',
  );
  // Lines that begin with `#` are headings of the notes, not comments.
  git(
    'tag',
    '--annotate',
    `v${version}`,
    '--cleanup=verbatim',
    '--message',
    `${version}\n\n${notes}\n`,
  );
}

/** The file that is to be published: the one that was checked. */
function packForPublishing() {
  rmSync('release', { recursive: true, force: true });
  mkdirSync('release');
  const { filename } = pack('--pack-destination', 'release');
  const path = join('release', filename);
  const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
  writeFileSync(`${path}.sha256`, `${digest}  ${filename}\n`);
  return path;
}

function release() {
  const { asked, isDryRun } = readArguments();
  const version = nextVersion(readJson('package.json').version, asked);
  requireCleanMain(version);
  released(readFileSync('CHANGELOG.md', 'utf8'), version, '');
  npm('run', '--silent', 'release:check');
  build();
  requireRightContents();
  // Neither the checks nor the build may have changed what is released.
  requireCleanMain(version);
  if (isDryRun) {
    console.log(`dry run: ${version} could be released; nothing was changed`);
    return;
  }
  record(version);
  const path = packForPublishing();
  console.log(`released ${version}. To let others have it:
  git push --atomic origin ${BRANCH} v${version}
  npm publish ${path}`);
}

try {
  release();
} catch (error) {
  console.error(`no release: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
