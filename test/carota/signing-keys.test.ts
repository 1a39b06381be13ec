/** The CarOTA Server starts only with keys whose signatures vehicles can accept. */
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSigningKeys } from '../../src/carota/signing/index.js';
import { DAY_MS, newAuthority, newSigner } from '../support/certificates.js';
import { ownMaker } from '../support/certificate-makers.js';
import { temporaryDirectory } from '../support/servers.js';

const now = Date.now();
const directory = temporaryDirectory('signing');
const anchor = await newAuthority('anchor');

const start = (key: { export: CallableFunction }, chain: readonly { toString(): string }[]) => {
  const files = {
    signingKey: join(directory, 'key.pem'),
    signingChain: join(directory, 'chain.pem'),
  };
  writeFileSync(files.signingKey, key.export({ type: 'pkcs8', format: 'pem' }) as string);
  writeFileSync(files.signingChain, chain.join(''));
  return openSigningKeys({ dataDir: directory, ...files }, now).then(
    () => 'started',
    (error: unknown) => String(error),
  );
};

test('generated keys and a valid chain are accepted', async () => {
  const { chain } = await openSigningKeys({ dataDir: temporaryDirectory('signing') }, now);
  expect(chain).toHaveLength(1);
  const signer = await newSigner(anchor);
  expect(await start(signer.key, signer.chain)).toBe('started');
});

test('a chain that no vehicle would accept stops the start, with the reason', async () => {
  const server = await newSigner(anchor, { use: 'server' });
  expect(await start(server.key, server.chain)).toMatch(
    /chain\.pem is not .* not for code signing/,
  );
  const signer = await newSigner(anchor);
  const other = await newSigner(anchor);
  expect(await start(signer.key, [...signer.chain, ...other.chain])).toMatch(/not an authority/);
  expect(await start(signer.key, other.chain)).toMatch(/key\.pem is not the key of the first/);
  const keys = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const weak = ownMaker({
    name: 'weak',
    keys,
    constraints: { authority: false },
    usage: ['digitalSignature'],
    purposes: ['1.3.6.1.5.5.7.3.3'],
  });
  expect(await start(keys.privateKey, [weak.certificate])).toMatch(/has 1024 bits/);
});

test('an expired chain does not stop the start: running schedules continue', async () => {
  const expired = await newSigner(anchor, { from: now - 20 * DAY_MS, to: now - DAY_MS });
  expect(await start(expired.key, expired.chain)).toBe('started');
});
