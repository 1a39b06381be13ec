/** Resolution of delegations: priority, termination, hardware, invalid roles, bounds. */
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../src/uptane/limits.js';
import {
  enter,
  follow,
  followMany,
  found,
  image,
  lister,
  newWorldForEachTest,
  passer,
  refused,
  top,
  visited,
  world,
} from './support/delegating.js';
import { makeKey } from './support/keys.js';
import { must } from './support/must.js';
import { FIRMWARE, forEcu, match, TestWorld } from './support/test-vehicle.js';

newWorldForEachTest();

describe('one role after another', () => {
  test('the top-level role comes before all delegations', async () => {
    image.addImage(FIRMWARE, Buffer.from('firmware'), { match: match() });
    follow(top, (lister('evil', 'f1rmware'), 'evil'));
    await found();
    expect(visited()).toEqual([]);
  });

  test('the search follows listed order, depth first', async () => {
    const a = passer('a');
    passer('c');
    follow(a, 'c');
    follow(top, 'a');
    lister('b');
    follow(top, 'b');
    await found();
    expect(visited()).toEqual(['a', 'c', 'b']);
  });

  test('the first role that lists the image counts, even if its entry is wrong', async () => {
    lister('a', 'f1rmware');
    follow(top, 'a');
    lister('b');
    follow(top, 'b');
    await refused('mismatch');
  });

  test('chains of any depth are followed', async () => {
    let from = top;
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      const role = name === 'e' ? lister(name) : passer(name);
      follow(from, name);
      from = role;
    }
    await found();
  });

  test('a delegation cycle does not end the search', async () => {
    const a = passer('a');
    const b = passer('b');
    follow(top, 'a');
    follow(a, 'b');
    follow(b, 'a');
    follow(b, 'targets');
    follow(a, 'a');
    lister('c');
    follow(top, 'c');
    await found();
    expect(visited()).toEqual(['a', 'b', 'c']);
  });

  test.each([
    ['another folder', 'engine/*'],
    ['a star that would have to match a slash', '*'],
    ['a star for two parts', '*.bin'],
    ['another case', 'Brakes/*'],
    ['a bracket, which is no wildcard', 'brakes/[a-z]*'],
  ])('a delegation of %s does not apply', async (_what, pattern) => {
    lister('a');
    follow(top, 'a', { paths: [pattern] });
    await refused('no-image');
    expect(visited()).toEqual([]);
  });

  test('each delegation on the path must apply', async () => {
    const a = passer('a');
    follow(top, 'a');
    lister('b');
    follow(a, 'b', { paths: ['engine/*'] });
    await refused('no-image');
  });

  test('a supplier’s key has no authority over other paths', async () => {
    lister('supplier', 'f1rmware');
    follow(top, 'supplier', { paths: ['radio/*'] });
    await refused('no-image');
  });
});

describe('termination', () => {
  test('ends the search if the role does not list the image', async () => {
    passer('a');
    follow(top, 'a', { terminating: true });
    lister('b');
    follow(top, 'b');
    await refused('no-image');
    expect(visited()).toEqual(['a']);
  });

  test('ends it in the delegating roles too', async () => {
    const a = passer('a');
    follow(top, 'a');
    passer('b');
    follow(a, 'b', { terminating: true });
    lister('c');
    follow(top, 'c');
    await refused('no-image');
  });

  test('does not search below the role it reaches', async () => {
    const a = passer('a');
    follow(top, 'a', { terminating: true });
    lister('b');
    follow(a, 'b');
    await refused('no-image');
    expect(visited()).toEqual(['a']);
  });

  test('has no effect if the delegation does not apply', async () => {
    passer('a');
    follow(top, 'a', { terminating: true, paths: ['engine/*'] });
    lister('b');
    follow(top, 'b');
    await found();
  });

  test('does not matter if the role lists the image', async () => {
    lister('a');
    follow(top, 'a', { terminating: true });
    await found();
  });

  test('applies to a role visited before', async () => {
    passer('a');
    follow(top, 'a');
    follow(top, 'a', { terminating: true });
    lister('b');
    follow(top, 'b');
    await refused('no-image');
  });
});

describe('hardware', () => {
  test.each([
    ['the ECU’s', ['hw-x', 'hw-a'], true],
    ['another', ['hw-x'], false],
    ['none', [], false],
  ])('a delegation for %s hardware', async (_what, hardwareIds, applies) => {
    lister('a');
    follow(top, 'a', { hardwareIds });
    await (applies ? found() : refused('no-image'));
  });

  test('a terminating delegation for other hardware does not end the search', async () => {
    passer('a');
    follow(top, 'a', { hardwareIds: ['hw-b'], terminating: true });
    lister('b');
    follow(top, 'b');
    await found();
  });

  test('an image for two kinds of hardware must be found for both', async () => {
    enter(new TestWorld());
    const custom = { match: match(1, ['hw-a', 'hw-b']) };
    const ecuIdentifiers = { ...forEcu(), ...forEcu('ecu-2', 'hw-b') };
    world.director.addImage(FIRMWARE, Buffer.from('firmware'), { ...custom, ecuIdentifiers });
    image.addImage(FIRMWARE, Buffer.from('firmware'), custom, passer('a'));
    follow(top, 'a', { hardwareIds: ['hw-a'] });
    await refused('no-image');
  });
});

describe('an invalid role on the path ends the search', () => {
  const withRole = () => {
    passer('a');
    follow(top, 'a');
    lister('b');
    follow(top, 'b');
  };

  test('signed by another key', async () => {
    withRole();
    image.signers = (role) => (role === 'a' ? [makeKey()] : undefined);
    await refused('signature');
  });

  test('expired', async () => {
    withRole();
    must(image.delegated.get('a')).expires = '2020-01-01T00:00:00Z';
    await refused('freeze');
  });

  test('missing', async () => {
    withRole();
    world.provision();
    image.files.delete('metadata/1.a.json');
    expect(await world.refusal()).toMatchObject({ code: 'network', role: 'a' });
  });

  test('not in the snapshot', async () => {
    withRole();
    image.tamper = (role, signed) => {
      if (role === 'snapshot') delete signed.meta['a.json'];
    };
    await refused('mix-and-match');
  });

  test('of a different version than the snapshot states', async () => {
    withRole();
    image.tamper = (role, signed) => {
      if (role === 'a') signed.version = 2;
    };
    await refused('mix-and-match');
  });

  test('of another type', async () => {
    withRole();
    image.tamper = (role, signed) => {
      if (role === 'a') signed._type = 'a';
    };
    await refused('malformed');
  });

  test('the top-level targets under a delegated name', async () => {
    passer('a');
    follow(top, 'a');
    lister('b');
    follow(top, 'b');
    world.provision();
    image.files.set('metadata/1.a.json', must(image.files.get('metadata/1.targets.json')));
    expect((await world.refusal()).code).toBe('signature');
  });
});

test('a role with two delegators is verified with the keys of the delegator on the path', async () => {
  const a = passer('a');
  const b = passer('b');
  follow(top, 'a', { paths: ['radio/*'] });
  follow(top, 'b');
  const release = lister('release');
  follow(a, 'release', { paths: ['radio/*'] });
  const { keys } = release;
  release.keys = [makeKey()];
  follow(b, 'release');
  release.keys = keys;
  await refused('signature');
});

test('so is a role verified earlier in the same cycle, for another image', async () => {
  const a = passer('a');
  const b = passer('b');
  follow(top, 'a', { paths: ['radio/*'] });
  follow(top, 'b');
  const release = lister('release');
  const radio = { match: match(1, ['hw-b']) };
  image.addImage('radio/1', Buffer.from('radio'), radio, release);
  const ecuIdentifiers = forEcu('ecu-2', 'hw-b');
  const { targets } = world.director.targets;
  world.director.targets.targets = {};
  world.director.addImage('radio/1', Buffer.from('radio'), { ...radio, ecuIdentifiers });
  // The radio's image is looked up first and found through a.
  Object.assign(world.director.targets.targets, targets);
  follow(a, 'release', { paths: ['radio/*'] });
  const { keys } = release;
  release.keys = [makeKey()];
  follow(b, 'release');
  release.keys = keys;
  await refused('signature');
  expect(visited()).toEqual(['a', 'release', 'b']);
});

test('stored metadata is verified again, with the current keys of the delegation', async () => {
  const supplier = lister('supplier');
  follow(top, 'supplier');
  await found();
  world.installed.clear();
  const stolen = supplier.keys;
  supplier.keys = [makeKey()];
  top.delegations = undefined;
  follow(top, 'supplier');
  image.signers = (role) => (role === 'supplier' ? stolen : undefined);
  image.release('targets', 'snapshot', 'timestamp');
  expect(await world.refusal()).toMatchObject({ code: 'signature', role: 'supplier' });
});

describe('bounds', () => {
  test(`the ${LIMITS.rolesPerImage - 1}th delegated role is visited, one more is not`, async () => {
    const names = Array.from({ length: LIMITS.rolesPerImage }, (_, index) => `r${index + 1}`);
    for (const name of names) {
      if (name === `r${LIMITS.rolesPerImage - 1}`) lister(name);
      else passer(name);
      follow(top, name);
    }
    await found();
    expect(visited()).toHaveLength(LIMITS.rolesPerImage - 1);
    world.installed.clear();
    must(image.delegated.get(`r${LIMITS.rolesPerImage - 1}`)).targets = {};
    image.addImage(
      FIRMWARE,
      Buffer.from('firmware'),
      { match: match() },
      image.delegated.get(`r${LIMITS.rolesPerImage}`),
    );
    image.release(...names, 'targets', 'snapshot', 'timestamp');
    expect((await world.refusal()).code).toBe('no-image');
  });

  test('nested multi-role delegations terminate', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const roles = names.map((name) => passer(name));
    followMany(top, names);
    for (const role of roles) followMany(role, names);
    await refused('no-image');
  });
});
