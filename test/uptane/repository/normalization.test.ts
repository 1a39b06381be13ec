/** Texts that vehicles compare by code point are published in Unicode Normalization Form C (RFC 5198). */
import { expect, test } from 'vitest';
import { addTarget, setDelegation } from '../../../src/uptane/repository/changes.js';
import { RepositoryFault } from '../../../src/uptane/repository/fault.js';
import { describeImage } from '../../../src/uptane/repository/describe-image.js';
import { makeSigner, TestCeremony } from './support.js';

/** ü as two code points. */
const DECOMPOSED = 'u\u0308';

async function* content(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('software');
}

/** Why it cannot be proposed or signed. */
async function faultsOf(propose: (ceremony: TestCeremony) => Promise<unknown>): Promise<string> {
  const ceremony = await new TestCeremony().established();
  try {
    await propose(ceremony);
  } catch (error) {
    if (error instanceof RepositoryFault) return error.message;
    throw error;
  }
  return (await ceremony.repository.review(ceremony.now)).faults.join('\n');
}

const image = (path: string, hardwareId: string) =>
  faultsOf(async (ceremony) => {
    const target = await describeImage(content(), { hardwareIds: [hardwareId], releaseCounter: 1 });
    await ceremony.propose(addTarget('targets', path, target));
  });

const delegation = (path: string, hardwareId: string) =>
  faultsOf(async (ceremony) => {
    const supplier = makeSigner();
    const roles = [{ name: 'supplier', keyIds: [supplier.keyId], threshold: 1 }];
    const details = { minRolesInAgreement: undefined, isTerminating: false };
    const to = { roles, ...details, paths: [path], hardwareIds: [hardwareId] };
    await ceremony.propose(setDelegation('targets', to, [supplier.key]));
  });

test.each([
  ['a target path', () => image(`${DECOMPOSED}.bin`, 'hw-a')],
  ['a hardware id of an image', () => image('a.bin', DECOMPOSED)],
  ['a path of a delegation', () => delegation(`${DECOMPOSED}/*`, 'hw-a')],
  ['a hardware id of a delegation', () => delegation('radio/*', DECOMPOSED)],
])('%s that is not normalized cannot be signed', async (_what, faults) => {
  expect(await faults()).toContain('is not in Unicode Normalization Form C');
});

test('normalized texts can be signed', async () => {
  const composed = DECOMPOSED.normalize('NFC');
  expect(await image(`${composed}.bin`, composed)).toBe('');
  expect(await delegation(`${composed}/*`, composed)).toBe('');
});
