/** Rotation and revocation of each role's keys, as seen by a vehicle that has only the first root. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Refusal } from '../../../src/uptane/refusal.js';
import { changeKeys, revokeKey, setDelegation } from '../../../src/uptane/repository/changes.js';
import { type Signer } from '../../../src/uptane/signing/signer.js';
import { must } from '../support/must.js';
import { makeSigner, NOW, TestCeremony, TestClient } from './support.js';

const isSigner = (signer: Signer | undefined): signer is Signer => signer !== undefined;

/** A ceremony with an image, and a vehicle that has fetched it. */
async function established() {
  const ceremony = await new TestCeremony().established();
  const parked = TestClient.ofFolder(ceremony.folder);
  await ceremony.addImage('a.bin', 'firmware');
  await ceremony.sign(ceremony.targets[0], ceremony.targets[1]);
  await ceremony.publish();
  const current = TestClient.ofFolder(ceremony.folder);
  await current.find(ceremony.folder);
  return { ceremony, parked, current };
}

describe.each(['root', 'targets'] as const)('a key of %s', (role) => {
  test('is rotated: the new key is accepted, the old one is not', async () => {
    const { ceremony, parked, current } = await established();
    const old = must(ceremony[role][0]);
    const fresh = makeSigner();
    await ceremony.propose(changeKeys(role, { add: [fresh.key], remove: [old.keyId] }));
    await ceremony.sign(ceremony.root[1], ceremony.root[2]);
    // The old key's signature no longer suffices.
    if (role === 'targets') await ceremony.sign(ceremony.targets[1], ceremony.targets[2]);
    const { isSeamless } = await ceremony.publish();
    expect(isSeamless).toBe(true);
    for (const client of [parked, current]) {
      expect(await client.find(ceremony.folder)).toBe('targets');
    }
    await ceremony.propose(undefined, [role]);
    await expect(ceremony.sign(old)).rejects.toThrow('is not one of the keys');
    await ceremony.sign(fresh, ceremony[role][1]);
    await ceremony.publish();
    expect(await parked.find(ceremony.folder)).toBe('targets');
  });
});

test('two of three targets keys are revoked: the others re-sign their files', async () => {
  const { ceremony, parked, current } = await established();
  const fresh = [makeSigner(), makeSigner()];
  const stolen = ceremony.targets.slice(0, 2);
  for (const [index, { keyId }] of stolen.entries()) {
    await ceremony.propose(revokeKey(keyId, fresh[index]?.key));
  }
  const { proposed } = await ceremony.repository.status(NOW);
  expect(proposed.map(({ role }) => role).sort()).toEqual(['root', 'targets']);
  await ceremony.sign(ceremony.root[0], ceremony.root[1]);
  await ceremony.sign(...fresh);
  await ceremony.publish();
  for (const client of [parked, current, TestClient.ofFolder(ceremony.folder)]) {
    expect(await client.find(ceremony.folder)).toBe('targets');
  }
});

describe.each(['snapshot', 'timestamp'] as const)('the key of %s', (role) => {
  test('is revoked: a vehicle with the old root accepts the new key and rejects the thief', async () => {
    const { ceremony, parked, current } = await established();
    const thief = ceremony.copy();
    const fresh = makeSigner();
    await ceremony.propose(revokeKey(ceremony[role].keyId, fresh.key));
    await ceremony.sign(ceremony.root[0], ceremony.root[2]);
    ceremony[role] = fresh;
    await ceremony.publish();
    for (const client of [parked, current]) {
      expect(await client.find(ceremony.folder)).toBe('targets');
    }
    await thief.repository.refresh(thief.online, NOW);
    const root = readFileSync(join(ceremony.folder, 'metadata', '2.root.json'));
    const refusal = await new TestClient(root)
      .find(thief.folder)
      .catch((error: unknown) => error as Refusal);
    expect(refusal).toMatchObject({ code: 'signature', role });
  });
});

test('a delegated key is revoked by its delegator, and the supplier re-signs', async () => {
  const { ceremony, parked } = await established();
  const [supplier, fresh] = [makeSigner(), makeSigner()];
  await ceremony.propose(
    setDelegation(
      'targets',
      {
        roles: [{ name: 'supplier', keyIds: [supplier.keyId], threshold: 1 }],
        minRolesInAgreement: undefined,
        paths: ['radio/*'],
        isTerminating: false,
        hardwareIds: undefined,
      },
      [supplier.key],
    ),
  );
  await ceremony.addImage('radio/fw.bin', 'radio', 1, 'supplier');
  await ceremony.sign(supplier, ceremony.targets[0], ceremony.targets[1]);
  await ceremony.publish();
  expect(await parked.find(ceremony.folder, 'radio/fw.bin')).toBe('supplier');
  await ceremony.propose(revokeKey(supplier.keyId, fresh.key));
  await ceremony.sign(ceremony.targets[0], ceremony.targets[2]);
  await expect(ceremony.publish()).rejects.toThrow('supplier version 2 has 0 of 1 signatures');
  await ceremony.sign(fresh);
  await ceremony.publish();
  expect(await parked.find(ceremony.folder, 'radio/fw.bin')).toBe('supplier');
});

test('a new root needs signatures by the previous root’s keys', async () => {
  const ceremony = await new TestCeremony().established();
  const fresh = [makeSigner(), makeSigner(), makeSigner()];
  const remove = ceremony.root.map(({ keyId }) => keyId);
  await ceremony.propose(changeKeys('root', { add: fresh.map(({ key }) => key), remove }));
  await ceremony.sign(...fresh.slice(0, 2).filter(isSigner));
  await expect(ceremony.publish()).rejects.toThrow(
    'root version 2 has 0 of 2 signatures that the root before asks for',
  );
  await ceremony.sign(ceremony.root[0], ceremony.root[1]);
  await ceremony.publish();
  await TestClient.ofFolder(ceremony.folder).find(ceremony.folder);
});

test('a role always keeps at least as many keys as its threshold', async () => {
  const ceremony = await new TestCeremony().established();
  const [first, second] = ceremony.root.map(({ keyId }) => keyId);
  await expect(
    ceremony.propose(changeKeys('root', { remove: [first ?? '', second ?? ''] })),
  ).rejects.toThrow(
    'root would have 1 key for a threshold of 2: add a key, or lower the threshold',
  );
  await expect(ceremony.propose(revokeKey('0'.repeat(64), undefined))).rejects.toThrow(
    'no role lists a key 0000',
  );
});
