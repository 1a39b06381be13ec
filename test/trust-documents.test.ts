/** docs/trust.md and docs/uptane-checklist.md name tests as evidence: those tests exist, and always run. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { faultOfTest } from './support/named-tests.js';

interface Row {
  readonly cells: readonly string[];
  /** `file: name of the test`, from the last cell. */
  readonly proofs: readonly { readonly file: string; readonly name: string }[];
}

/** The rows of all tables, without their heads. */
function rowsOf(path: string): Row[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line, place, lines) => line.startsWith('| ') && !isHead(lines[place + 1] ?? ''))
    .filter((line) => !isHead(line))
    .map((line) => {
      const cells = line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll(String.raw`\|`, '|'));
      return { cells, proofs: proofsIn(cells.at(-1) ?? '') };
    });
}

const isHead = (line: string) => /^\| -{3,}/.test(line);

const proofsIn = (cell: string): Row['proofs'] =>
  cell
    .split('<br>')
    .filter((text) => text !== '')
    .map((text) => {
      const [, file = text, name = ''] = /^`([^`]+)`: (.+)$/.exec(text) ?? [];
      return { file, name };
    });

const faultsOf = ({ proofs }: Row): string[] =>
  proofs.flatMap(({ file, name }) => faultOfTest(file, name) ?? []);

describe('docs/trust.md', () => {
  const rows = rowsOf('docs/trust.md');

  /** The attack list of the standard ("Description of threats"), and what an implementation must add to it. */
  const ATTACKS = [
    'Eavesdrop',
    'Drop requests',
    'Slow retrieval',
    'Freeze',
    'Endless data',
    'Wrong length',
    'Swapped file',
    'Forged, repeated or old trigger (broker or adapter taken over)',
    'Denial of service against server or vehicle',
    'Web server, CDN or storage of the image repository',
    'Director online keys',
    'Director root key',
    'Image repository: timestamp and snapshot',
    'One of two targets keys',
    'All keys of the image repository',
    'A supplier’s key, for its own path',
    'A supplier’s key, for another’s path',
    'Both the Director’s and a supplier’s',
    'Director’s and a threshold of targets keys',
    'Root keys of the image repository',
    'An old, revoked root or its keys',
    'Time key',
    'The CarOTA Server, with online keys in a signer process',
    'The CarOTA Server with trial keys',
    'A planner’s token',
    'A supplier’s token',
    'An ECU’s key',
    'A cloned vehicle',
    'A Primary that lies for a Secondary',
    'Replayed manifests',
    'An ECU swapped for another',
    'A compromised Primary',
    'A compromised Primary with the Director’s keys',
    'Somebody else on the local link',
    'Rollback of the root',
    'Rollback of the timestamp',
    'Rollback of the snapshot',
    'Rollback of targets and delegated roles',
    'Fast-forward, and recovery',
    'Mix-and-match between roles',
    'Mix-and-match between repositories',
    'Partial bundle',
    'Downgrade by an old signed script',
    'Clock at 1970',
    'Clock at 2099',
    'A root that expired while the vehicle was parked for two years',
    'Damaged and hostile files',
  ];

  test('has a row for each attack', () => {
    expect(rows.map(({ cells: [attack] }) => attack)).toEqual(ATTACKS);
  });

  test.each(rows)('$cells.0: each test that it names exists, and always runs', (row) => {
    expect(row.proofs.length).toBeGreaterThan(0);
    expect(faultsOf(row)).toEqual([]);
    for (const cell of row.cells) expect(cell).not.toBe('');
  });
});

describe('docs/uptane-checklist.md', () => {
  const rows = rowsOf('docs/uptane-checklist.md');
  const MET = ['yes', 'partly', 'no', 'n/a'];

  test('has the 105 lines of the standard with the word SHALL, in their order', () => {
    expect(rows.map(({ cells: [number] }) => Number(number))).toEqual(
      Array.from({ length: 105 }, (_, place) => place + 1),
    );
    const lines = rows.map(({ cells: [, line] }) => Number(line));
    expect(lines).toEqual([...new Set(lines)].sort((a, b) => a - b));
    expect([lines[0], lines.at(-1)]).toEqual([27, 915]);
  });

  test('says how many are met', () => {
    const count = (met: string) => rows.filter(({ cells }) => cells[4] === met).length;
    const text = readFileSync('docs/uptane-checklist.md', 'utf8').replaceAll('\n', ' ');
    const said = /(\d+) are met, (\d+) partly, and (\d+) do not apply/.exec(text);
    expect(said?.slice(1).map(Number)).toEqual([count('yes'), count('partly'), count('n/a')]);
    expect(count('no')).toBe(0);
  });

  test.each(rows)('line $cells.1: files and tests that it names exist', (row) => {
    const [, , section, need, met = '', how = ''] = row.cells;
    expect(MET).toContain(met);
    for (const cell of [section, need, how]) expect(cell).toMatch(/\S/);
    const files = [...how.matchAll(/`((?:src|docs)\/[^`]+)`/g)].map(([, file = '']) => file);
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
    expect(faultsOf(row)).toEqual([]);
    // A requirement that is met has evidence.
    if (met === 'yes') expect(row.proofs.length).toBeGreaterThan(0);
    if (met === 'partly') expect(how.length).toBeGreaterThan(40);
  });
});

describe('a document that names', () => {
  const folder = mkdtempSync(join(tmpdir(), 'named-tests-'));
  const file = join(folder, 'some.test.ts');
  writeFileSync(
    file,
    `test('plain', () => {});
     test.skip('skipped', () => {});
     describe('group', () => {
       test('plain', () => {});
       test.each([['rollback', 'an old root'], ['freeze', \`an old \${role} of it\`]])('%s: %s', () => {});
     });
     describe.skip('away', () => { test('inside', () => {}); });
     describe.runIf(await hasProgram())('with it', () => { test('sometimes', () => {}); });
     test.todo('later');`,
  );
  const fault = (name: string) => faultOfTest(file, name);

  test.each([
    'plain',
    'group > plain',
    'group > rollback: an old root',
    'freeze: an old root of it',
  ])('"%s" is right', (name) => expect(fault(name)).toBeUndefined());

  test.each([
    ['a test that is not there', 'plainer', /has no test/],
    ['a test of another group', 'other > plain', /has no test/],
    ['a row that is not there', 'rollback: an old snapshot', /has no test/],
    ['a skipped test', 'skipped', /is skipped/],
    ['a test in a skipped group', 'inside', /is skipped/],
    ['a test that needs a program', 'sometimes', /only under a condition/],
    ['a test that is yet to be written', 'later', /is skipped/],
    ['nothing', '', /has no test/],
  ])('%s is wrong', (_what, name, expected) => expect(fault(name)).toMatch(expected));

  test('a file that is not there is wrong', () => {
    expect(faultOfTest('test/none.test.ts', 'plain')).toBe('there is no file test/none.test.ts');
    rmSync(folder, { recursive: true });
  });
});
