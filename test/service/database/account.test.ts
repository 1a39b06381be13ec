/** The account under which the embedded PostgreSQL runs if this process runs as root. */
import { expect, test } from 'vitest';
import { chooseAccount } from '../../../src/service/database/embedded/account.js';

const ROOT = 'root:x:0:0:root:/root:/bin/bash';
const NOBODY = 'nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin';

test('is postgres if it exists, otherwise nobody', () => {
  const postgres = 'postgres:x:101:104::/var/lib/postgresql:/bin/bash';
  expect(chooseAccount([ROOT, NOBODY, postgres, ''].join('\n'))).toEqual({ uid: 101, gid: 104 });
  expect(chooseAccount([ROOT, NOBODY].join('\n'))).toEqual({ uid: 65_534, gid: 65_533 });
});

test('accepts the nobody account of macOS, whose id is negative', () => {
  expect(chooseAccount('nobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false')).toEqual({
    uid: 4_294_967_294,
    gid: 4_294_967_294,
  });
});

test('is never another name for root, nor an account with a malformed line', () => {
  expect(chooseAccount('postgres:x:0:0::/:/bin/sh')).toBeUndefined();
  expect(chooseAccount('postgres\nnobody:x::\n')).toBeUndefined();
  expect(chooseAccount('')).toBeUndefined();
});
