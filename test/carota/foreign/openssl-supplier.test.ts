/** A supplier with OpenSSL and curl and none of our code, whose key never leaves its file. */
import { execFile, execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listedKeyOf } from '../../../src/uptane/signing/listed-key.js';
import { keyIdOfListed, type Signer } from '../../../src/uptane/signing/signer.js';
import { temporaryDirectory } from '../../support/servers.js';
import { TestClient } from '../../uptane/repository/support.js';
import { startSupplierServer, type SupplierServer } from '../support/supplier-server.js';
import { delegationTo, signedPart } from '../support/suppliers.js';

const foreign = openSslSupplier(temporaryDirectory('foreign-supplier'));

function openSslSupplier(folder: string) {
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  openssl('genpkey', '-algorithm', 'ed25519', '-out', at('key.pem'));
  openssl('pkey', '-in', at('key.pem'), '-pubout', '-out', at('pub.pem'));
  const sign = (message: Uint8Array) => {
    writeFileSync(at('message'), message);
    openssl(
      'pkeyutl',
      '-sign',
      '-rawin',
      '-inkey',
      at('key.pem'),
      '-in',
      at('message'),
      '-out',
      at('sig'),
    );
    return readFileSync(at('sig'));
  };
  const key = listedKeyOf(createPublicKey(readFileSync(at('pub.pem'))));
  const signer: Signer = { key, keyId: keyIdOfListed(key), sign: async (message) => sign(message) };
  return { at, sign, signer };
}

/** Sorts members by name, as any tool can. With no blanks, this is canonical JSON as long as nothing needs escaping. */
const sorted = (value: any): any =>
  value === null || typeof value !== 'object' || Array.isArray(value)
    ? value
    : Object.fromEntries(
        Object.keys(value)
          .sort()
          .map((name) => [name, sorted(value[name])]),
      );

let server: SupplierServer;
beforeAll(async () => {
  const { signer } = foreign;
  const delegation = delegationTo('foreign', [signer], ['foreign/*']);
  server = await startSupplierServer([delegation], [signer.key], (ceremony) =>
    ceremony.signRoles(signer),
  );
});
afterAll(() => server.stop());

test('a supplier with OpenSSL and curl', async () => {
  const { at, sign, signer: own } = foreign;
  const signed = signedPart(2, { 'foreign/fw.bin': { content: 'foreign' } });
  const sig = sign(Buffer.from(JSON.stringify(sorted(signed)))).toString('hex');
  const file = { signed, signatures: [{ sig, keyid: own.keyId }] };
  writeFileSync(at('delivery.json'), JSON.stringify({ roles: { foreign: file } }, null, 3));
  writeFileSync(at('fw.bin'), 'foreign');
  const url = `${server.carota.carota.httpUrl}/v1.0/image-repository`;
  // Asynchronous, because the server runs in this process.
  const curl = async (...args: string[]) =>
    (
      await promisify(execFile)('curl', [
        ...['-sS', '--fail-with-body', '-H', `authorization-token: ${server.token}`],
        ...args,
      ])
    ).stdout;
  const post = async () => {
    const type = 'content-type: application/json';
    const body = `@${at('delivery.json')}`;
    return JSON.parse(await curl('-H', type, '--data-binary', body, `${url}/deliveries`));
  };
  const { state, missing } = await post();
  expect(state).toBe('incomplete');
  const type = 'content-type: application/octet-stream';
  await curl('-H', type, '-T', at('fw.bin'), `${url}/images/${missing[0].sha256}`);
  expect(await post()).toMatchObject({ state: 'published' });
  const { folder } = server.ceremony;
  expect(await TestClient.ofFolder(folder).find(folder, 'foreign/fw.bin', new Date())).toBe(
    'foreign',
  );
});
