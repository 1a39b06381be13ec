/** Certificates of a server: which are accepted, and how they are renewed while a process runs. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import {
  certificateOf,
  ServerCertificate,
  UnusableCertificate,
} from '../../../src/service/tls/index.js';
import { eventually } from '../../support/adapter.js';
import { newAuthority } from '../../support/certificates.js';
import { temporaryDirectory } from '../../support/servers.js';

const folder = temporaryDirectory('certificates');
const authority = newAuthority(folder);
const first = authority.issue('first');
const second = authority.issue('second', 25);

test('a certificate expires when the first one of its chain does', () => {
  const { expires } = certificateOf(first.cert + authority.cert, first.key);
  const days = (expires - Date.now()) / 86_400_000;
  expect(days).toBeGreaterThan(19);
  expect(days).toBeLessThan(21);
});

test.each<[string, string, string, RegExp]>([
  ['no certificate', 'x', first.key, /no PEM certificate/],
  ['half a certificate', first.cert.slice(0, 200), first.key, /ends within a certificate/],
  [
    'half of the chain',
    first.cert + authority.cert.slice(0, 200),
    first.key,
    /ends within a certificate/,
  ],
  ['half a key', first.cert, first.key.slice(0, 60), /do not work/],
  ['an empty key', first.cert, '', /do not work/],
  ['the key of another', first.cert, second.key, /do not work: .*mismatch/],
  ['an encrypted key', first.cert, 'BEGIN ENCRYPTED PRIVATE KEY', /encrypted/],
  [
    'no certificate inside',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    first.key,
    /certificate 1:/,
  ],
])('%s is refused', (_name, cert, key, message) => {
  expect(() => certificateOf(cert, key)).toThrow(UnusableCertificate);
  expect(() => certificateOf(cert, key)).toThrow(message);
});

let opened: ServerCertificate | undefined;
afterEach(() => opened?.close());

async function open(certFile: string, keyFile: string) {
  const loaded: number[] = [];
  const problems: (string | undefined)[] = [];
  opened = await ServerCertificate.open(
    { certFile, keyFile },
    {
      onLoaded: (expires) => loaded.push(expires),
      onProblem: (error) => problems.push(error?.message),
    },
    5,
  );
  const current = opened;
  return {
    loaded,
    problems,
    uses: ({ cert }: { cert: string }) =>
      eventually(
        () => Promise.resolve(current.context.cert),
        (used) => used === cert,
      ),
    context: () => current.context.cert,
  };
}

test('a renewal by certbot, which points the links in live/ to new files, is noticed', async () => {
  const live = join(folder, 'live');
  const archive = join(folder, 'archive');
  for (const path of [live, archive]) mkdirSync(path);
  const write = (number: number, { cert, key }: { cert: string; key: string }) => {
    writeFileSync(join(archive, `fullchain${number}.pem`), cert);
    writeFileSync(join(archive, `privkey${number}.pem`), key);
  };
  const link = (name: string, number: number) => {
    const fresh = join(live, `${name}.new`);
    symlinkSync(join('..', 'archive', `${name}${number}.pem`), fresh);
    renameSync(fresh, join(live, `${name}.pem`));
  };
  write(1, first);
  link('fullchain', 1);
  link('privkey', 1);
  const t = await open(join(live, 'fullchain.pem'), join(live, 'privkey.pem'));
  write(2, second);
  link('fullchain', 2);
  // In between, certificate and key do not match.
  await eventually(
    () => Promise.resolve(t.problems.length),
    (number) => number > 0,
  );
  expect(t.context()).toBe(first.cert);
  link('privkey', 2);
  await t.uses(second);
  expect(t.loaded).toHaveLength(2);
  expect(t.problems).toEqual([expect.stringContaining('mismatch'), undefined]);
});

test('half-written files, and files missing for a while, keep the old certificate in use', async () => {
  const certFile = join(folder, 'server.pem');
  const keyFile = join(folder, 'server.key');
  writeFileSync(certFile, first.cert);
  writeFileSync(keyFile, first.key);
  const t = await open(certFile, keyFile);
  const told = (number: number) =>
    eventually(
      () => Promise.resolve(t.problems.length),
      (length) => length >= number,
    );
  writeFileSync(certFile, second.cert.slice(0, 300));
  await told(1);
  rmSync(keyFile);
  await told(2);
  expect(t.context()).toBe(first.cert);
  writeFileSync(keyFile, second.key);
  writeFileSync(certFile, second.cert);
  await t.uses(second);
  expect(t.problems.at(-1)).toBeUndefined();
});

test('a start with mismatched files names them', async () => {
  const certFile = join(folder, 'one.pem');
  const keyFile = join(folder, 'other.key');
  writeFileSync(certFile, first.cert);
  writeFileSync(keyFile, second.key);
  await expect(open(certFile, keyFile)).rejects.toThrow(/one\.pem, .*other\.key: .*mismatch/);
});
