/** Key ceremonies on the command line: what people type and what they see. */
import {
  chmodSync,
  cpSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { isFullDepth } from '../support/depth.js';
import { protectQuickly } from '../support/quick-passphrase.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';
import { must } from '../uptane/support/must.js';

const folder = temporaryDirectory('ceremony');
const at = (name: string) => join(folder, name);
const PASSPHRASE = ['--passphrase-file', at('passphrase')];

const run = async (...args: string[]) => runCommand(args);
/** Runs a command that must succeed. */
async function done(...args: string[]): Promise<string> {
  const { code, output } = await run(...args);
  if (code !== 0) throw new Error(`otaops ${args.join(' ')}\n${output}`);
  return output;
}
const repository = (...args: string[]) => done('repository', ...args);
const refused = async (...args: string[]) => {
  const { code, output } = await run('repository', ...args);
  expect(code).not.toBe(0);
  return output;
};
const sign = (repo: string, ...keys: string[]) =>
  repository('sign', repo, '--yes', ...PASSPHRASE, ...keys.flatMap((key) => ['--key', at(key)]));
const keyId = (name: string): string => {
  const listed = ids.get(name);
  return must(listed);
};

const ids = new Map<string, string>();
const PEOPLE = ['alice', 'bob', 'carol'];
const ONLINE = ['--key', at('snapshot'), '--key', at('timestamp')];

/** A repository with thresholds of 2 of 3 for root and targets. */
const established = at('established');
const newRepository = () => {
  const repo = join(temporaryDirectory('ceremony'), 'repo');
  cpSync(established, repo, { recursive: true });
  // Each test continues from the same keys, separately.
  for (const name of [...PEOPLE, 'supplier']) rmSync(at(`${name}.signed.json`), { force: true });
  return repo;
};

beforeAll(async () => {
  writeFileSync(at('passphrase'), 'correct horse\n');
  for (const name of [...PEOPLE, 'dave', 'supplier']) {
    // A quick run gives only alice a passphrase as people do; the first signature uses that key as it is.
    const isQuick = !isFullDepth && name !== 'alice';
    const how = isQuick ? ['--no-passphrase'] : PASSPHRASE;
    const output = await done('keys', 'generate', at(name), ...how);
    if (isQuick) protectQuickly(at(name), 'correct horse');
    ids.set(name, must(/[0-9a-f]{64}/.exec(output)?.[0]));
  }
  for (const name of ['snapshot', 'timestamp', 'timestamp2']) {
    const output = await done('keys', 'generate', at(name), '--no-passphrase');
    ids.set(name, must(/[0-9a-f]{64}/.exec(output)?.[0]));
  }
  await repository(
    ...['init', established, '--threshold', 'root=2', '--threshold', 'targets=2'],
    ...PEOPLE.flatMap((name) => [
      '--key',
      `root=${at(name)}.pub`,
      '--key',
      `targets=${at(name)}.pub`,
    ]),
    ...['snapshot', 'timestamp'].flatMap((role) => ['--key', `${role}=${at(role)}.pub`]),
  );
  await sign(established, 'alice', 'bob');
  // It is read some thirty times.
  if (!isFullDepth) protectQuickly(at('alice'), 'correct horse');
  await repository('publish', established, ...ONLINE);
  writeFileSync(at('fw.bin'), 'firmware');
});

const add = (repo: string, counter = 1, ...more: string[]) =>
  repository(
    ...['propose', repo, '--add', `brakes/fw.bin=${at('fw.bin')}`],
    ...['--hardware-id', 'hw-a', '--release-counter', String(counter), ...more],
  );

describe('otaops repository', () => {
  test('shows the changes before they are signed', async () => {
    const repo = newRepository();
    const output = await add(repo, 7);
    expect(output).toMatch(/^targets: version 1 → 2$/m);
    expect(output).toMatch(
      /^ {2}\+ brakes\/fw\.bin {2}8 bytes, release counter 7, hardware hw-a, sha256 [0-9a-f]{64}, sha512 [0-9a-f]{128}, \{"md5":"[0-9a-f]{32}"\}$/m,
    );
  });

  test('2 of 3 signers sign on separate machines, in copies of the folder', async () => {
    const repo = newRepository();
    await add(repo);
    const copies = ['alice', 'carol'].map((name) => {
      const copy = join(temporaryDirectory('ceremony'), 'repo');
      cpSync(repo, copy, { recursive: true });
      return { name, copy };
    });
    for (const { name, copy } of copies) await sign(copy, name);
    expect(await refused('publish', repo, ...ONLINE)).toContain(
      'targets version 2 has 0 of 2 signatures that root asks for',
    );
    for (const { copy } of copies) await repository('sign', repo, '--from', copy);
    expect(await repository('publish', repo, ...ONLINE)).toMatch(
      /^Published metadata\/2\.targets\.json\nPublished metadata\/2\.snapshot\.json\nPublished metadata\/timestamp\.json\n$/,
    );
    const status = await repository('status', repo);
    expect(status).toMatch(/^targets +2 .* 2 of 3 /m);
  });

  test('names a wrong passphrase, a wrong key and a signer outside the role', async () => {
    const repo = newRepository();
    await add(repo);
    writeFileSync(at('wrong'), 'wrong\n');
    expect(
      await refused('sign', repo, '--yes', '--key', at('alice'), '--passphrase-file', at('wrong')),
    ).toContain('cannot be decrypted: the passphrase is wrong');
    expect(await refused('sign', repo, '--yes', '--key', at('dave'), ...PASSPHRASE)).toContain(
      `the key ${keyId('dave')} is not one of the keys of the proposal: targets`,
    );
    expect(await refused('sign', repo, '--yes', '--key', at('alice.pub'))).toContain('chmod 600');
    expect(await refused('publish', repo, '--key', at('snapshot'))).toContain('0 of 2 signatures');
    await sign(repo, 'alice', 'bob');
    expect(await refused('publish', repo, '--key', at('snapshot'))).toContain(
      'the timestamp needs signatures by 1 of the keys',
    );
  });

  test('without a terminal, neither prompts for a passphrase nor signs unconfirmed', async () => {
    const repo = newRepository();
    await add(repo);
    expect(await refused('sign', repo, '--yes', '--key', at('alice'))).toContain(
      'can only be entered on a terminal; without one, use --passphrase-file or --passphrase-fd',
    );
    expect(await refused('sign', repo, '--key', at('alice'), ...PASSPHRASE)).toContain('use --yes');
  });

  test('a key remembers what it has signed, so an outdated proposal is recognised', async () => {
    const repo = newRepository();
    await add(repo);
    const old = join(temporaryDirectory('ceremony'), 'repo');
    cpSync(repo, old, { recursive: true });
    await sign(repo, 'alice', 'carol');
    await repository('publish', repo, ...ONLINE);
    await add(repo, 2);
    await sign(repo, 'alice', 'carol');
    expect(await refused('sign', old, '--yes', '--key', at('alice'), ...PASSPHRASE)).toContain(
      'this key has signed targets version 3 already; version 2 is a proposal of the past',
    );
  });

  test('changing a proposal drops its signatures, with a notice', async () => {
    const repo = newRepository();
    await add(repo);
    await sign(repo, 'bob');
    expect(await add(repo, 2)).toContain('targets has changed: its signatures are dropped.');
    expect(await repository('propose', repo, '--discard')).toContain('The proposal is now empty');
  });

  test('a supplier signs its own images, and only within its delegation', async () => {
    const repo = newRepository();
    const delegation = {
      name: 'supplier',
      keyids: [keyId('supplier')],
      threshold: 1,
      paths: ['radio/*'],
      terminating: true,
      hardwareIds: ['hw-a'],
      keys: { [keyId('supplier')]: JSON.parse(readFileSync(at('supplier.pub'), 'utf8')) },
    };
    writeFileSync(at('delegation.json'), JSON.stringify(delegation));
    const output = await repository('propose', repo, '--delegate', at('delegation.json'));
    expect(output).toMatch(
      /^ {2}\+ delegation to supplier: supplier signed by 1 of ed25519 [0-9a-f]{64}; paths radio\/\*; hardware hw-a; terminating$/m,
    );
    await sign(repo, 'alice', 'bob', 'supplier');
    await repository('publish', repo, ...ONLINE);
    const image = (path: string) => [
      ...['propose', repo, '--role', 'supplier', '--add', `${path}=${at('fw.bin')}`],
      ...['--hardware-id', 'hw-a', '--release-counter', '1'],
    ];
    const outside = await repository(...image('brakes/fw.bin'));
    expect(outside).toContain('no delegation to supplier covers this path and hardware');
    await repository('propose', repo, '--discard');
    await repository(...image('radio/fw.bin'));
    expect(await refused('sign', repo, '--yes', '--key', at('alice'), ...PASSPHRASE)).toContain(
      'is not one of the keys of the proposal: supplier',
    );
    await sign(repo, 'supplier');
    await repository('publish', repo, ...ONLINE);
    expect(await repository('status', repo)).toMatch(/^supplier +2 /m);
  });

  test('a stolen timestamp key is revoked, and its successor publishes', async () => {
    const repo = newRepository();
    const output = await repository(
      ...['revoke', repo, '--key-id', keyId('timestamp'), '--new', `${at('timestamp2')}.pub`],
    );
    expect(output).toContain('The key signs timestamp; the proposal removes it from them.');
    await sign(repo, 'bob', 'carol');
    expect(
      await repository('publish', repo, '--key', at('snapshot'), '--key', at('timestamp2')),
    ).toContain('Vehicles that fetched root before the new timestamp must start another cycle.');
    expect(await refused('refresh', repo, ...ONLINE)).toContain('the timestamp needs signatures');
    await repository('refresh', repo, '--key', at('timestamp2'), '--key', at('snapshot'));
  });

  test('status fails for monitoring when something expires soon', async () => {
    const repo = join(temporaryDirectory('ceremony'), 'short');
    await repository(
      ...['init', repo, '--expires', 'targets=20', '--expires', 'root=400'],
      ...['root', 'targets', 'snapshot', 'timestamp'].flatMap((role) => [
        '--key',
        `${role}=${at('timestamp')}.pub`,
      ]),
    );
    expect(await refused('status', repo)).toContain('nothing is published yet');
    const key = ['--key', at('timestamp')];
    const shared = await repository('sign', repo, '--yes', ...key);
    expect(shared).toContain('! one key for root and timestamp and snapshot and targets');
    await repository('publish', repo, ...key);
    await repository('status', repo);
    const json = await runCommand(['repository', 'status', repo, '--json']);
    expect(JSON.parse(json.stdout).published).toHaveLength(4);
  });

  test('usage errors name the argument', async () => {
    const repo = newRepository();
    expect(await refused('propose', repo)).toContain('nothing to propose');
    expect(await refused('propose', repo, '--add', 'x')).toContain('--add needs --hardware-id');
    expect(await refused('status', at('nowhere'))).toContain('no such folder');
    expect(await refused('status', folder)).toContain('there is no repository here');
    const hardware = ['--hardware-id', 'a', '--release-counter', '1'];
    const file = at('fw.bin');
    for (const path of ['../x', '/x', 'a//b', 'a\u202eb', 'e\u0301', 'a\\b', 'x'.repeat(127)]) {
      expect(await refused('propose', repo, '--add', `${path}=${file}`, ...hardware)).toContain(
        'cannot be the path of a target',
      );
    }
    expect(existsSync(join(repo, 'lock'))).toBe(false);
  });
});

describe('otaops keys', () => {
  test('lists the public keys of a folder', async () => {
    const output = await done('keys', 'list', folder);
    for (const [name, id] of ids) expect(output).toContain(`${id}  ed25519  ${at(name)}.pub`);
    expect(statSync(at('alice')).mode & 0o777).toBe(0o600);
  });

  test('never overwrites a key, and names a file that is not a key', async () => {
    const again = await run('keys', 'generate', at('alice'), ...PASSPHRASE);
    expect(again.output).toContain('exists already');
    chmodSync(at('fw.bin'), 0o600);
    expect((await run('keys', 'list', at('fw.bin'))).output).toContain('is not a public key');
  });
});
