/** Turns a change into proposed files: determines the roles that get a new version, and its number. Pure. */
import { canonicalJson } from '../json/canonical-json.js';
import { type SignedPart } from '../signing/sign.js';
import { type Change } from './changes.js';
import { RepositoryFault } from './fault.js';
import { daysOf, expiryAfter, type Periods, type RepositoryKind } from './periods.js';
import {
  type Proposal,
  proposedFiles,
  proposedRoot,
  type ProposedRoot,
  proposedTargets,
  type ProposedTargets,
  unsigned,
} from './proposal.js';
import { type Published } from './published.js';
import { type RootContent, writeRootContent } from './root-content.js';
import { signatureState } from './signatures.js';
import { reachableRoles, requirementsOf, type RepositoryState, stateAfter } from './state.js';
import { type TargetsContent, writeTargetsContent } from './targets-content.js';

export interface ProposalRequest {
  readonly change: Change;
  /** Roles that get a new version with the same content: a later expiry, or signatures by new keys. */
  readonly renew?: readonly string[];
  readonly periods: Periods;
  readonly now: Date;
}

export interface ProposalResult {
  readonly proposal: Proposal;
  /** Roles whose proposed file lost its signatures, because its content has changed. */
  readonly unsignedAgain: readonly string[];
}

/** @throws RepositoryFault if the change cannot be made */
export function propose(
  published: Published,
  current: Proposal,
  request: ProposalRequest,
): ProposalResult {
  const before = stateAfter(published, current);
  if (before === undefined) {
    throw new RepositoryFault('there is no root: otaops repository init comes first');
  }
  const wanted = withNewRoles(request.change(before));
  const renew = new Set(request.renew ?? []);
  for (const role of renew) {
    if (role !== 'root' && !wanted.targets.has(role)) {
      throw new RepositoryFault(`there is no role ${role} to renew`);
    }
  }
  const root = nextRoot(published, current, before, wanted, renew, request);
  const targets = new Map(current.targets);
  for (const [role, content] of wanted.targets) {
    const file = nextTargets(role, content, { published, current, before, renew, request });
    if (file) targets.set(role, file);
    else targets.delete(role);
  }
  const proposal = withResigned(published, { root, targets }, request);
  return { proposal, unsignedAgain: rolesThatLostSignatures(current, proposal) };
}

/** The first proposal of a repository. */
export function firstProposal(
  kind: RepositoryKind,
  root: Omit<RootContent, 'version' | 'expires'>,
  { periods, now }: Pick<ProposalRequest, 'periods' | 'now'>,
): Proposal {
  const expires = (role: string) => expiryAfter(now, daysOf(role, periods));
  const signedRoot = writeRootContent({ ...root, version: 1, expires: expires('root') });
  const first = { root: proposedRoot(unsigned(signedRoot)), targets: new Map() };
  if (kind === 'director') return first;
  const signedTargets = writeTargetsContent(emptyTargets(1, expires('targets')));
  return {
    ...first,
    targets: new Map([['targets', proposedTargets('targets', unsigned(signedTargets))]]),
  };
}

const emptyTargets = (version: number, expires: string): TargetsContent => ({
  version,
  expires,
  targets: new Map(),
  delegations: [],
  delegationKeys: new Map(),
});

/** A delegated role must have a file, otherwise a search through it would end there. */
function withNewRoles(state: RepositoryState): RepositoryState {
  const targets = new Map(state.targets);
  for (const role of reachableRoles(state)) {
    if (!targets.has(role)) targets.set(role, emptyTargets(0, ''));
  }
  return { ...state, targets };
}

function nextRoot(
  published: Published,
  current: Proposal,
  before: RepositoryState,
  wanted: RepositoryState,
  renew: ReadonlySet<string>,
  { now, periods }: ProposalRequest,
): ProposedRoot | undefined {
  const isChanged = !isSame(writeRootContent(before.root), writeRootContent(wanted.root));
  if (!isChanged && !renew.has('root')) return current.root;
  const version = nextVersion('root', published);
  const expires = expiryAfter(now, daysOf('root', periods));
  const signed = writeRootContent({ ...wanted.root, version, expires });
  return hasSameContent(signed, published.root && writeRootContent(published.root.content)) &&
    !renew.has('root')
    ? undefined
    : proposedRoot(unsigned(signed));
}

interface TargetsStep {
  readonly published: Published;
  readonly current: Proposal;
  readonly before: RepositoryState;
  readonly renew: ReadonlySet<string>;
  readonly request: ProposalRequest;
}

function nextTargets(
  role: string,
  content: TargetsContent,
  { published, current, before, renew, request: { now, periods } }: TargetsStep,
): ProposedTargets | undefined {
  const previous = before.targets.get(role);
  const isChanged =
    previous === undefined || !isSame(writeTargetsContent(previous), writeTargetsContent(content));
  if (!isChanged && !renew.has(role)) return current.targets.get(role);
  const version = nextVersion(role, published);
  const expires = expiryAfter(now, daysOf(role, periods));
  const signed = writeTargetsContent({ ...content, version, expires });
  const publishedFile = published.targets.get(role);
  return hasSameContent(signed, publishedFile && writeTargetsContent(publishedFile.content)) &&
    !renew.has(role)
    ? undefined
    : proposedTargets(role, unsigned(signed));
}

/** A published file not signed by the new keys of its role needs a new version signed by them. */
function withResigned(
  published: Published,
  proposal: Proposal,
  request: ProposalRequest,
): Proposal {
  const after = stateAfter(published, proposal);
  if (after === undefined) return proposal;
  const targets = new Map(proposal.targets);
  for (const role of reachableRoles(after)) {
    const file = published.targets.get(role);
    if (targets.has(role) || file === undefined) continue;
    const isSigned = requirementsOf(role, after).every(
      (requirement) => signatureState(file.envelope, requirement).missing === 0,
    );
    if (isSigned) continue;
    const version = nextVersion(role, published);
    const expires = expiryAfter(request.now, daysOf(role, request.periods));
    const signed = writeTargetsContent({ ...file.content, version, expires });
    targets.set(role, proposedTargets(role, unsigned(signed)));
  }
  return { ...proposal, targets };
}

export const nextVersion = (role: string, { highest }: Published): number =>
  (highest.get(role) ?? 0) + 1;

const isSame = (a: SignedPart, b: SignedPart): boolean =>
  Buffer.compare(canonicalJson(a), canonicalJson(b)) === 0;

/** Except for version and expiry. */
const hasSameContent = (a: SignedPart, b: SignedPart | undefined): boolean =>
  b !== undefined && isSame({ ...a, version: 0, expires: '' }, { ...b, version: 0, expires: '' });

function rolesThatLostSignatures(before: Proposal, now: Proposal): readonly string[] {
  const remaining = new Map(proposedFiles(now).map((file) => [file.role, file]));
  return proposedFiles(before)
    .filter(
      ({ role, written }) =>
        written.signatures.length > 0 && remaining.get(role)?.written.signatures.length === 0,
    )
    .map(({ role }) => role);
}
