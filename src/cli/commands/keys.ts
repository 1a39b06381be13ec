/** `otaops keys`: keys that sign metadata. */
import { existsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { type KeyType } from '../../uptane/signing/index.js';
import { print, printJson, printTable } from '../output.js';
import { newPassphrase, passphraseSource, type PassphraseFlags } from '../passphrase.js';
import { addPassphraseOptions, addTokenOptions, openKey } from '../signers.js';
import { UsageError } from '../usage-error.js';

interface TokenFlags extends PassphraseFlags {
  readonly pkcs11Module?: string;
  readonly pkcs11Token?: string;
}

interface GenerateFlags extends TokenFlags {
  readonly type: KeyType;
  /** `false` by `--no-passphrase`. */
  readonly passphrase: boolean;
  readonly keyLabel?: string;
}

export function keysCommand(program: Command): void {
  const keys = program
    .command('keys')
    .description(
      'keys that sign Uptane metadata: in encrypted files, in a PKCS #11 token or in AWS KMS',
    )
    .addHelpText(
      'after',
      `
Examples:
  otaops keys generate alice.key
  otaops keys generate alice.pub --pkcs11-module /usr/lib/softhsm/libsofthsm2.so --key-label alice
  otaops keys list .
  otaops keys export kms:arn:aws:kms:eu-central-1:111122223333:alias/root alice.pub

FILE is the private key, encrypted; FILE.pub is the public key, for otaops repository.`,
    );
  generateCommand(keys);
  listCommand(keys);
  exportCommand(keys);
}

function generateCommand(keys: Command): void {
  const command = keys
    .command('generate')
    .description('generate a key; asks for its passphrase twice')
    .argument('<file>', 'private key; with a token, the public key')
    .addOption(
      new Option('--type <type>', 'kind of key')
        .choices(['ed25519', 'ecdsa', 'rsa'])
        .default('ed25519'),
    )
    .option('--no-passphrase', 'do not encrypt the key; for unattended use')
    .option('--key-label <label>', 'generate the key in the PKCS #11 token, under this label');
  addPassphraseOptions(addTokenOptions(command));
  command.action(async (file: string, flags: GenerateFlags) => {
    const signing = await import('../../uptane/signing/index.js');
    if (flags.keyLabel !== undefined) {
      const key = await generateInToken(file, flags.keyLabel, flags);
      print(`${key}  ${file}`);
      return;
    }
    const passphrase = flags.passphrase
      ? await newPassphrase(flags, `passphrase of ${file}`)
      : undefined;
    const key = await signing.writeKeyFile(file, signing.generateKey(flags.type), passphrase);
    print(`${signing.keyText(key)}  ${signing.publicFileOf(file)}`);
  });
}

async function generateInToken(file: string, label: string, flags: GenerateFlags): Promise<string> {
  const { keyText, writePublicKeyFile } = await import('../../uptane/signing/index.js');
  if (existsSync(file)) throw new UsageError(`${file} exists already`);
  const token = await tokenOf(flags);
  try {
    const key = token.generate(flags.type, label);
    writePublicKeyFile(file, key);
    return keyText(key);
  } finally {
    token.close();
  }
}

async function tokenOf(flags: TokenFlags) {
  const { pkcs11Module: modulePath, pkcs11Token: tokenLabel } = flags;
  if (modulePath === undefined) throw new UsageError('--pkcs11-module is required');
  const { openToken } = await import('../../uptane/signing/index.js');
  const pin = await passphraseSource(flags)(`PIN of ${tokenLabel ?? 'the token'}`);
  return openToken({ modulePath, tokenLabel }, pin);
}

interface ListedFile {
  readonly keyId: string;
  readonly type: string;
  readonly where: string;
}

function listCommand(keys: Command): void {
  const command = keys
    .command('list')
    .description('list keys with their ids')
    .argument('[paths...]', 'public keys, or folders of public keys')
    .option('--json', 'print JSON');
  addPassphraseOptions(addTokenOptions(command));
  command.action(async (paths: string[], flags: TokenFlags & { json?: boolean }) => {
    const listed = [
      ...(await keysInFiles(paths)),
      ...(flags.pkcs11Module === undefined ? [] : await keysInToken(flags)),
    ];
    if (flags.json) printJson(listed);
    else {
      printTable(
        ['key id', 'type', 'where'],
        listed.map(({ keyId, type, where }) => [keyId, type, where]),
      );
    }
  });
}

async function keysInFiles(paths: readonly string[]): Promise<ListedFile[]> {
  const { keyIdOfListed, readPublicKeyFile } = await import('../../uptane/signing/index.js');
  const files: string[] = [];
  for (const path of paths) {
    if (existsSync(path) && statSync(path).isDirectory()) {
      const names = (await readdir(path)).filter((name) => name.endsWith('.pub')).sort();
      files.push(...names.map((name) => join(path, name)));
    } else files.push(path);
  }
  return Promise.all(
    files.map(async (where) => {
      const key = await readPublicKeyFile(where);
      return { keyId: keyIdOfListed(key), type: key.keytype, where };
    }),
  );
}

async function keysInToken(flags: TokenFlags): Promise<ListedFile[]> {
  const token = await tokenOf(flags);
  try {
    return token
      .keys()
      .map(({ keyId, key, label }) => ({ keyId, type: key.keytype, where: `token: ${label}` }));
  } finally {
    token.close();
  }
}

function exportCommand(keys: Command): void {
  const command = keys
    .command('export')
    .description('write the public key of a private key, to propose it for a role')
    .argument('<key>', 'private key, or kms:ARN of a key in AWS KMS')
    .argument('<file>', 'public key');
  addPassphraseOptions(command);
  command.action(async (name: string, file: string, flags: PassphraseFlags) => {
    const { keyText, writePublicKeyFile } = await import('../../uptane/signing/index.js');
    if (existsSync(file)) throw new UsageError(`${file} exists already`);
    const closers: (() => void)[] = [];
    try {
      const { signer } = await openKey(name, passphraseSource(flags), closers);
      writePublicKeyFile(file, signer.key);
      print(`${keyText(signer.key)}  ${file}`);
    } finally {
      for (const close of closers) close();
    }
  });
}
