/** The keys that a command signs with: files, a PKCS #11 token, or the signer process. */
import { type Command } from 'commander';
import { type Signer } from '../uptane/signing/index.js';
import { option } from './options.js';
import { passphraseSource, type PassphraseFlags } from './passphrase.js';
import { parseCount } from './settings/parsers.js';
import { UsageError } from './usage-error.js';

export interface SignerFlags extends PassphraseFlags {
  readonly key?: string[];
  readonly signer?: string;
  readonly pkcs11Module?: string;
  readonly pkcs11Token?: string;
  readonly keyLabel?: string[];
}

export interface NamedSigner {
  readonly signer: Signer;
  /** Where the record of its signatures is kept; `undefined` for online keys, which have none. */
  readonly recordPath: string | undefined;
}

export interface OpenedSigners {
  readonly signers: readonly NamedSigner[];
  close(): void;
}

export const collect = (value: string, before: string[] = []): string[] => [...before, value];

export function addPassphraseOptions(command: Command): Command {
  return command
    .option('--passphrase-file <file>', 'its first line is the passphrase, or the PIN')
    .addOption(
      option('--passphrase-fd <number>', 'descriptor to read the passphrase from', parseCount),
    );
}

export const addTokenOptions = (command: Command): Command =>
  command
    .option('--pkcs11-module <file>', 'library of a PKCS #11 token')
    .option('--pkcs11-token <label>', 'token to use (default: the only one)');

export function addSignerOptions(command: Command): Command {
  command
    .option('--key <file>', 'private key; repeatable', collect)
    .option('--key-label <label>', 'key in the PKCS #11 token; repeatable', collect)
    .option('--signer <socket>', 'keys of otaops signer');
  return addPassphraseOptions(addTokenOptions(command));
}

/** @throws UsageError, KeyFileFault, Pkcs11Fault, SignerProcessFault */
export async function openSigners(flags: SignerFlags): Promise<OpenedSigners> {
  const { key = [], keyLabel = [], pkcs11Module, pkcs11Token, signer } = flags;
  const { openKeyFile, openToken, SignerClient } = await import('../uptane/signing/index.js');
  const ask = passphraseSource(flags);
  const signers: NamedSigner[] = [];
  const closers: (() => void)[] = [];
  for (const path of key) {
    const opened = await openKeyFile(path, () => ask(`passphrase of ${path}`));
    signers.push({ signer: opened, recordPath: `${path}.signed.json` });
  }
  if (keyLabel.length > 0) {
    if (pkcs11Module === undefined) throw new UsageError('--key-label needs --pkcs11-module');
    const pin = await ask(`PIN of ${pkcs11Token ?? 'the token'}`);
    const token = await openToken({ modulePath: pkcs11Module, tokenLabel: pkcs11Token }, pin);
    closers.push(() => token.close());
    for (const label of keyLabel)
      signers.push({ signer: token.signer(label), recordPath: undefined });
  }
  if (signer !== undefined) {
    const client = new SignerClient(signer);
    closers.push(() => client.close());
    for (const online of await client.signers()) {
      signers.push({ signer: online, recordPath: undefined });
    }
  }
  if (signers.length === 0) {
    throw new UsageError('which key signs? --key, --key-label with --pkcs11-module, or --signer');
  }
  return { signers, close: () => closers.forEach((close) => close()) };
}
