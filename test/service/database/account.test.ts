/** Which account the embedded PostgreSQL gets where we are root. */
import { expect, test } from 'vitest';
import { chooseAccount } from '../../../src/service/database/embedded/account.js';

const ROOT = 'root:x:0:0:root:/root:/bin/bash';
const NOBODY = 'nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin';

test('that of PostgreSQL where there is one, else nobody', () => {
  const postgres = 'postgres:x:101:104::/var/lib/postgresql:/bin/bash';
  expect(chooseAccount([ROOT, NOBODY, postgres, ''].join('\n'))).toEqual({ uid: 101, gid: 104 });
  expect(chooseAccount([ROOT, NOBODY].join('\n'))).toEqual({ uid: 65_534, gid: 65_533 });
});

test('nobody of macOS, whose id is written as a negative number', () => {
  expect(chooseAccount('nobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false')).toEqual({
    uid: 4_294_967_294,
    gid: 4_294_967_294,
  });
});

test('none that is root under another name, or whose line is broken', () => {
  expect(chooseAccount('postgres:x:0:0::/:/bin/sh')).toBeUndefined();
  expect(chooseAccount('postgres\nnobody:x::\n')).toBeUndefined();
  expect(chooseAccount('')).toBeUndefined();
});
