/** A key ceremony whose keys never leave a PKCS #11 token. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isFullDepth } from '../support/depth.js';
import { otaops } from '../support/process.js';
import { ifInstalled, temporaryDirectory } from '../support/servers.js';
import { PIN, softHsm } from '../uptane/signing/softhsm.js';

const hsm = await ifInstalled(softHsm);
hsm?.addToken('ceremony');
const folder = temporaryDirectory('token');
const at = (name: string) => join(folder, name);
const TOKEN = [
  ...['--pkcs11-module', hsm?.modulePath ?? '', '--pkcs11-token', 'ceremony'],
  ...['--passphrase-file', at('pin')],
];
writeFileSync(at('pin'), `${PIN}\n`);

/** In a separate process: a PKCS #11 module reads its configuration once, and other tests use a different one. */
async function run(args: string[]): Promise<{ code: number | string; output: string }> {
  const command = otaops(args, { SOFTHSM2_CONF: hsm?.configuration ?? '' });
  return { code: await command.ended, output: command.output() };
}

async function done(...args: string[]): Promise<string> {
  const { code, output } = await run(args);
  if (code !== 0) throw new Error(`otaops ${args.join(' ')}\n${output}`);
  return output;
}

describe.runIf(hsm && isFullDepth)('with a token', () => {
  test('keys are created, listed and used; a wrong PIN or label is named', async () => {
    for (const [label, type] of Object.entries({
      root: 'rsa',
      targets: 'ecdsa',
      online: 'ed25519',
    })) {
      await done(
        'keys',
        'generate',
        at(`${label}.pub`),
        '--type',
        type,
        '--key-label',
        label,
        ...TOKEN,
      );
    }
    const listed = await done('keys', 'list', ...TOKEN);
    expect(listed).toMatch(/^[0-9a-f]{64} {2}ecdsa {4}token: targets$/m);
    const repo = at('repo');
    await done(
      ...['repository', 'init', repo, '--key', `root=${at('root.pub')}`],
      ...['--key', `targets=${at('targets.pub')}`, '--key', `snapshot=${at('online.pub')}`],
      ...['--key', `timestamp=${at('online.pub')}`],
    );
    const labels = (...names: string[]) => names.flatMap((name) => ['--key-label', name]);
    await done('repository', 'sign', repo, '--yes', ...labels('root', 'targets'), ...TOKEN);
    await done('repository', 'publish', repo, ...labels('online'), ...TOKEN);
    expect(readFileSync(join(repo, 'metadata', '1.root.json'), 'utf8')).toContain('rsassa-pss');
    await done('repository', 'status', repo);

    const refresh = (...args: string[]) => run(['repository', 'refresh', repo, ...args]);
    expect((await refresh(...labels('other'), ...TOKEN)).output).toContain(
      'the token has no key labelled "other"; it has "',
    );
    writeFileSync(at('pin'), '999999\n');
    expect((await refresh(...labels('online'), ...TOKEN)).output).toContain('the PIN is wrong');
    expect((await refresh(...labels('online'))).output).toContain(
      '--key-label needs --pkcs11-module',
    );
    expect((await refresh()).output).toContain('which key signs?');
  });
});
