/** Damaged and hostile proposals are rejected or shown, without crashes or invisible characters in the review text. */
import { expect, test } from 'vitest';
import { withoutStackTraces } from '../../support/without-stack-traces.js';
import { RepositoryFault } from '../../../src/uptane/repository/fault.js';
import { DEFAULT_PERIODS } from '../../../src/uptane/repository/periods.js';
import { preparePublication } from '../../../src/uptane/repository/publication.js';
import {
  type Proposal,
  proposedRoot,
  proposedTargets,
} from '../../../src/uptane/repository/proposal.js';
import { review } from '../../../src/uptane/repository/review.js';
import { repositoryStatus } from '../../../src/uptane/repository/status.js';
import { setDelegation } from '../../../src/uptane/repository/changes.js';
import { Refusal } from '../../../src/uptane/refusal.js';
import { writeEnvelope } from '../../../src/uptane/signing/sign.js';
import { byDepth, seed } from '../../support/depth.js';
import { Mutations } from '../support/mutations.js';
import { must } from '../support/must.js';
import { makeSigner, TestCeremony } from './support.js';

const FILES = byDepth({ quick: 300, full: 50_000 });
/** Characters that must not be in text that a person reviews. */
const INVISIBLE = /[\p{C}\u2028\u2029]/u;

withoutStackTraces();

/** Proposals for root, targets with a delegation, and the supplier's file, on top of the published ones. */
async function richProposal() {
  const ceremony = await new TestCeremony().established();
  const supplier = makeSigner();
  const roles = [{ name: 'supplier', keyIds: [supplier.keyId], threshold: 1 }];
  const delegation = {
    roles,
    minRolesInAgreement: undefined,
    paths: ['radio/*'],
    isTerminating: false,
    hardwareIds: ['hw-a'],
  };
  await ceremony.propose(setDelegation('targets', delegation, [supplier.key]), ['root']);
  await ceremony.addImage('a.bin', 'a');
  await ceremony.addImage('radio/b.bin', 'b', 1, 'supplier');
  return { ceremony, ...(await ceremony.repository.read()) };
}

test('a damaged proposal is rejected or shown', async () => {
  const { ceremony, published, proposal } = await richProposal();
  const { now, files, online: signers } = ceremony;
  const mutations = new Mutations(seed);
  const outcomes = { refused: 0, faulty: 0, sound: 0 };
  for (let count = 0; count < FILES; count += 1) {
    const damaged = damagedProposal(proposal, mutations);
    if (damaged === undefined) {
      outcomes.refused += 1;
      continue;
    }
    const { lines, faults } = review(published, damaged, DEFAULT_PERIODS, now);
    const hidden = lines.find((line) => INVISIBLE.test(line));
    if (hidden !== undefined) expect.fail(`proposal ${count} shows ${JSON.stringify(hidden)}`);
    repositoryStatus(published, damaged, DEFAULT_PERIODS, now);
    outcomes[faults.length > 0 ? 'faulty' : 'sound'] += 1;
    // The proposal is not signed.
    const outcome: unknown = await preparePublication({
      ...{ files, published, proposal: damaged, signers, now },
      periods: DEFAULT_PERIODS,
    }).catch((error: unknown) => error);
    if (!(outcome instanceof RepositoryFault) && !(outcome instanceof Refusal)) {
      expect.fail(`proposal ${count} is published or crashes: ${String(outcome)}`);
    }
  }
  for (const number of Object.values(outcomes)) expect(number).toBeGreaterThan(FILES / 100);
});

test('invisible characters in key ids are never shown', async () => {
  const { published, proposal } = await richProposal();
  const HIDDEN = 'a\u202e\0b';
  const root = JSON.parse(writeEnvelope(must(proposal.root).written).toString());
  root.signed.roles.timestamp.keyids = [HIDDEN];
  root.signed.roles.snapshot.keyids = [HIDDEN];
  const damaged = { ...proposal, root: proposedRoot(Buffer.from(JSON.stringify(root))) };
  const { lines } = review(published, damaged, DEFAULT_PERIODS, new Date());
  expect(lines.join('')).toContain('one key for');
  for (const line of lines) expect(line).not.toMatch(INVISIBLE);
});

/** @returns `undefined` if the damaged file is rejected */
function damagedProposal(proposal: Proposal, mutations: Mutations): Proposal | undefined {
  const role = mutations.pick(['root', 'targets', 'supplier']);
  const file = role === 'root' ? proposal.root : proposal.targets.get(role);
  const bytes = writeEnvelope(must(file).written);
  const isJson = mutations.below(4) > 0;
  const damaged = isJson ? ofJson(bytes, mutations) : mutations.ofBytes(bytes);
  try {
    if (role === 'root') return { ...proposal, root: proposedRoot(damaged) };
    const changed = proposedTargets(role, damaged);
    return { ...proposal, targets: new Map([...proposal.targets, [role, changed]]) };
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function ofJson(bytes: Buffer, mutations: Mutations): Buffer {
  const envelope = JSON.parse(bytes.toString()) as object;
  mutations.ofJson(envelope);
  return Buffer.from(JSON.stringify(envelope));
}
