/** Trust in the console, without a browser: the steps of a ceremony, and the names of attacks and faults. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  ceremonyOf,
  DIRECTOR_CEREMONY,
  imageCeremony,
  type Standing,
} from '../../src/console/trust/ceremony.js';
import { attackOf, faultOf } from '../../src/console/trust/attacks.js';
import { type ProposedRole } from '../../src/contract/carota-api/index.js';
import { MANIFEST_FAULTS } from '../../src/uptane/manifest/manifest-refusal.js';
import { ATTACKS } from '../../src/uptane/refusal.js';

const proposal = (missing: number, by = 'root'): ProposedRole => ({
  role: 'targets',
  version: 2,
  expires: '2030-01-01T00:00:00Z',
  signatures: [{ by, threshold: 2, signedBy: [], canSign: ['k'.repeat(64)], missing }],
  broken: [],
  foreign: [],
});

const NOTHING: Standing = { proposed: [], faults: [], isEstablished: true };
const states = (status: Partial<Standing>) =>
  ceremonyOf({ ...NOTHING, ...status }, imageCeremony('signer')).map(({ state }) => state);
const commandsOf = (...of: Parameters<typeof ceremonyOf>) =>
  ceremonyOf(...of).flatMap(({ commands }) => commands);

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
    const proposed = [proposal(2, 'the root before')];
    const [, sign] = ceremonyOf({ ...NOTHING, proposed }, imageCeremony('signer'));
    expect(sign?.notes).toEqual([
      `targets: 2 signatures missing by the keys of the root before; can sign: ${'k'.repeat(12)}.`,
    ]);
  });

  test.each([
    ['signer', '--signer /run/otaops/signer'],
    ['elsewhere', '--key snapshot.key --key timestamp.key'],
  ] as const)('with the online keys %s, publishes with %s', (onlineKeys, flags) => {
    const commands = commandsOf(NOTHING, imageCeremony(onlineKeys));
    expect(commands.at(-1)).toBe(`otaops repository publish repo ${flags}`);
  });

  test('has the commands of docs/key-ceremonies.md, which a test runs', () => {
    const documented = readFileSync('docs/key-ceremonies.md', 'utf8').split('\n');
    const commands = commandsOf(NOTHING, imageCeremony('elsewhere'));
    expect(commands).toHaveLength(5);
    expect(commands.filter((command) => !documented.includes(command))).toEqual([]);
  });

  test('has a folder of its own for the Director, and needs no online key to publish there', () => {
    expect(commandsOf(NOTHING, DIRECTOR_CEREMONY)).toEqual([
      'otaops repository propose director --renew root',
      'cp -r director at-graces',
      'otaops repository sign at-graces --key grace.key',
      'otaops repository sign director --from at-graces',
      'otaops repository publish director',
    ]);
  });

  test('begins with init if it is the first', () => {
    const first = (isEstablished: boolean) =>
      commandsOf({ ...NOTHING, isEstablished }, imageCeremony('elsewhere'))[0];
    expect(first(false)).toMatch(/^otaops repository init repo /);
    expect(first(true)).toMatch(/^otaops repository propose repo /);
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
