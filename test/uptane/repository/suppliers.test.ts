/** Delegated roles: what suppliers can and cannot sign. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { removeDelegation, setDelegation } from '../../../src/uptane/repository/changes.js';
import { type DelegationContent } from '../../../src/uptane/repository/targets-content.js';
import { signMetadata, writeEnvelope } from '../../../src/uptane/signing/sign.js';
import { makeSigner, NOW, TestCeremony, TestClient } from './support.js';

const supplier = makeSigner();
const laboratory = makeSigner();

const roleOf = (name: string, keyId: string) => ({ name, keyIds: [keyId], threshold: 1 });

const TO_SUPPLIER: DelegationContent = {
  roles: [roleOf('supplier', supplier.keyId)],
  minRolesInAgreement: undefined,
  paths: ['radio/*'],
  isTerminating: true,
  hardwareIds: ['hw-a'],
};

async function delegated(delegation = TO_SUPPLIER) {
  const ceremony = await new TestCeremony().established();
  await ceremony.propose(setDelegation('targets', delegation, [supplier.key, laboratory.key]));
  return ceremony;
}

const all = (ceremony: TestCeremony) => [ceremony.targets[0], ceremony.targets[2], supplier];

/** Created by other software: different layout, and an unknown member. */
async function foreignFile(path: string, content: string, version = 2) {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const signed = {
    _type: 'targets',
    spec_version: '1.0.31',
    version,
    expires: '2027-01-31T00:00:00Z',
    'x-made-by': 'other software',
    targets: {
      [path]: {
        length: content.length,
        hashes: { sha256 },
        custom: { match: { hardwareIds: ['hw-a'], releaseCounter: 1 } },
      },
    },
  };
  const envelope = await signMetadata(signed, [supplier]);
  return { bytes: Buffer.from(JSON.stringify(envelope, null, 4)), sha256 };
}

test('a file created and signed elsewhere by a supplier is published unchanged', async () => {
  const ceremony = await delegated();
  await ceremony.sign(...all(ceremony));
  await ceremony.publish();
  const { bytes, sha256 } = await foreignFile('radio/fw.bin', 'radio');
  await ceremony.repository.importRole('supplier', bytes);
  await expect(ceremony.publish()).rejects.toThrow(
    'supplier lists radio/fw.bin, but its image is not in the folder',
  );
  await ceremony.repository.keepImage(sha256, source('radio'));
  await ceremony.publish();
  expect(await TestClient.ofFolder(ceremony.folder).find(ceremony.folder, 'radio/fw.bin')).toBe(
    'supplier',
  );
  const published = readFileSync(join(ceremony.folder, 'metadata/2.supplier.json'), 'utf8');
  expect(JSON.parse(published).signed).toEqual(JSON.parse(bytes.toString()).signed);
});

test('an image that differs from the signed one is not published', async () => {
  const ceremony = await delegated();
  await ceremony.addImage('radio/fw.bin', 'radio', 1, 'supplier');
  await ceremony.sign(...all(ceremony));
  const sha256 = createHash('sha256').update('radio').digest('hex');
  writeFileSync(join(ceremony.folder, 'proposal/images', sha256), 'r4dio');
  await expect(ceremony.publish()).rejects.toThrow('does not have the hash that is listed');
  expect((await ceremony.repository.status(NOW)).published.map(({ role }) => role)).not.toContain(
    'supplier',
  );
});

test.each([
  ['another path', 'brakes/fw.bin', 'no delegation to supplier covers this path and hardware'],
  ['a path below', 'radio/x/fw.bin', 'no delegation to supplier covers this path and hardware'],
  ['a path outside', 'radio/..', 'cannot be the path of a target'],
])('a supplier cannot list %s', async (_what, path, fault) => {
  const ceremony = await delegated();
  await ceremony.sign(...all(ceremony));
  await ceremony.publish();
  const { bytes } = await foreignFile(path, 'evil');
  await ceremony.repository.importRole('supplier', bytes);
  await expect(ceremony.publish()).rejects.toThrow(fault);
});

test('a file signed by another key than the supplier’s is not published', async () => {
  const ceremony = await delegated();
  await ceremony.sign(...all(ceremony));
  await ceremony.publish();
  const { bytes } = await foreignFile('radio/fw.bin', 'radio');
  const { signed } = JSON.parse(bytes.toString());
  const forged = writeEnvelope(await signMetadata(signed, [makeSigner()]));
  await ceremony.repository.importRole('supplier', forged);
  await expect(ceremony.publish()).rejects.toThrow('supplier version 2 has 0 of 1 signatures');
  const { proposed } = await ceremony.repository.status(NOW);
  expect(proposed[0]?.foreign).toHaveLength(1);
  await expect(ceremony.repository.importRole('other', bytes)).rejects.toThrow(
    'there is no delegation to other',
  );
});

test('two roles must agree on an image', async () => {
  const ceremony = await delegated({
    ...TO_SUPPLIER,
    roles: [roleOf('supplier', supplier.keyId), roleOf('laboratory', laboratory.keyId)],
    minRolesInAgreement: 2,
  });
  await ceremony.addImage('radio/fw.bin', 'radio', 1, 'supplier');
  await ceremony.sign(...all(ceremony), laboratory);
  await ceremony.publish();
  const client = TestClient.ofFolder(ceremony.folder);
  expect(await client.find(ceremony.folder, 'radio/fw.bin')).toBeUndefined();
  await ceremony.addImage('radio/fw.bin', 'radio', 1, 'laboratory');
  await ceremony.sign(laboratory);
  await ceremony.publish();
  expect(await client.find(ceremony.folder, 'radio/fw.bin')).toBe('supplier');
});

test('a removed supplier stays in the snapshot, so that vehicles do not see a rollback', async () => {
  const ceremony = await delegated();
  await ceremony.addImage('radio/fw.bin', 'radio', 1, 'supplier');
  await ceremony.sign(...all(ceremony));
  await ceremony.publish();
  const client = TestClient.ofFolder(ceremony.folder);
  expect(await client.find(ceremony.folder, 'radio/fw.bin')).toBe('supplier');
  await ceremony.propose(removeDelegation('targets', 'supplier'));
  await ceremony.sign(ceremony.targets[0], ceremony.targets[1]);
  await ceremony.publish();
  expect(await client.find(ceremony.folder, 'radio/fw.bin')).toBeUndefined();
});

async function* source(content: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content);
}
