/** Multi-role delegations (TAP 3): how many of their roles must agree. */
import { describe, test } from 'vitest';
import {
  follow,
  followMany,
  found,
  image,
  lister,
  newWorldForEachTest,
  passer,
  refused,
  top,
} from './support/delegating.js';
import { makeKey } from './support/keys.js';
import { FIRMWARE, match } from './support/test-vehicle.js';

newWorldForEachTest();

describe('a multi-role delegation', () => {
  test('all agree', async () => {
    lister('a');
    lister('b');
    followMany(top, ['a', 'b']);
    await found();
  });

  test('one role is not enough: the second one disagrees', async () => {
    lister('a', 'f1rmware');
    lister('b');
    followMany(top, ['a', 'b']);
    await refused('no-image');
  });

  test('two of three agree', async () => {
    lister('a', 'f1rmware');
    lister('b');
    lister('c');
    followMany(top, ['a', 'b', 'c'], { minRolesInAgreement: 2 });
    await found();
  });

  test('of two agreeing groups, the one with the earliest role counts', async () => {
    lister('a');
    lister('b', 'f1rmware');
    lister('c', 'f1rmware');
    lister('d');
    followMany(top, ['a', 'b', 'c', 'd'], { minRolesInAgreement: 2 });
    await found();
  });

  test('different match metadata is a disagreement', async () => {
    lister('a');
    const b = image.addRole('b');
    image.addImage(FIRMWARE, Buffer.from('firmware'), { match: match(2) }, b);
    followMany(top, ['a', 'b']);
    await refused('no-image');
  });

  test('different custom metadata is not', async () => {
    lister('a');
    const b = image.addRole('b');
    image.addImage(FIRMWARE, Buffer.from('firmware'), { match: match(), note: 'x' }, b);
    followMany(top, ['a', 'b']);
    await found();
  });

  test('a role listed twice has one vote', async () => {
    lister('a');
    followMany(top, ['a', 'a']);
    await refused('no-image');
  });

  test('each role uses its own delegations, even to the same supplier', async () => {
    const a = passer('a');
    const b = passer('b');
    lister('supplier');
    follow(a, 'supplier');
    follow(b, 'supplier');
    followMany(top, ['a', 'b']);
    await found();
  });

  test('a terminating delegation of one role does not affect the others', async () => {
    const a = passer('a');
    passer('x');
    follow(a, 'x', { terminating: true });
    lister('b');
    lister('c');
    followMany(top, ['a', 'b', 'c'], { minRolesInAgreement: 2 });
    await found();
  });

  test('without agreement the next delegation is searched', async () => {
    lister('a', 'f1rmware');
    lister('b');
    followMany(top, ['a', 'b']);
    lister('c');
    follow(top, 'c');
    await found();
  });

  test('even if it is to one of these roles', async () => {
    passer('a');
    lister('b');
    followMany(top, ['a', 'b']);
    follow(top, 'b');
    await found();
  });

  test('unless the delegation is terminating', async () => {
    passer('a');
    lister('b');
    followMany(top, ['a', 'b'], { terminating: true });
    lister('c');
    follow(top, 'c');
    await refused('no-image');
  });

  test('if terminating, it still searches below its roles', async () => {
    const a = passer('a');
    lister('x');
    follow(a, 'x');
    lister('b');
    followMany(top, ['a', 'b'], { terminating: true });
    await found();
  });

  test('for other hardware it is skipped', async () => {
    lister('a');
    lister('b');
    followMany(top, ['a', 'b'], { hardwareIds: ['hw-b'] });
    await refused('no-image');
  });

  test('an invalid role ends the search', async () => {
    lister('a');
    lister('b');
    lister('c');
    followMany(top, ['a', 'b', 'c'], { minRolesInAgreement: 2 });
    image.signers = (role) => (role === 'c' ? [makeKey()] : undefined);
    await refused('signature');
  });
});
