/** Signing keys of a command: files, AWS KMS, a PKCS #11 token, or the signer process. */
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
  /** Path of its signature record; `undefined` for online keys, which have none. */
  readonly recordPath: string | undefined;
}

export interface OpenedSigners {
  readonly signers: readonly NamedSigner[];
  close(): void;
}

export const collect = (value: string, before: string[] = []): string[] => [...before, value];

export function addPassphraseOptions(command: Command): Command {
  return command
    .option('--passphrase-file <file>', 'file whose first line is the passphrase or PIN')
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
    .option('--key <file>', 'private key, or kms:ARN of a key in AWS KMS; repeatable', collect)
    .option('--key-label <label>', 'key in the PKCS #11 token; repeatable', collect)
    .option('--signer <socket>', 'keys of otaops signer');
  return addPassphraseOptions(addTokenOptions(command));
}

/** @throws UsageError, KeyFileFault, KmsFault, Pkcs11Fault, SignerProcessFault; everything opened is then closed */
export async function openSigners(flags: SignerFlags): Promise<OpenedSigners> {
  const closers: (() => void)[] = [];
  const close = () => closers.forEach((one) => one());
  try {
    const signers = [
      ...(await signersOfKeys(flags, closers)),
      ...(await signersInToken(flags, closers)),
      ...(await signersOfProcess(flags, closers)),
    ];
    if (signers.length > 0) return { signers, close };
    throw new UsageError('which key signs? --key, --key-label with --pkcs11-module, or --signer');
  } catch (error) {
    close();
    throw error;
  }
}

async function signersOfKeys(
  { key = [], ...flags }: SignerFlags,
  closers: (() => void)[],
): Promise<NamedSigner[]> {
  const ask = passphraseSource(flags);
  const signers: NamedSigner[] = [];
  for (const name of key) signers.push(await openKey(name, ask, closers));
  return signers;
}

/**
 * @param name a private key file, or `kms:ARN`
 * @param ask for the passphrase of an encrypted file
 * @param closers takes what closes it
 * @throws KeyFileFault, KmsFault
 */
export async function openKey(
  name: string,
  ask: (what: string) => Promise<string>,
  closers: (() => void)[],
): Promise<NamedSigner> {
  const { kmsKeyIn, openKeyFile, openKmsKey } = await import('../uptane/signing/index.js');
  const arn = kmsKeyIn(name);
  if (arn === undefined) {
    const signer = await openKeyFile(name, () => ask(`passphrase of ${name}`));
    return { signer, recordPath: `${name}.signed.json` };
  }
  const signer = await openKmsKey(arn);
  closers.push(() => signer.close());
  return { signer, recordPath: undefined };
}

async function signersInToken(flags: SignerFlags, closers: (() => void)[]): Promise<NamedSigner[]> {
  const { keyLabel = [], pkcs11Module: modulePath, pkcs11Token: tokenLabel } = flags;
  if (keyLabel.length === 0) return [];
  if (modulePath === undefined) throw new UsageError('--key-label needs --pkcs11-module');
  const { openToken } = await import('../uptane/signing/index.js');
  const pin = await passphraseSource(flags)(`PIN of ${tokenLabel ?? 'the token'}`);
  const token = await openToken({ modulePath, tokenLabel }, pin);
  closers.push(() => token.close());
  return keyLabel.map((label) => ({ signer: token.signer(label), recordPath: undefined }));
}

async function signersOfProcess(
  { signer: socketPath }: SignerFlags,
  closers: (() => void)[],
): Promise<NamedSigner[]> {
  if (socketPath === undefined) return [];
  const { SignerClient } = await import('../uptane/signing/index.js');
  const client = new SignerClient(socketPath);
  closers.push(() => client.close());
  return (await client.signers()).map((signer) => ({ signer, recordPath: undefined }));
}
