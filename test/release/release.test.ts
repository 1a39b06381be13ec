/** `npm run release` in a separate repository: refusals and results. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isFullDepth } from '../support/depth.js';
import { faultsOfPackage } from '../../scripts/release/package-contents.mjs';
import { isInstalled, temporaryDirectory } from '../support/servers.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COPIED = [
  ...['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package-lock.json', 'package.json'],
  ...['docs/releasing.md', 'migrations', 'scripts/release', 'scripts/release.mjs', '.gitignore'],
];
/** Excludes personal Git settings, such as signed commits. */
const ENVIRONMENT = {
  PATH: process.env.PATH ?? '',
  HOME: process.env.HOME ?? '',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.invalid',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@example.invalid',
};
/** Writes every file that the manifest names, and one that the real build leaves for its own use. */
const BUILD = `
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
const { bin, exports } = JSON.parse(readFileSync('package.json', 'utf8'));
const named = [bin, ...Object.values(exports)].flatMap((target) => Object.values(target));
for (const path of [...named, './dist/.otaops-built']) {
  if (!path.startsWith('./dist/')) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
}
`;
const hasGit = await isInstalled('git', 'apt-get install git');

interface Manifest {
  version: string;
  bin: Record<string, string>;
  exports: Record<string, string | Record<string, string>>;
  files: string[];
  scripts: Record<string, string>;
}

const manifestOf = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

test.runIf(isFullDepth)('the package contains what it needs, and nothing else', () => {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [packed] = JSON.parse(output) as [{ files: { path: string }[] }];
  const migrations = readdirSync(join(ROOT, 'migrations'), { recursive: true })
    .map((path) => `migrations/${String(path)}`)
    .filter((path) => path.endsWith('.sql'));
  const files = packed.files.map(({ path }) => path);
  expect(migrations.length).toBeGreaterThan(0);
  expect(faultsOfPackage(files, manifestOf(ROOT), migrations)).toEqual([]);
});

describe.runIf(hasGit && isFullDepth)('a release', () => {
  let repository: string;
  const path = (name: string) => join(repository, name);
  const read = (name: string) => readFileSync(path(name), 'utf8');
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: repository, env: ENVIRONMENT, encoding: 'utf8' }).trim();
  const commit = (message: string) => {
    git('add', '--all');
    git('commit', '--quiet', '--message', message);
  };
  const changeManifest = (change: (manifest: Manifest) => void) => {
    const manifest = manifestOf(repository);
    change(manifest);
    writeFileSync(path('package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  };
  const release = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join('scripts', 'release.mjs'), ...args],
      { cwd: repository, env: ENVIRONMENT, encoding: 'utf8' },
    );
    return { code: status, output: stdout + stderr };
  };
  /** Everything that a release may change. */
  const snapshot = () => ({
    head: git('rev-parse', 'HEAD'),
    tags: git('tag'),
    changes: git('status', '--porcelain'),
    manifest: read('package.json'),
    changelog: read('CHANGELOG.md'),
  });

  beforeEach(() => {
    repository = temporaryDirectory('release');
    for (const name of COPIED) cpSync(join(ROOT, name), path(name), { recursive: true });
    // The checks and the build have their own tests, and take minutes.
    changeManifest(({ scripts }) => {
      scripts.build = 'node build.mjs';
      scripts['release:check'] = 'node -e ""';
    });
    writeFileSync(path('build.mjs'), BUILD);
    writeFileSync(
      path('CHANGELOG.md'),
      '# Changelog\n\n## Unreleased\n\n### Added\n\n- What is new.\n',
    );
    git('init', '--quiet', '--initial-branch', 'main');
    commit('Everything');
  });
  afterEach(() => {
    rmSync(repository, { recursive: true, force: true });
  });

  test('can be tried with a dry run, which changes nothing', () => {
    const before = snapshot();
    const { code, output } = release('patch', '--dry-run');
    expect(output).toMatch(/the package has \d+ files, \d+ KiB/);
    expect(output).toContain('dry run: 0.1.1 could be released; nothing was changed');
    expect(code).toBe(0);
    expect(snapshot()).toEqual(before);
  });

  test('makes a version, a changelog entry, a commit, a tag and a package', () => {
    const first = git('rev-parse', 'HEAD');
    const { code, output } = release('minor');
    expect(output).toContain('git push --atomic origin main v0.2.0');
    expect(output).toContain('npm publish release/otaops-0.2.0.tgz');
    expect(code).toBe(0);

    expect(git('status', '--porcelain')).toBe('');
    expect(git('log', '-1', '--format=%s %P')).toBe(`Release 0.2.0 ${first}`);
    expect(git('diff', '--name-only', 'HEAD~').split('\n')).toEqual([
      'CHANGELOG.md',
      'package-lock.json',
      'package.json',
    ]);
    expect(git('cat-file', '-t', 'v0.2.0')).toBe('tag');
    expect(git('rev-parse', 'v0.2.0^{commit}')).toBe(git('rev-parse', 'HEAD'));
    expect(git('tag', '--list', 'v0.2.0', '--format=%(contents)').trim()).toBe(
      '0.2.0\n\n### Added\n\n- What is new.',
    );
    expect(read('CHANGELOG.md')).toMatch(
      /^# Changelog\n\n## Unreleased\n\n## \[0\.2\.0\] - \d{4}-\d\d-\d\d\n\n### Added\n\n- What is new\.\n$/,
    );
    expect(manifestOf(repository).version).toBe('0.2.0');
    expect((JSON.parse(read('package-lock.json')) as Manifest).version).toBe('0.2.0');

    const packed = execFileSync('tar', ['tzf', path('release/otaops-0.2.0.tgz')]).toString();
    expect(packed).toContain('package/dist/cli/main.js\n');
    expect(packed).not.toContain('.otaops');
    const digest = createHash('sha256')
      .update(readFileSync(path('release/otaops-0.2.0.tgz')))
      .digest('hex');
    expect(read('release/otaops-0.2.0.tgz.sha256')).toBe(`${digest}  otaops-0.2.0.tgz\n`);

    // The changelog has no new entries since.
    const again = release('patch');
    expect(again.output).toMatch(/no entry under/);
    expect(again.code).toBe(1);
  });

  const REFUSALS: [string, () => void, string[], RegExp][] = [
    [
      'a changed file',
      () => writeFileSync(path('README.md'), 'changed'),
      ['patch'],
      /not committed:\nM README\.md/,
    ],
    [
      'a file that is not in the repository',
      () => writeFileSync(path('docs/secret.md'), ''),
      ['patch'],
      /not committed:\n\?\? docs\/secret\.md/,
    ],
    [
      'another branch',
      () => git('switch', '--quiet', '-c', 'other'),
      ['patch'],
      /made on main, not on other/,
    ],
    [
      'a detached HEAD',
      () => git('checkout', '--quiet', '--detach'),
      ['patch'],
      /not on a detached HEAD/,
    ],
    ['a tag that exists', () => git('tag', 'v0.1.1'), ['patch'], /the tag v0\.1\.1 exists/],
    ['an older version', () => undefined, ['0.0.9'], /0\.0\.9 does not come after 0\.1\.0/],
    ['nonsense for a version', () => undefined, ['latest'], /"latest" is not a version/],
    [
      'a check that fails',
      () => {
        changeManifest(({ scripts }) => (scripts['release:check'] = 'node -e "process.exit(3)"'));
        commit('Fail');
      },
      ['patch'],
      /release:check failed/,
    ],
    [
      'a build that fails',
      () => {
        changeManifest(({ scripts }) => (scripts.build = 'node -e "process.exit(3)"'));
        commit('Fail');
      },
      ['patch'],
      /build failed/,
    ],
    [
      'a build that changes what is released',
      () => {
        changeManifest(
          ({ scripts }) =>
            (scripts.build = `node build.mjs && node -e "fs.writeFileSync('LICENSE', '')"`),
        );
        commit('Change');
      },
      ['patch'],
      /not committed:\nM LICENSE/,
    ],
    [
      'a file that does not belong in the package',
      () => {
        writeFileSync(path('docs/notes.txt'), '');
        commit('Add notes');
      },
      ['patch'],
      /docs\/notes\.txt does not belong in the package/,
    ],
    [
      'a package without its migrations',
      () => {
        changeManifest(
          (manifest) => (manifest.files = manifest.files.filter((file) => file !== 'migrations')),
        );
        commit('Forget the migrations');
      },
      ['patch', '--dry-run'],
      /migrations\/adapter\/0001-\S+\.sql is missing/,
    ],
  ];
  test.each(REFUSALS)('is refused with %s', (what, prepare, args, why) => {
    prepare();
    const before = snapshot();
    const { code, output } = release(...args);
    expect(output).toMatch(/^no release: /m);
    expect(output).toMatch(why);
    expect(code).toBe(1);
    if (what !== 'a build that changes what is released') expect(snapshot()).toEqual(before);
  });

  test.each([[[]], [['patch', 'minor']], [['--force', 'patch']]])(
    'needs exactly one version: %j',
    (args) => {
      expect(release(...args)).toMatchObject({ code: 2, output: /^usage: / });
    },
  );
});
