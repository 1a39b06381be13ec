/** Status of a repository for people and monitoring. Pure. */
import { type Authority } from '../keys/authority.js';
import { proposalFaults } from './check-proposal.js';
import { difference } from './difference.js';
import { daysOf, daysUntil, type Periods } from './periods.js';
import { type Proposal, proposedFiles } from './proposal.js';
import { type Published } from './published.js';
import { authorityOf, TOP_ROLES } from './role-keys.js';
import {
  brokenSignatures,
  foreignSignatures,
  requirementsOfProposed,
  signatureState,
  signersOf,
} from './signatures.js';
import { reachableRoles, requirementsOf, stateAfter } from './state.js';

/** `expires-soon`: a person or the server must sign the next version now. */
export type Validity = 'valid' | 'expires-soon' | 'expired';

export interface RoleStatus {
  readonly role: string;
  readonly version: number;
  /** `YYYY-MM-DDTHH:MM:SSZ` */
  readonly expires: string;
  /** Negative after expiry. */
  readonly daysLeft: number;
  readonly validity: Validity;
  readonly threshold: number;
  /** Key ids. */
  readonly keys: readonly string[];
  readonly signedBy: readonly string[];
}

export interface ProposedStatus {
  readonly role: string;
  readonly version: number;
  readonly expires: string;
  readonly signatures: readonly {
    /** The role whose keys must sign: `this root`, `the root before`, `root`, or the delegating role. */
    readonly by: string;
    readonly threshold: number;
    readonly signedBy: readonly string[];
    readonly canSign: readonly string[];
    readonly missing: number;
  }[];
  /** Key ids of invalid signatures: the file was changed after signing. */
  readonly broken: readonly string[];
  /** Key ids of signatures by keys outside the role. */
  readonly foreign: readonly string[];
}

/** A public key that may sign something, now or once the proposal is published. */
export interface KeyStatus {
  readonly id: string;
  readonly keytype: string;
  readonly scheme: string;
  readonly roles: readonly string[];
}

export interface RepositoryStatus {
  readonly published: readonly RoleStatus[];
  readonly proposed: readonly ProposedStatus[];
  readonly keys: readonly KeyStatus[];
  /** Faults of the proposal. */
  readonly faults: readonly string[];
  /** The changes of the proposal, line by line, for the same files as its faults. */
  readonly difference: readonly string[];
  /** Required actions, one sentence each; empty if there are none. */
  readonly attention: readonly string[];
}

/** Two weeks for offline ceremonies, which need several people; half the lifetime for online roles. */
export const OFFLINE_NOTICE_DAYS = 14;

const noticeDays = (role: string, periods: Periods): number =>
  role === 'snapshot' || role === 'timestamp'
    ? daysOf(role, periods) / 4
    : Math.min(OFFLINE_NOTICE_DAYS, daysOf(role, periods) / 2);

export function repositoryStatus(
  published: Published,
  proposal: Proposal,
  periods: Periods,
  now: Date,
): RepositoryStatus {
  const roles = publishedRoles(published, periods, now);
  return {
    published: roles,
    proposed: proposedRoles(published, proposal),
    keys: keysByRole(authoritiesOf(published, proposal)),
    faults:
      proposedFiles(proposal).length === 0
        ? []
        : proposalFaults({ published, proposal, periods, now }),
    difference: difference(published, proposal),
    attention: [
      ...(isEstablished(published) ? [] : ['nothing is published yet']),
      ...roles.flatMap((status) => [...expiryNotice(status), ...signatureNotice(status)]),
    ],
  };
}

export function validityOf(daysLeft: number, noticeDays: number): Validity {
  if (daysLeft <= 0) return 'expired';
  return daysLeft < noticeDays ? 'expires-soon' : 'valid';
}

/** A sentence, unless all is well. */
export function expiryNotice({
  role,
  version,
  expires,
  daysLeft,
  validity,
}: Pick<RoleStatus, 'role' | 'version' | 'expires' | 'daysLeft' | 'validity'>): string[] {
  switch (validity) {
    case 'expired':
      return [`${role} version ${version} has expired on ${expires}`];
    case 'expires-soon':
      return [`${role} version ${version} expires on ${expires}, in ${daysLeft.toFixed(1)} days`];
    case 'valid':
      return [];
  }
}

const signatureNotice = ({ role, version, signedBy, threshold }: RoleStatus): string[] =>
  signedBy.length < threshold
    ? [
        `${role} version ${version} has ${signedBy.length} of ${threshold} signatures: vehicles refuse it`,
      ]
    : [];

/** Each key once, with all roles that it may sign. */
export function keysByRole(authorities: Iterable<readonly [string, Authority]>): KeyStatus[] {
  const keys = new Map<string, KeyStatus>();
  for (const [role, authority] of authorities) {
    for (const [id, { keyType: keytype, scheme }] of authority.keys) {
      const roles = keys.get(id)?.roles ?? [];
      keys.set(id, {
        id,
        keytype,
        scheme,
        roles: roles.includes(role) ? roles : [...roles, role],
      });
    }
  }
  return [...keys.values()];
}

/** For every role, published and proposed. */
function authoritiesOf(published: Published, proposal: Proposal): (readonly [string, Authority])[] {
  const nothing = { root: undefined, targets: new Map() };
  return [stateAfter(published, nothing), stateAfter(published, proposal)].flatMap((state) => {
    if (state === undefined) return [];
    const { roles, keys } = state.root;
    return [
      ...TOP_ROLES.map((role) => [role, authorityOf(roles[role], keys)] as const),
      ...reachableRoles(state)
        .filter((role) => role !== 'targets')
        .flatMap((role) =>
          requirementsOf(role, state).map(({ authority }) => [role, authority] as const),
        ),
    ];
  });
}

const isEstablished = ({ kind, root, timestamp }: Published): boolean =>
  root !== undefined && (kind === 'director' || timestamp !== undefined);

function publishedRoles(
  { kind, root, timestamp, snapshot, targets }: Published,
  periods: Periods,
  now: Date,
): RoleStatus[] {
  if (root === undefined) return [];
  const { content } = root;
  const after = stateAfter(
    { kind, root, timestamp, snapshot, targets, highest: new Map() },
    { root: undefined, targets: new Map() },
  );
  const files = [
    ['root', root] as const,
    ...(timestamp ? [['timestamp', timestamp] as const] : []),
    ...(snapshot ? [['snapshot', snapshot] as const] : []),
    ...[...targets].filter(([role]) => after && reachableRoles(after).includes(role)),
  ];
  return files.map(([role, file]) => {
    const authority =
      role === 'root' || role === 'timestamp' || role === 'snapshot'
        ? authorityOf(content.roles[role], content.keys)
        : after && requirementsOf(role, after)[0]?.authority;
    const { version, expires } = file.content;
    const daysLeft = daysUntil(expires, now);
    return {
      role,
      version,
      expires,
      daysLeft,
      validity: validityOf(daysLeft, noticeDays(role, periods)),
      threshold: authority?.threshold ?? 0,
      keys: [...(authority?.keys.keys() ?? [])],
      signedBy: authority ? signersOf(file.envelope, authority) : [],
    };
  });
}

function proposedRoles(published: Published, proposal: Proposal): ProposedStatus[] {
  const after = stateAfter(published, proposal);
  if (after === undefined) return [];
  return proposedFiles(proposal).map(({ role, envelope, content }) => {
    const requirements = requirementsOfProposed(role, published, after);
    return {
      role,
      version: content.version,
      expires: content.expires,
      signatures: requirements.map((requirement) => {
        const { by, authority, signedBy, missing } = signatureState(envelope, requirement);
        const canSign = [...authority.keys.keys()].filter((id) => !signedBy.includes(id));
        return { by, threshold: authority.threshold, signedBy, canSign, missing };
      }),
      broken: brokenSignatures(envelope, requirements),
      foreign: foreignSignatures(envelope, requirements),
    };
  });
}
