/** A CarOTA Server whose image repository delegates to suppliers. It never sees their keys. */
import { join } from 'node:path';
import { type DelegationContent } from '../../../src/uptane/repository/targets-content.js';
import { setDelegation } from '../../../src/uptane/repository/changes.js';
import { SignerServer } from '../../../src/uptane/signing/process/signer-server.js';
import { type ListedKey } from '../../../src/uptane/signing/signer.js';
import { temporaryDirectory } from '../../support/servers.js';
import { TestCeremony } from '../../uptane/repository/support.js';
import { startAdapterDouble, startTestCarota, type TestCarota } from './test-carota.js';

export interface SupplierServer {
  readonly ceremony: TestCeremony;
  readonly carota: TestCarota;
  /** A token of the role `supplier`. */
  readonly token: string;
  stop(): Promise<void>;
}

/**
 * @param keys all keys that the delegations name
 * @param signFirst signs the empty first version of each delegated role
 */
export async function startSupplierServer(
  delegations: readonly DelegationContent[],
  keys: readonly ListedKey[],
  signFirst: (ceremony: TestCeremony) => Promise<void>,
): Promise<SupplierServer> {
  const adapter = await startAdapterDouble();
  const ceremony = new TestCeremony();
  ceremony.now = new Date();
  await ceremony.established();
  for (const delegation of delegations) {
    await ceremony.propose(setDelegation('targets', delegation, keys));
  }
  await ceremony.sign(...ceremony.targets.slice(0, 2));
  await signFirst(ceremony);
  await ceremony.publish();
  const socketPath = join(temporaryDirectory('signer'), 'socket');
  const signer = new SignerServer({
    socketPath,
    keys: [
      { signer: ceremony.snapshot, roles: ['snapshot'] },
      { signer: ceremony.timestamp, roles: ['timestamp'] },
    ],
    longestDays: 30,
  });
  await signer.start();
  const carota = await startTestCarota(adapter.url, {
    imageRepositoryDir: ceremony.folder,
    imageSigner: socketPath,
  });
  const body = { name: 'radio ltd', role: 'supplier' };
  const made = await carota.call('POST', '/v1.0/tokens', { body });
  if (made.status !== 201) throw new Error(`no token for the supplier: ${made.status}`);
  return {
    ceremony,
    carota,
    token: made.body.token,
    stop: async () => {
      await carota.stop();
      await signer.stop();
      await adapter.stop();
    },
  };
}
