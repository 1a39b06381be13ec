/** Validates a proposal before it is signed or published. Pure. */
import { appliesTo } from '../delegations/applies.js';
import { type Delegation } from '../metadata/delegation.js';
import { hardwareIdsOf, releaseCounterOf } from './changes.js';
import { checkRoleName, checkTargetPath } from './names.js';
import { daysOf, daysUntil, type Periods } from './periods.js';
import {
  type Proposal,
  proposedFiles,
  type ProposedFile,
  type ProposedTargets,
} from './proposal.js';
import { type Published } from './published.js';
import { isTopRole, TOP_ROLES } from './role-keys.js';
import { RepositoryFault } from './fault.js';
import { reachableRoles, type RepositoryState, stateAfter } from './state.js';
import { type DelegationContent, type TargetContent } from './targets-content.js';

export interface ProposalCheck {
  readonly published: Published;
  readonly proposal: Proposal;
  readonly periods: Periods;
  readonly now: Date;
}

/** One sentence per fault; none if the proposal can be signed. */
export function proposalFaults(check: ProposalCheck): readonly string[] {
  const { published, proposal } = check;
  const after = stateAfter(published, proposal);
  if (after === undefined) return ['there is no root'];
  return [
    ...proposedFiles(proposal).flatMap((file) => [
      ...versionFaults(file, published),
      ...expiryFaults(file, check),
    ]),
    ...rootFaults(after),
    ...[...proposal.targets.values()].flatMap((file) => targetsFaults(file, published, after)),
    ...missingRoleFaults(after),
  ];
}

/** A replayed old proposal is not the next version. */
function versionFaults({ role, content }: ProposedFile, published: Published): string[] {
  const current = role === 'root' ? published.root : published.targets.get(role);
  const version = current?.content.version ?? 0;
  if (content.version <= version) {
    return [
      `${role} version ${content.version} is proposed, but version ${version} is already published: create a new proposal`,
    ];
  }
  if (role === 'root' && content.version !== version + 1) {
    return [`root version ${content.version} is proposed, but the next one is ${version + 1}`];
  }
  return [];
}

/** Beyond twice the usual period, either the proposer's clock is wrong, or someone wants it to last forever. */
const LONGEST_FACTOR = 2;

function expiryFaults({ role, content }: ProposedFile, { periods, now }: ProposalCheck): string[] {
  const { expires, version } = content;
  const days = daysUntil(expires, now);
  const clock = `the clock says ${now.toISOString()}`;
  if (days <= 0) {
    return [`${role} version ${version} has expired already, on ${expires} (${clock}): renew it`];
  }
  const most = daysOf(role, periods) * LONGEST_FACTOR;
  return days > most
    ? [`${role} version ${version} expires on ${expires}, in more than ${most} days (${clock})`]
    : [];
}

function rootFaults({ kind, root }: RepositoryState): string[] {
  return TOP_ROLES.flatMap((role) => {
    const { keyIds, threshold } = root.roles[role];
    if (kind === 'director' && role !== 'root' && threshold > 1) {
      return [
        `${role} needs ${threshold} signatures: the Director signs online roles with one key`,
      ];
    }
    const count = new Set(keyIds.filter((id) => root.keys.has(id))).size;
    return count < threshold
      ? [`${role} has ${count} keys for a threshold of ${threshold}: it could never be signed`]
      : [];
  });
}

function targetsFaults(
  { role, content }: ProposedTargets,
  published: Published,
  after: RepositoryState,
): string[] {
  const before = published.targets.get(role)?.content.targets;
  const delegations = delegationsTo(role, after);
  if (role !== 'targets' && delegations.length === 0) {
    return [`no role delegates to ${role}`];
  }
  return [
    ...[...content.targets].flatMap(([path, target]) => {
      const faults = [...faultOf(() => checkTargetPath(path)), ...targetFaults(target)];
      const [last, now] = [before?.get(path), target].map(releaseCounterOf);
      if (last !== undefined && now !== undefined && now < last) {
        faults.push(`the release counter goes back from ${last} to ${now}`);
      }
      if (role !== 'targets' && !delegations.some((delegation) => covers(delegation, path, target)))
        faults.push(`no delegation to ${role} covers this path and hardware`);
      return faults.map((fault) => `${role}, ${path}: ${fault}`);
    }),
    ...content.delegations
      .flatMap(({ roles }) => roles)
      .flatMap(({ name, keyIds, threshold }) => [
        ...(isTopRole(name) ? [`${role} delegates to the top-level role ${name}`] : []),
        ...faultOf(() => checkRoleName(name)),
        ...(new Set(keyIds.filter((id) => content.delegationKeys.has(id))).size < threshold
          ? [`${name} has fewer keys than its threshold of ${threshold}: it could never be signed`]
          : []),
      ]),
    ...content.delegations
      .flatMap(({ paths, hardwareIds = [] }) => [...paths, ...hardwareIds])
      .flatMap((text) => normalizationFaults(text).map((fault) => `${role}: ${fault}`)),
  ];
}

/** Vehicles need the members listed in the POUF, section 5; our repositories always have both hashes. */
function targetFaults(target: TargetContent): string[] {
  const { hashes } = target;
  return [
    ...(/^[0-9a-f]{64}$/.test(hashes.sha256 ?? '') ? [] : ['it has no SHA-256']),
    ...Object.keys(hashes)
      .filter((algorithm) => algorithm !== 'sha256' && algorithm !== 'sha512')
      .map((algorithm) => `vehicles cannot compute the hash ${algorithm}`),
    ...(hardwareIdsOf(target).length > 0 ? [] : ['it has no hardware ids']),
    ...hardwareIdsOf(target).flatMap(normalizationFaults),
    ...(releaseCounterOf(target) === undefined ? ['it has no release counter'] : []),
  ];
}

/** Texts are compared by code point (Uptane, "Metadata structures"). */
const normalizationFaults = (text: string): string[] =>
  text === text.normalize('NFC')
    ? []
    : [`${JSON.stringify(text)} is not in Unicode Normalization Form C`];

function faultOf(check: () => void): string[] {
  try {
    check();
    return [];
  } catch (error) {
    if (error instanceof RepositoryFault) return [error.message];
    throw error;
  }
}

const delegationsTo = (role: string, { targets }: RepositoryState): DelegationContent[] =>
  [...targets.values()]
    .flatMap(({ delegations }) => delegations)
    .filter(({ roles }) => roles.some(({ name }) => name === role));

/** Delegations authorise uploads: images that no vehicle would accept are not published. */
function covers(delegation: DelegationContent, path: string, target: TargetContent): boolean {
  const applies: Delegation = {
    ...delegation,
    roles: [],
    pathHashPrefixes: [],
    minRolesInAgreement: undefined,
  };
  return hardwareIdsOf(target).some((hardwareId) => appliesTo(applies, { path, hardwareId }));
}

const missingRoleFaults = (after: RepositoryState): string[] =>
  reachableRoles(after)
    .filter((role) => !after.targets.has(role))
    .map(
      (role) => `${role} is delegated to, but has no file: vehicles would end their search there`,
    );
