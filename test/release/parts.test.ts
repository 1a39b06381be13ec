/** The decisions of a release: the next version, the changelog, the permitted contents of the package. */
import { describe, expect, test } from 'vitest';
import { released, unreleasedOf } from '../../scripts/release/changelog.mjs';
import { faultsOfPackage } from '../../scripts/release/package-contents.mjs';
import { nextVersion } from '../../scripts/release/version.mjs';

describe('the next version', () => {
  test.each([
    ['0.1.0', 'patch', '0.1.1'],
    ['0.1.9', 'minor', '0.2.0'],
    ['0.9.9', 'major', '1.0.0'],
    ['1.0.0-rc.1', 'patch', '1.0.0'],
    ['1.0.0-rc.1', 'minor', '1.0.0'],
    ['1.0.0-rc.1', 'major', '1.0.0'],
    ['1.1.0-rc.1', 'major', '2.0.0'],
    ['1.0.1-rc.1', 'minor', '1.1.0'],
    ['0.1.0', '0.1.1-rc.1', '0.1.1-rc.1'],
    ['1.0.0-rc.1', '1.0.0', '1.0.0'],
    ['1.0.0-rc.9', '1.0.0-rc.10', '1.0.0-rc.10'],
    ['1.0.0-rc', '1.0.0-rc.1', '1.0.0-rc.1'],
    ['1.0.0-1', '1.0.0-alpha', '1.0.0-alpha'],
    ['9.0.0', '10.0.0', '10.0.0'],
  ])('after %s, %s is %s', (current, asked, next) => {
    expect(nextVersion(current, asked)).toBe(next);
  });

  test.each([
    ['1.0.0', '1.0.0'],
    ['1.0.0', '1.0.0-rc.1'],
    ['1.0.0-rc.10', '1.0.0-rc.9'],
    ['1.0.0-rc.1', '1.0.0-rc'],
    ['1.0.0-alpha', '1.0.0-1'],
    ['10.0.0', '9.0.0'],
    ['1.0.0', '0.99.99'],
  ])('after %s there is no %s', (current, asked) => {
    expect(() => nextVersion(current, asked)).toThrow(`${asked} does not come after ${current}`);
  });

  test.each(['1.2', 'v1.2.3', '1.2.3.4', '01.2.3', '1.2.3-', '1.2.3-01', 'next', ''])(
    '"%s" is not a version',
    (asked) => {
      expect(() => nextVersion('0.1.0', asked)).toThrow(/is not a version/);
    },
  );
});

describe('the changelog', () => {
  const changelog = `# Changelog

## Unreleased

### Added

- This.

## [0.1.0] - 2026-01-02

- That.
`;

  test('moves the unreleased entries under the release, and keeps everything else', () => {
    expect(unreleasedOf(changelog)).toBe('### Added\n\n- This.');
    expect(released(changelog, '0.2.0', '2026-11-27')).toBe(
      changelog.replace('## Unreleased\n', '## Unreleased\n\n## [0.2.0] - 2026-11-27\n'),
    );
  });

  test('needs an unreleased entry, its heading, and a new version for a release', () => {
    const empty = changelog.replace('- This.', '');
    expect(() => unreleasedOf(empty)).toThrow(/no entry under "## Unreleased"/);
    expect(() => unreleasedOf(changelog.replace('## Unreleased', '## Next'))).toThrow(
      /no line "## Unreleased"/,
    );
    expect(() => released(changelog, '0.1.0', '2026-11-27')).toThrow(/already has 0\.1\.0/);
  });
});

describe('the contents of the package', () => {
  const manifest = {
    bin: { otaops: './dist/cli/main.js' },
    exports: {
      './contract': { types: './dist/contract/index.d.ts', default: './dist/contract/index.js' },
      './package.json': './package.json',
    },
  };
  const migrations = ['migrations/adapter/0001-foundation.sql'];
  const files = [
    ...['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'dist/cli/main.js'],
    ...['dist/cli/main.js.map', 'dist/contract/index.d.ts', 'dist/contract/index.js'],
    ...['dist/console/index.html', 'dist/console/assets/page-x_1.js.br', ...migrations],
    ...['docs/console.md', 'docs/pictures/phone.png'],
  ];

  test('are what the manifest and the database need', () => {
    expect(faultsOfPackage(files, manifest, migrations)).toEqual([]);
    for (const needed of ['dist/cli/main.js', 'dist/contract/index.d.ts', ...migrations]) {
      const without = files.filter((file) => file !== needed);
      expect(faultsOfPackage(without, manifest, migrations)).toEqual([`${needed} is missing`]);
    }
  });

  test.each([
    '.env',
    'dist/.otaops-built',
    'dist/cli/main.test.ts',
    'dist/token',
    'src/cli/main.ts',
    'test/exports.test.ts',
    'migrations/adapter/dump.sql.gz',
    'docs/notes.txt',
    'docs/console.md~',
    'deploy/.env',
    'otaops-0.1.0.tgz',
  ])('are not %s', (file) => {
    expect(faultsOfPackage([...files, file], manifest, migrations)).toEqual([
      `${file} does not belong in the package`,
    ]);
  });
});
