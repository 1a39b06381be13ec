/** Malformed metadata is rejected before any of it is used. */
import { must } from './support/must.js';
import { beforeEach, describe, expect, test } from 'vitest';
import { parseUtcTime } from '../../src/uptane/metadata/utc-time.js';
import { FIRMWARE, TestWorld } from './support/test-vehicle.js';

let world: TestWorld;
beforeEach(() => {
  world = new TestWorld().order();
});

type Change = (signed: any) => void;

async function code(role: string, change: Change): Promise<string> {
  world.provision();
  world.image.tamper = (name, signed) => {
    if (name === role) change(signed);
  };
  if (role === 'root') world.image.release('root');
  else world.image.publish();
  return world.cycle().then(
    () => 'accepted',
    (error: unknown) => (error as { code: string }).code,
  );
}

const ROLES = ['root', 'timestamp', 'snapshot', 'targets'];

describe.each(ROLES)('common members of %s', (role) => {
  test.each<[what: string, change: Change]>([
    ['no _type', (signed) => delete signed._type],
    ['_type in upper case', (signed) => (signed._type = signed._type.toUpperCase())],
    ['another _type', (signed) => (signed._type = role === 'root' ? 'targets' : 'root')],
    ['no version', (signed) => delete signed.version],
    ['version 0', (signed) => (signed.version = 0)],
    ['version -1', (signed) => (signed.version = -1)],
    ['a version that is text', (signed) => (signed.version = '1')],
    ['a version that is true', (signed) => (signed.version = true)],
    ['a version that is null', (signed) => (signed.version = null)],
    ['no spec_version', (signed) => delete signed.spec_version],
    ['spec_version 2.0.0', (signed) => (signed.spec_version = '2.0.0')],
    ['spec_version 1', (signed) => (signed.spec_version = '1')],
    ['spec_version 11.0.0', (signed) => (signed.spec_version = '11.0.0')],
    ['spec_version that is a number', (signed) => (signed.spec_version = 1)],
    ['no expires', (signed) => delete signed.expires],
    ['expires never', (signed) => (signed.expires = 'never')],
    ['an empty expires', (signed) => (signed.expires = '')],
    ['expires in month 13', (signed) => (signed.expires = '2099-13-01T00:00:00Z')],
    ['expires in seconds', (signed) => (signed.expires = 4_070_908_800)],
    ['expires null', (signed) => (signed.expires = null)],
  ])('%s', async (_what, change) => {
    expect(await code(role, change)).toBe('malformed');
  });

  test('another 1.x version of the specification is accepted', async () => {
    expect(await code(role, (signed) => (signed.spec_version = '1.99.0'))).toBe('accepted');
  });
});

test.each<[role: string, what: string, change: Change]>([
  ['root', 'no keys', (signed) => delete signed.keys],
  ['root', 'keys in a list', (signed) => (signed.keys = [])],
  ['root', 'a key that is text', (signed) => (signed.keys.x = 'key')],
  ['root', 'a key without type', (signed) => (signed.keys.x = {})],
  ['root', 'no consistent snapshot', (signed) => delete signed.consistent_snapshot],
  ['root', 'consistent snapshot false', (signed) => (signed.consistent_snapshot = false)],
  ['root', 'no roles', (signed) => delete signed.roles],
  ['root', 'a role too few', (signed) => delete signed.roles.snapshot],
  ['root', 'threshold 0', (signed) => (signed.roles.targets.threshold = 0)],
  ['root', 'threshold -1', (signed) => (signed.roles.root.threshold = -1)],
  ['root', 'no threshold', (signed) => delete signed.roles.root.threshold],
  ['root', 'threshold as text', (signed) => (signed.roles.root.threshold = '1')],
  ['root', 'no key ids', (signed) => delete signed.roles.root.keyids],
  ['root', 'key ids as text', (signed) => (signed.roles.root.keyids = 'x')],
  ['root', 'a key id that is a number', (signed) => signed.roles.root.keyids.push(1)],
  ['timestamp', 'no meta', (signed) => delete signed.meta],
  ['timestamp', 'no snapshot', (signed) => delete signed.meta['snapshot.json']],
  ['timestamp', 'no version', (signed) => delete signed.meta['snapshot.json'].version],
  ['timestamp', 'no length', (signed) => delete signed.meta['snapshot.json'].length],
  ['timestamp', 'a negative length', (signed) => (signed.meta['snapshot.json'].length = -1)],
  ['timestamp', 'no hashes', (signed) => delete signed.meta['snapshot.json'].hashes],
  ['timestamp', 'empty hashes', (signed) => (signed.meta['snapshot.json'].hashes = {})],
  [
    'timestamp',
    'only unknown hashes',
    (signed) => (signed.meta['snapshot.json'].hashes = { md5: 'a' }),
  ],
  [
    'timestamp',
    'a hash that is a number',
    (signed) => (signed.meta['snapshot.json'].hashes.sha256 = 1),
  ],
  ['snapshot', 'no targets', (signed) => delete signed.meta['targets.json']],
  ['snapshot', 'a role of version 0', (signed) => (signed.meta['x.json'] = { version: 0 })],
  ['snapshot', 'a role that is a number', (signed) => (signed.meta['x.json'] = 1)],
  ['targets', 'no targets', (signed) => delete signed.targets],
  ['targets', 'targets in a list', (signed) => (signed.targets = [])],
  ['targets', 'a target without length', (signed) => delete signed.targets[FIRMWARE].length],
  ['targets', 'a negative length', (signed) => (signed.targets[FIRMWARE].length = -1)],
  ['targets', 'a length as text', (signed) => (signed.targets[FIRMWARE].length = '8')],
  ['targets', 'a target without hashes', (signed) => delete signed.targets[FIRMWARE].hashes],
  ['targets', 'a target with empty hashes', (signed) => (signed.targets[FIRMWARE].hashes = {})],
  ['targets', 'custom metadata as text', (signed) => (signed.targets[FIRMWARE].custom = 'x')],
  ['targets', 'delegations null', (signed) => (signed.delegations = null)],
])('%s: %s', async (role, _what, change) => {
  expect(await code(role, change)).toBe('malformed');
});

test.each<[role: string, what: string, change: Change]>([
  ['root', 'a role that nobody knows', (signed) => (signed.roles.mirrors = { x: 1 })],
  ['root', 'a key id that no key has', (signed) => signed.roles.targets.keyids.push('nobody')],
  [
    'root',
    'a duplicate key id',
    (signed) => signed.roles.targets.keyids.push(...signed.roles.targets.keyids),
  ],
  ['timestamp', 'another file', (signed) => (signed.meta['root.json'] = 'x')],
  [
    'timestamp',
    'an unknown hash next to a known one',
    (signed) => (signed.meta['snapshot.json'].hashes.md5 = 'x'),
  ],
  ['snapshot', 'the root', (signed) => (signed.meta['root.json'] = { version: 1 })],
  [
    'targets',
    'a target without custom metadata',
    (signed) => (signed.targets.x = { length: 0, hashes: { sha1: 'x' } }),
  ],
])('%s: %s is accepted', async (role, _what, change) => {
  expect(await code(role, change)).toBe('accepted');
});

describe('the envelope', () => {
  const served = async (change: (text: string) => string | Buffer) => {
    world.provision();
    const path = world.image.path('timestamp');
    const file = must(world.image.files.get(path)).toString();
    world.image.files.set(path, Buffer.from(change(file)));
    return world.cycle().then(
      () => 'accepted',
      (error: unknown) => (error as { code: string }).code,
    );
  };
  const object = (change: (file: any) => void) => (text: string) => {
    const file = JSON.parse(text);
    change(file);
    return JSON.stringify(file);
  };

  test.each<[what: string, code: string, change: (text: string) => string | Buffer]>([
    ['nothing', 'malformed', () => ''],
    ['HTML', 'malformed', () => '<html></html>'],
    ['an array', 'malformed', () => '[]'],
    ['a number', 'malformed', () => '1'],
    ['without signed', 'malformed', object((file) => delete file.signed)],
    ['signed as text', 'malformed', object((file) => (file.signed = 'x'))],
    ['without signatures', 'malformed', object((file) => delete file.signatures)],
    ['signatures by id', 'malformed', object((file) => (file.signatures = {}))],
    ['a signature without key id', 'malformed', object((file) => delete file.signatures[0].keyid)],
    ['a signature without bytes', 'malformed', object((file) => delete file.signatures[0].sig)],
    ['a signature that is a number', 'malformed', object((file) => (file.signatures[0].sig = 1))],
    ['no signatures', 'signature', object((file) => (file.signatures = []))],
    ['a changed member', 'signature', object((file) => (file.signed.version = 2))],
    ['a member more', 'signature', object((file) => (file.signed.x = 1))],
    ['a fraction in it', 'malformed', object((file) => (file.signed.x = 0.5))],
    ['1.0 as the version', 'malformed', (text) => text.replace('"version":1,', '"version":1.0,')],
    [
      'a repeated member',
      'malformed',
      (text) => text.replace('"version":1,', '"version":1,"version":1,'),
    ],
    ['a repeated signed', 'malformed', (text) => text.replace('"signed"', '"signed":{},"signed"')],
    [
      'invalid UTF-8 outside of signed',
      'malformed',
      (text) =>
        Buffer.concat([
          Buffer.from(text.replace(/\}$/, ',"x":"')),
          Buffer.from([0xff]),
          Buffer.from('"}'),
        ]),
    ],
    ['a byte order mark', 'malformed', (text) => `\ufeff${text}`],
    ['more after the end', 'malformed', (text) => `${text}{}`],
    ['half of the file', 'malformed', (text) => text.slice(0, text.length / 2)],
    [
      'a __proto__ instead of signed',
      'malformed',
      (text) => text.replace('"signed"', '"__proto__"'),
    ],
    ['another layout', 'accepted', (text) => JSON.stringify(JSON.parse(text), null, 2)],
    ['escapes', 'accepted', (text) => text.replace('"version"', '"\\u0076ersion"')],
    ['a member more outside of signed', 'accepted', object((file) => (file.x = 0.5))],
    ['a member more in a signature', 'accepted', object((file) => (file.signatures[0].x = {}))],
    [
      'an upper-case signature',
      'accepted',
      object((file) => (file.signatures[0].sig = file.signatures[0].sig.toUpperCase())),
    ],
  ])('%s: %s', async (_what, expected, change) => {
    expect(await served(change)).toBe(expected);
  });
});

test.each([
  ['2026-11-27T08:00:00Z', true],
  ['2028-02-29T23:59:59Z', true],
  ['0001-01-01T00:00:00Z', true],
  ['9999-12-31T23:59:59Z', true],
  ['0000-01-01T00:00:00Z', false],
  ['2027-02-29T00:00:00Z', false],
  ['2026-02-30T00:00:00Z', false],
  ['2026-13-01T00:00:00Z', false],
  ['2026-00-01T00:00:00Z', false],
  ['2026-01-00T00:00:00Z', false],
  ['2026-01-32T00:00:00Z', false],
  ['2026-01-01T24:00:00Z', false],
  ['2026-01-01T00:60:00Z', false],
  ['2026-01-01T00:00:60Z', false],
  ['2026-01-01T00:00:00', false],
  ['2026-01-01T00:00:00+00:00', false],
  ['2026-01-01T00:00:00.000Z', false],
  ['2026-01-01t00:00:00z', false],
  ['2026-01-01 00:00:00Z', false],
  ['2026-1-1T00:00:00Z', false],
  ['+002026-01-01T00:00:00Z', false],
  [' 2026-01-01T00:00:00Z', false],
  ['2026-01-01T00:00:00Z\n', false],
  ['٢٠٢٦-01-01T00:00:00Z', false],
  ['never', false],
  ['', false],
])('%j is a time: %s', (text, expected) => {
  expect(parseUtcTime(text) !== undefined).toBe(expected);
});

test('a file expires exactly at the second of its expiry', async () => {
  world.image.roles.timestamp.expires = '2026-11-27T08:00:00Z';
  world.provision();
  world.now = new Date('2026-11-27T07:59:59.999Z');
  expect(await world.paths()).toEqual([FIRMWARE]);
  world.installed.clear();
  world.now = new Date('2026-11-27T08:00:00.000Z');
  expect((await world.refusal()).code).toBe('freeze');
});
