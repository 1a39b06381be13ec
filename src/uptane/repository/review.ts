/** The review of a proposal before signing: exactly the files shown are signed afterwards. */
import { type Signer } from '../signing/signer.js';
import { signatureBy, type WrittenSignature } from '../signing/sign.js';
import { proposalFaults } from './check-proposal.js';
import { difference } from './difference.js';
import { RepositoryFault } from './fault.js';
import { type Periods } from './periods.js';
import { type Proposal, proposedFiles, type ProposedFile } from './proposal.js';
import { type Published } from './published.js';
import { requirementsOfProposed } from './signatures.js';
import { requirementsOf, stateAfter } from './state.js';

export interface Review {
  readonly published: Published;
  readonly proposal: Proposal;
  /** The difference, for people. */
  readonly lines: readonly string[];
  /** With any fault, nothing can be signed. */
  readonly faults: readonly string[];
}

export function review(
  published: Published,
  proposal: Proposal,
  periods: Periods,
  now: Date,
): Review {
  return {
    published,
    proposal,
    lines: difference(published, proposal),
    faults:
      proposedFiles(proposal).length === 0
        ? ['nothing is proposed']
        : proposalFaults({ published, proposal, periods, now }),
  };
}

/** The proposed files that a key may sign, according to the current or proposed keys of the roles. */
export function signableBy(
  { published, proposal }: Review,
  keyId: string,
): readonly ProposedFile[] {
  const after = stateAfter(published, proposal);
  const before = stateAfter(published, { root: undefined, targets: new Map() });
  if (after === undefined) return [];
  return proposedFiles(proposal).filter(({ role }) =>
    [
      ...requirementsOfProposed(role, published, after),
      // Signatures by removed keys are for vehicles without the new root.
      ...(before && role !== 'root' ? requirementsOf(role, before) : []),
    ].some(({ authority }) => authority.keys.has(keyId)),
  );
}

export interface AddedSignature {
  readonly role: string;
  readonly version: number;
  readonly signature: WrittenSignature;
}

/**
 * @param roles `undefined`: every proposed role that the key may sign
 * @throws RepositoryFault if the proposal has faults, or the key may not sign a role
 */
export async function signReviewed(
  reviewed: Review,
  signer: Signer,
  roles: readonly string[] | undefined,
): Promise<readonly AddedSignature[]> {
  if (reviewed.faults.length > 0) throw new RepositoryFault(reviewed.faults.join('\n'));
  const signable = signableBy(reviewed, signer.keyId);
  const proposed = proposedFiles(reviewed.proposal).map(({ role }) => role);
  for (const role of roles ?? []) {
    if (!proposed.includes(role)) throw new RepositoryFault(`nothing is proposed for ${role}`);
    if (!signable.some((file) => file.role === role)) {
      throw new RepositoryFault(`the key ${signer.keyId} is not one of the keys of ${role}`);
    }
  }
  if (signable.length === 0) {
    throw new RepositoryFault(
      `the key ${signer.keyId} is not one of the keys of the proposal: ${proposed.join(', ')}`,
    );
  }
  const added: AddedSignature[] = [];
  for (const { role, content, envelope } of signable) {
    if (roles && !roles.includes(role)) continue;
    const signature = await signatureBy(signer, envelope.signedBytes);
    added.push({ role, version: content.version, signature });
  }
  return added;
}
