/** Published repositories as python-tuf's client sees them, served by Python's web server. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { changeKeys, revokeKey, setDelegation } from '../../../src/uptane/repository/changes.js';
import { generateKey } from '../../../src/uptane/signing/generate-key.js';
import { localSigner } from '../../../src/uptane/signing/local-signer.js';
import { ifInstalled, temporaryDirectory } from '../../support/servers.js';
import { makeSigner, TestCeremony } from '../repository/support.js';
import { tufPython } from './python.js';

const python = await ifInstalled(tufPython);
const script = fileURLToPath(new URL('update.py', import.meta.url));

class PythonClient {
  readonly #state = temporaryDirectory('python-client');
  readonly #root = join(temporaryDirectory('python-root'), 'root.json');

  constructor(folder: string) {
    cpSync(join(folder, 'metadata', '1.root.json'), this.#root);
  }

  update(folder: string, ...targets: string[]): string[] {
    const args = [script, folder, this.#state, this.#root, ...targets];
    return execFileSync(python ?? '', args, { encoding: 'utf8' })
      .trim()
      .split('\n');
  }
}

const line = (path: string, content: string) =>
  `${path} ${createHash('sha256').update(content).digest('hex')}`;

describe.runIf(python)('python-tuf', () => {
  test('finds images of the top-level role and of a supplier, with keys of each type', async () => {
    const ceremony = new TestCeremony();
    ceremony.now = new Date();
    ceremony.root.splice(0, 1, localSigner(generateKey('rsa')));
    ceremony.targets.splice(0, 1, localSigner(generateKey('ecdsa')));
    await ceremony.established();
    const client = new PythonClient(ceremony.folder);
    const supplier = makeSigner();
    await ceremony.propose(
      setDelegation(
        'targets',
        {
          roles: [{ name: 'supplier', keyIds: [supplier.keyId], threshold: 1 }],
          minRolesInAgreement: undefined,
          paths: ['radio/*'],
          isTerminating: true,
          hardwareIds: ['hw-a'],
        },
        [supplier.key],
      ),
    );
    await ceremony.addImage('scripts/hu only 001.json', '{}');
    await ceremony.addImage('radio/fw ü.bin', 'radio', 1, 'supplier');
    await ceremony.sign(supplier, ...ceremony.targets);
    await ceremony.publish();
    expect(
      client.update(ceremony.folder, 'scripts/hu only 001.json', 'radio/fw ü.bin', 'none.bin'),
    ).toEqual([
      line('scripts/hu only 001.json', '{}'),
      line('radio/fw ü.bin', 'radio'),
      'none.bin none',
    ]);
  });

  test('follows key rotations of every role, starting from the first root', async () => {
    const ceremony = new TestCeremony();
    ceremony.now = new Date();
    await ceremony.established();
    const [parked, current] = [ceremony.folder, ceremony.folder].map(
      (folder) => new PythonClient(folder),
    );
    await ceremony.addImage('a.bin', 'firmware');
    await ceremony.sign(ceremony.targets[0], ceremony.targets[1]);
    await ceremony.publish();
    expect(current?.update(ceremony.folder, 'a.bin')).toEqual([line('a.bin', 'firmware')]);
    const fresh = ['root', 'targets', 'snapshot', 'timestamp'].map((role) => ({
      role,
      signer: makeSigner(),
    }));
    const old = {
      root: ceremony.root[0],
      targets: ceremony.targets[0],
      snapshot: ceremony.snapshot,
      timestamp: ceremony.timestamp,
    } as const;
    for (const { role, signer } of fresh) {
      const keyId = old[role as 'root']?.keyId ?? '';
      await ceremony.propose(
        role === 'snapshot' || role === 'timestamp'
          ? revokeKey(keyId, signer.key)
          : changeKeys(role, { add: [signer.key], remove: [keyId] }),
      );
    }
    await ceremony.sign(ceremony.root[0], ceremony.root[1], ceremony.root[2]);
    await ceremony.sign(ceremony.targets[1], ceremony.targets[2]);
    [ceremony.snapshot, ceremony.timestamp] = [
      fresh[2]?.signer ?? makeSigner(),
      fresh[3]?.signer ?? makeSigner(),
    ];
    await ceremony.publish();
    for (const client of [parked, current]) {
      expect(client?.update(ceremony.folder, 'a.bin')).toEqual([line('a.bin', 'firmware')]);
    }
  });
});
