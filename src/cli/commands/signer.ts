/** `otaops signer`: the process that holds the online keys. */
import { type Command } from 'commander';
import { type OnlineKey } from '../../uptane/signing/index.js';
import { serviceLog } from '../log.js';
import { option } from '../options.js';
import { print } from '../output.js';
import { passphraseSource, type PassphraseFlags } from '../passphrase.js';
import { addSettings, LOG_LEVEL } from '../settings/index.js';
import { parseAtLeastOne } from '../settings/parsers.js';
import { addPassphraseOptions, collect, openKey } from '../signers.js';
import { stopRequested } from '../stop-signals.js';
import { UsageError } from '../usage-error.js';

interface SignerFlags extends PassphraseFlags {
  readonly socket: string;
  readonly online: string[];
  readonly longestDays: number;
  readonly logLevel: string;
}

export function signerCommand(program: Command): void {
  const command = program
    .command('signer')
    .description(
      'hold the online keys in a process separate from the web server, and sign only the files for which they are intended',
    )
    .requiredOption('--socket <path>', 'Unix socket, accessible to this user only')
    .requiredOption(
      '--online <role=file>',
      'role and its key, a file or kms:ARN; repeatable',
      collect,
    )
    .addOption(
      option(
        '--longest-days <days>',
        'maximum validity of the files it signs',
        parseAtLeastOne,
      ).default(30),
    )
    .addHelpText(
      'after',
      `
Roles: timestamp, snapshot, targets, director-targets, time. Never root.

Examples:
  otaops signer --socket /run/otaops/signer --online timestamp=timestamp.key --online snapshot=snapshot.key
  otaops signer --socket /run/otaops/signer --online timestamp=kms:arn:aws:kms:eu-central-1:111122223333:alias/timestamp`,
    );
  addSettings(addPassphraseOptions(command), [LOG_LEVEL]);
  command.action(async (flags: SignerFlags) => {
    const stopping = stopRequested();
    const log = serviceLog(flags.logLevel);
    const { SignerServer } = await import('../../uptane/signing/index.js');
    const closers: (() => void)[] = [];
    const keys = await onlineKeys(flags, closers);
    const server = new SignerServer({
      socketPath: flags.socket,
      keys,
      longestDays: flags.longestDays,
      onRefusal: (reason) => log.warn({ reason }, 'refused to sign'),
    });
    await server.start();
    for (const { signer, roles } of keys) print(`${roles.join(', ')}  ${signer.keyId}`);
    print(`Listening on ${flags.socket}`);
    log.info({ signal: await stopping }, 'stopping');
    await server.stop();
    for (const close of closers) close();
  });
}

/** Opens a key once, even if it has several roles. */
async function onlineKeys(flags: SignerFlags, closers: (() => void)[]): Promise<OnlineKey[]> {
  const { isOnlineRole, ONLINE_ROLES } = await import('../../uptane/signing/index.js');
  const ask = passphraseSource(flags);
  const rolesOf = new Map<string, OnlineKey['roles']>();
  for (const text of flags.online) {
    const [role = '', ...rest] = text.split('=');
    const file = rest.join('=');
    if (!isOnlineRole(role) || file === '') {
      throw new UsageError(
        `--online ${text}: expected ROLE=FILE, with one of ${ONLINE_ROLES.join(', ')}`,
      );
    }
    rolesOf.set(file, [...(rolesOf.get(file) ?? []), role]);
  }
  const keys: OnlineKey[] = [];
  for (const [file, roles] of rolesOf) {
    const { signer } = await openKey(file, ask, closers);
    keys.push({ signer, roles });
  }
  return keys;
}
