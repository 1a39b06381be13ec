/** Malformed delegations, and names of delegated roles. */
import { describe, expect, test } from 'vitest';
import {
  follow,
  found,
  image,
  lister,
  newWorldForEachTest,
  refused,
  top,
  world,
} from './support/delegating.js';

newWorldForEachTest();

test.each([
  ['root', 'malformed'],
  ['timestamp', 'malformed'],
  ['snapshot', 'malformed'],
])('a delegation to a role named %s is refused', async (name, code) => {
  lister(name);
  follow(top, name);
  image.delegated.delete(name);
  await refused(code);
});

test.each(['__proto__', 'constructor', '../x', 'ä/🚗', '%', '?#', '.', '..', 'x'.repeat(300), ''])(
  'a role can be named %j',
  async (name) => {
    lister(name);
    follow(top, name);
    await found();
    expect(world.imageFetcher.requests).toContain(`1.${encodeURIComponent(name)}.json`);
  },
);

describe('malformed delegations', () => {
  test.each<[what: string, change: (delegation: any, delegations: any) => void]>([
    ['without keys', (_, delegations) => delete delegations.keys],
    ['without roles', (_, delegations) => delete delegations.roles],
    ['with roles by name', (_, delegations) => (delegations.roles = {})],
    ['without name', (delegation) => delete delegation.name],
    ['without paths', (delegation) => delete delegation.paths],
    [
      'by path hash prefixes',
      (delegation) => {
        delete delegation.paths;
        delegation.path_hash_prefixes = [''];
      },
    ],
    ['with one path as text', (delegation) => (delegation.paths = 'brakes/*')],
    ['without termination', (delegation) => delete delegation.terminating],
    ['with termination as text', (delegation) => (delegation.terminating = 'false')],
    ['with threshold 0', (delegation) => (delegation.threshold = 0)],
    ['with a negative threshold', (delegation) => (delegation.threshold = -1)],
    ['with threshold true', (delegation) => (delegation.threshold = true)],
    ['with threshold 1.0', (delegation) => (delegation.threshold = '1')],
    ['without key ids', (delegation) => delete delegation.keyids],
    ['with hardware null', (delegation) => (delegation.hardwareIds = null)],
    ['with hardware as text', (delegation) => (delegation.hardwareIds = 'hw-a')],
    ['to one role and many', (delegation) => (delegation.roles = [])],
    [
      'to several roles, without a minimum',
      (delegation) => {
        const { name, keyids, threshold } = delegation;
        delete delegation.name;
        delegation.roles = [{ name, keyids, threshold }];
      },
    ],
    [
      'to several roles, with a minimum of 0',
      (delegation) => {
        const { name, keyids, threshold } = delegation;
        delete delegation.name;
        Object.assign(delegation, { roles: [{ name, keyids, threshold }], minRolesInAgreement: 0 });
      },
    ],
  ])('%s', async (_what, change) => {
    lister('a');
    follow(top, 'a');
    image.tamper = (role, signed) => {
      if (role === 'targets') change(signed.delegations.roles[0], signed.delegations);
    };
    await refused('malformed');
  });
});
