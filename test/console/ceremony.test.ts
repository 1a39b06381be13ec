/** What the console decides of trust without a browser: the steps of a ceremony, and the names of attacks and faults. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ceremonyOf } from '../../src/console/trust/ceremony.js';
import { attackOf, faultOf } from '../../src/console/trust/attacks.js';
import { type ProposedRole, type RepositoryRole } from '../../src/contract/carota-api/index.js';
import { MANIFEST_FAULTS } from '../../src/uptane/manifest/manifest-refusal.js';
import { ATTACKS } from '../../src/uptane/refusal.js';

const published: RepositoryRole[] = [
  {
    role: 'root',
    version: 1,
    expires: '2030-01-01T00:00:00Z',
    daysLeft: 100,
    validity: 'valid',
    threshold: 1,
    keys: ['a'],
    signedBy: ['a'],
  },
];
const proposal = (missing: number, by = 'root'): ProposedRole => ({
  role: 'targets',
  version: 2,
  expires: '2030-01-01T00:00:00Z',
  signatures: [{ by, threshold: 2, signedBy: [], canSign: ['k'.repeat(64)], missing }],
  broken: [],
  foreign: [],
});

const states = (status: Partial<Parameters<typeof ceremonyOf>[0]>) =>
  ceremonyOf({ published, proposed: [], faults: [], onlineKeys: 'signer', ...status }).map(
    ({ state }) => state,
  );

describe('a ceremony', () => {
  test.each([
    ['nothing is proposed', {}, ['now', 'later', 'later', 'later']],
    ['signatures are missing', { proposed: [proposal(1)] }, ['done', 'now', 'now', 'later']],
    ['all have signed', { proposed: [proposal(0)] }, ['done', 'done', 'done', 'now']],
    [
      'one of two files is signed',
      { proposed: [proposal(0), proposal(2)] },
      ['done', 'now', 'now', 'later'],
    ],
    [
      'a proposal with faults is to be mended first, however many have signed it',
      { proposed: [proposal(0)], faults: ['it has no SHA-256'] },
      ['now', 'later', 'later', 'later'],
    ],
  ])('%s', (_what, status, expected) => {
    expect(states(status)).toEqual(expected);
  });

  test('names who can still sign, by ids as the command line shows them', () => {
    const [, sign] = ceremonyOf({
      published,
      proposed: [proposal(2, 'the root before')],
      faults: [],
      onlineKeys: 'signer',
    });
    expect(sign?.notes).toEqual([
      `targets: 2 signatures missing by the keys of the root before; can sign: ${'k'.repeat(12)}.`,
    ]);
  });

  test.each([
    ['signer', '--signer /run/otaops/signer'],
    ['elsewhere', '--key snapshot.key --key timestamp.key'],
  ] as const)('with the online keys %s, it publishes with %s', (onlineKeys, flags) => {
    const steps = ceremonyOf({ published, proposed: [], faults: [], onlineKeys });
    expect(steps.at(-1)?.commands).toEqual([`otaops repository publish repo ${flags}`]);
  });

  test('its commands are those of docs/key-ceremonies.md, which a test runs', () => {
    const documented = readFileSync('docs/key-ceremonies.md', 'utf8').split('\n');
    const steps = ceremonyOf({ published, proposed: [], faults: [], onlineKeys: 'elsewhere' });
    const commands = steps.flatMap((step) => step.commands);
    expect(commands).toHaveLength(5);
    expect(commands.filter((command) => !documented.includes(command))).toEqual([]);
  });

  test('the first one begins with init', () => {
    const commands = (all: RepositoryRole[]) =>
      ceremonyOf({ published: all, proposed: [], faults: [], onlineKeys: 'elsewhere' })[0]
        ?.commands[0];
    expect(commands([])).toMatch(/^otaops repository init /);
    expect(commands(published)).toMatch(/^otaops repository propose /);
  });
});

test('every attack and every fault of a manifest has a meaning; others stand for themselves', () => {
  for (const attack of [...ATTACKS, 'other']) {
    const { label, meaning } = attackOf(attack);
    expect([attack, label !== attack, meaning !== '']).toEqual([attack, true, true]);
  }
  for (const fault of MANIFEST_FAULTS) expect(faultOf(fault)).not.toBe(fault);
  for (const name of ['toString', '__proto__', 'new one']) {
    expect([attackOf(name).label, faultOf(name)]).toEqual([name, name]);
  }
});
