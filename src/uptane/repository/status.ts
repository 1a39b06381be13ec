/** Status of a repository for people and monitoring. Pure. */
import { proposalFaults } from './check-proposal.js';
import { daysOf, daysUntil, type Periods } from './periods.js';
import { type Proposal, proposedFiles } from './proposal.js';
import { type Published } from './published.js';
import { authorityOf } from './role-keys.js';
import {
  brokenSignatures,
  foreignSignatures,
  requirementsOfProposed,
  signatureState,
  signersOf,
} from './signatures.js';
import { reachableRoles, requirementsOf, stateAfter } from './state.js';

export interface RoleStatus {
  readonly role: string;
  readonly version: number;
  /** `YYYY-MM-DDTHH:MM:SSZ` */
  readonly expires: string;
  /** Negative after expiry. */
  readonly daysLeft: number;
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

export interface RepositoryStatus {
  readonly published: readonly RoleStatus[];
  readonly proposed: readonly ProposedStatus[];
  /** Faults of the proposal. */
  readonly faults: readonly string[];
  /** Required actions, one sentence each; empty if there are none. */
  readonly attention: readonly string[];
}

/** Two weeks for offline ceremonies, which need several people; half the lifetime for online roles. */
const OFFLINE_NOTICE_DAYS = 14;

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
  const roles = publishedRoles(published, now);
  return {
    published: roles,
    proposed: proposedRoles(published, proposal),
    faults:
      proposedFiles(proposal).length === 0
        ? []
        : proposalFaults({ published, proposal, periods, now }),
    attention: [
      ...(published.root && published.timestamp ? [] : ['nothing is published yet']),
      ...roles.flatMap(({ role, version, expires, daysLeft, signedBy, threshold }) => [
        ...(daysLeft <= 0 ? [`${role} version ${version} has expired on ${expires}`] : []),
        ...(daysLeft > 0 && daysLeft < noticeDays(role, periods)
          ? [`${role} version ${version} expires on ${expires}, in ${daysLeft.toFixed(1)} days`]
          : []),
        ...(signedBy.length < threshold
          ? [
              `${role} version ${version} has ${signedBy.length} of ${threshold} signatures: vehicles refuse it`,
            ]
          : []),
      ]),
    ],
  };
}

function publishedRoles(
  { root, timestamp, snapshot, targets }: Published,
  now: Date,
): RoleStatus[] {
  if (root === undefined) return [];
  const { content } = root;
  const after = stateAfter(
    { root, timestamp, snapshot, targets, highest: new Map() },
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
    return {
      role,
      version,
      expires,
      daysLeft: daysUntil(expires, now),
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
