/** Keys in AWS KMS: signatures verify with OpenSSL, and faults name the key and the reason. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../src/uptane/json/canonical-json.js';
import { openKmsKey } from '../../../src/uptane/signing/kms/kms-key.js';
import { kmsKeyIn, regionOfKmsKey } from '../../../src/uptane/signing/kms/kms-name.js';
import { signMetadata, WrongSignature } from '../../../src/uptane/signing/sign.js';
import { runCommand } from '../../support/run-command.js';
import { temporaryDirectory } from '../../support/servers.js';
import { must } from '../support/must.js';
import { arnOf, KmsDouble } from './kms-double.js';

const kms = new KmsDouble();
const folder = temporaryDirectory('kms-keys');
const at = (name: string) => join(folder, name);
const VARIABLES = ['AWS_ENDPOINT_URL_KMS', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const;
const before = VARIABLES.map((name) => [name, process.env[name]] as const);

beforeAll(async () => {
  process.env.AWS_ENDPOINT_URL_KMS = await kms.start();
  process.env.AWS_ACCESS_KEY_ID = 'AKIDEXAMPLE';
  process.env.AWS_SECRET_ACCESS_KEY = 'secret';
});

afterAll(() => {
  for (const [name, value] of before) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
  kms.stop();
});

/** Longer than a message that KMS accepts. */
const LONG = { _type: 'targets', note: 'x'.repeat(5_000) };

describe('a key in AWS KMS', () => {
  test.each([
    ['ECC_NIST_P256', 'ecdsa', []],
    ['RSA_2048', 'rsa', ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32']],
  ] as const)('signs metadata of any length: %s', async (spec, type, options) => {
    const signer = await openKmsKey(kms.make(type, spec));
    expect(signer.key.keytype).toBe(type);
    const { signatures } = await signMetadata(LONG, [signer]);
    writeFileSync(at('message'), canonicalJson(LONG));
    writeFileSync(at('signature'), Buffer.from(must(signatures[0]).sig, 'hex'));
    const verify = ['dgst', '-sha256', '-verify', kms.publicKeyFile(type), ...options];
    const answer = execFileSync('openssl', [
      ...verify,
      '-signature',
      at('signature'),
      at('message'),
    ]);
    expect(answer.toString()).toBe('Verified OK\n');
    // The message itself is not sent.
    expect(kms.asked.at(-1)?.body).toMatchObject({ KeyId: arnOf(type), MessageType: 'DIGEST' });
    signer.close();
  });

  test('signs with Ed25519 up to the limit of KMS, and names the limit for longer metadata', async () => {
    const signer = await openKmsKey(kms.make('edwards', 'ECC_NIST_EDWARDS25519'));
    const { signatures } = await signMetadata({ _type: 'timestamp' }, [signer]);
    expect(must(signatures[0]).sig).toHaveLength(128);
    await expect(signMetadata(LONG, [signer])).rejects.toThrow(
      `${arnOf('edwards')}: KMS signs at most 4096 bytes with Ed25519, and this has 5029`,
    );
    signer.close();
  });

  test('does not sign if its alias now points to another key', async () => {
    const signer = await openKmsKey(kms.make('moved', 'ECC_NIST_P256'));
    kms.make('another', 'ECC_NIST_P256');
    kms.point('moved', 'another');
    await expect(signMetadata({ _type: 'root' }, [signer])).rejects.toThrow(WrongSignature);
    signer.close();
  });

  test.each([
    ['encrypts', 'RSA_2048', { usage: 'ENCRYPT_DECRYPT' }, 'its key usage is ENCRYPT_DECRYPT'],
    [
      'p384',
      'ECC_NIST_P384',
      {},
      'expected an Ed25519, ECDSA P-256 or RSA key, found ec secp384r1',
    ],
    [
      'pkcs1',
      'RSA_2048',
      { algorithms: ['RSASSA_PKCS1_V1_5_SHA_256'] },
      'the key does not sign with RSASSA_PSS_SHA_256, only RSASSA_PKCS1_V1_5_SHA_256',
    ],
  ] as const)('is refused if it cannot sign metadata: %s', async (name, spec, how, message) => {
    await expect(openKmsKey(kms.make(name, spec, how))).rejects.toThrow(
      `${arnOf(name)}: ${message}`,
    );
  });

  test('leads to errors that name the key and the reason if KMS fails', async () => {
    await expect(openKmsKey(arnOf('nobody'))).rejects.toThrow(
      `${arnOf('nobody')}: NotFoundException: Alias ${arnOf('nobody')} is not found.`,
    );
    const signer = await openKmsKey(kms.make('denied', 'ECC_NIST_P256'));
    kms.error = { status: 400, type: 'AccessDeniedException', message: 'no kms:Sign for you' };
    await expect(signMetadata({ _type: 'root' }, [signer])).rejects.toThrow(
      `${arnOf('denied')}: AccessDeniedException: no kms:Sign for you`,
    );
    kms.error = undefined;
    signer.close();
  });
});

describe('its name', () => {
  test('is the ARN of a key or an alias, in any partition', () => {
    const id = '1234abcd-12ab-34cd-56ef-1234567890ab';
    expect(regionOfKmsKey(`arn:aws:kms:us-east-2:111122223333:key/${id}`)).toBe('us-east-2');
    expect(regionOfKmsKey(`arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-${id}`)).toBe(
      'us-gov-west-1',
    );
    for (const wrong of [
      '',
      id,
      'alias/root',
      `arn:aws:kms:us-east-2:111122223333:key/${id}\n`,
      `arn:aws:kms:us-east-2.evil.example/:111122223333:key/${id}`,
      'arn:aws:s3:us-east-2:111122223333:key/a',
    ]) {
      expect(regionOfKmsKey(wrong)).toBeUndefined();
    }
    expect(kmsKeyIn('alice.key')).toBeUndefined();
    expect(kmsKeyIn('kms:whatever')).toBe('whatever');
  });

  test('is refused before any request to KMS if it is anything else', async () => {
    await expect(openKmsKey('alias/root')).rejects.toThrow(
      'alias/root is not a key in AWS KMS: expected arn:aws:kms:REGION:ACCOUNT:key/ID',
    );
  });
});

describe('the command line', () => {
  const done = async (...args: string[]) => {
    const { code, output } = await runCommand(args);
    if (code !== 0) throw new Error(`otaops ${args.join(' ')}\n${output}`);
    return output;
  };

  test('establishes a repository whose root key is in KMS', async () => {
    const key = `kms:${kms.make('root', 'ECC_NIST_P256')}`;
    const output = await done('keys', 'export', key, at('root.pub'));
    const id = must(/^ecdsa ([0-9a-f]{64}) /.exec(output)?.[1]);
    for (const name of ['targets', 'snapshot', 'timestamp']) {
      await done('keys', 'generate', at(name), '--no-passphrase');
    }
    const keys = ['root', 'targets', 'snapshot', 'timestamp'].flatMap((role) => [
      ...['--key', `${role}=${at(`${role}.pub`)}`],
    ]);
    const repo = at('repo');
    await done('repository', 'init', repo, ...keys);
    await done('repository', 'sign', repo, '--yes', '--key', key, '--key', at('targets'));
    const online = ['--key', at('snapshot'), '--key', at('timestamp')];
    await done('repository', 'publish', repo, ...online);
    const root = JSON.parse(readFileSync(join(repo, 'metadata', '1.root.json'), 'utf8')) as {
      signatures: { keyid: string; sig: string }[];
      signed: Record<string, never>;
    };
    expect(root.signatures.map(({ keyid }) => keyid)).toEqual([id]);
    writeFileSync(at('root.signed'), canonicalJson(root.signed));
    writeFileSync(at('root.sig'), Buffer.from(must(root.signatures[0]).sig, 'hex'));
    const verify = ['dgst', '-sha256', '-verify', kms.publicKeyFile('root')];
    const answer = execFileSync('openssl', [
      ...verify,
      '-signature',
      at('root.sig'),
      at('root.signed'),
    ]);
    expect(answer.toString()).toBe('Verified OK\n');
  });

  test('exports no public key of something that is not a key, and overwrites nothing', async () => {
    const wrong = await runCommand(['keys', 'export', 'kms:alias/root', at('none.pub')]);
    expect([wrong.code, existsSync(at('none.pub'))]).toEqual([1, false]);
    expect(wrong.output).toContain('alias/root is not a key in AWS KMS');
    const again = await runCommand(['keys', 'export', `kms:${arnOf('root')}`, at('root.pub')]);
    expect(again.output).toContain('exists already');
  });
});
