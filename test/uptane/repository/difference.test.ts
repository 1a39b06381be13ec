/** The text that people review before signing. */
import { describe, expect, test } from 'vitest';
import {
  addTarget,
  changeKeys,
  moveDelegation,
  removeDelegation,
  removeTarget,
  setDelegation,
} from '../../../src/uptane/repository/changes.js';
import { printable } from '../../../src/uptane/repository/difference.js';
import { type DelegationContent } from '../../../src/uptane/repository/targets-content.js';
import { type Signer } from '../../../src/uptane/signing/signer.js';
import { must } from '../support/must.js';
import { makeSigner, TestCeremony } from './support.js';

const delegation = (
  name: string,
  signer: Signer,
  change: Partial<DelegationContent> = {},
): DelegationContent => ({
  roles: [{ name, keyIds: [signer.keyId], threshold: 1 }],
  minRolesInAgreement: undefined,
  paths: ['radio/*'],
  isTerminating: false,
  hardwareIds: undefined,
  ...change,
});

const linesOf = async (ceremony: TestCeremony) =>
  (await ceremony.repository.review(ceremony.now)).lines;

describe('the difference', () => {
  test('of a first root shows who may sign what', async () => {
    const ceremony = await new TestCeremony().init();
    const lines = await linesOf(ceremony);
    expect(lines).toContain('root: version 1, new');
    expect(lines).toContain('  expires 2027-11-27T08:00:00Z');
    for (const { keyId } of ceremony.root) {
      expect(lines).toContain(`  + key of root: ed25519 ${keyId}`);
    }
    expect(lines).toContain('  + threshold of root: 2 of 3');
    expect(lines).toContain('targets: version 1, new');
  });

  test('of images shows additions, removals and changes', async () => {
    const ceremony = await new TestCeremony().established();
    await ceremony.addImage('a.bin', 'a', 1);
    await ceremony.addImage('b.bin', 'b', 1);
    await ceremony.sign(ceremony.targets[0], ceremony.targets[1]);
    await ceremony.publish();
    await ceremony.addImage('a.bin', 'aa', 2);
    await ceremony.propose(removeTarget('targets', 'b.bin'));
    await ceremony.addImage('c.bin', 'c', 3);
    const lines = await linesOf(ceremony);
    expect(lines[0]).toBe('targets: version 2 → 3');
    expect(lines[2]).toMatch(/^ {2}- b\.bin {2}1 bytes, release counter 1, hardware hw-a, sha256 /);
    expect(lines[3]).toBe('  ~ a.bin');
    expect(lines[4]).toMatch(/^ {6}was 1 bytes, release counter 1/);
    expect(lines[5]).toMatch(/^ {6}is {2}2 bytes, release counter 2/);
    expect(lines[6]).toMatch(/^ {2}\+ c\.bin {2}1 bytes, release counter 3/);
  });

  test('shows unexpected members', async () => {
    const ceremony = await new TestCeremony().established();
    await ceremony.propose(
      addTarget('targets', 'a.bin', {
        length: 1,
        hashes: { sha256: '0'.repeat(64) },
        custom: {
          match: { hardwareIds: ['hw-a'], releaseCounter: 1, backdoor: true },
          note: 'x\u001b[2K',
        },
      }),
    );
    expect((await linesOf(ceremony)).join('\n')).toContain(
      '{"match":{"backdoor":true},"note":"x\\u{1b}[2K"}',
    );
  });

  test('shows keys and thresholds', async () => {
    const ceremony = await new TestCeremony().established();
    const fresh = makeSigner();
    const old = must(ceremony.root[0]).keyId;
    await ceremony.propose(changeKeys('root', { add: [fresh.key], remove: [old], threshold: 3 }));
    expect((await linesOf(ceremony)).slice(2)).toEqual([
      `  - key of root: ed25519 ${old}`,
      `  + key of root: ed25519 ${fresh.keyId}`,
      '  ~ threshold of root: 2 of 3 → 3 of 3',
    ]);
  });

  test('shows delegations: prioritised, terminating, for hardware, and to several roles', async () => {
    const ceremony = await new TestCeremony().established();
    const [one, two] = [makeSigner(), makeSigner()];
    await ceremony.propose(setDelegation('targets', delegation('one', one), [one.key]));
    await ceremony.propose(setDelegation('targets', delegation('two', two), [two.key]));
    await ceremony.sign(ceremony.targets[0], ceremony.targets[1], one, two);
    await ceremony.publish();
    await ceremony.propose(moveDelegation('targets', 'two', 1));
    expect(await linesOf(ceremony)).toContain('  ~ order of delegations: one > two → two > one');
    await ceremony.propose(
      setDelegation(
        'targets',
        delegation('one', one, { isTerminating: true, hardwareIds: ['hw-a'] }),
        [],
      ),
    );
    expect(await linesOf(ceremony)).toContain(
      `      is  one signed by 1 of ed25519 ${one.keyId}; paths radio/*; hardware hw-a; terminating`,
    );
    await ceremony.propose(removeDelegation('targets', 'one'));
    const both = {
      ...delegation('one', one),
      roles: [...delegation('one', one).roles, ...delegation('two', two).roles],
      minRolesInAgreement: 2,
    };
    await ceremony.propose(setDelegation('targets', both, [one.key, two.key]));
    const lines = (await linesOf(ceremony)).join('\n');
    expect(lines).toContain('  - delegation to one: ');
    expect(lines).toMatch(/ {2}\+ delegation to one \+ two: .*; 2 roles must agree; /);
  });
});

test('no character in a name can overwrite its line', () => {
  expect(printable('a\u001b[1Fb\r\u202ec\u2028\n')).toBe(
    'a\\u{1b}[1Fb\\u{d}\\u{202e}c\\u{2028}\\u{a}',
  );
});
