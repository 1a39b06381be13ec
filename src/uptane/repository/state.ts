/** Combined content of root and all targets roles: current, or after a proposal is published. Pure. */
import { type Authority } from '../keys/authority.js';
import { type RepositoryKind } from './periods.js';
import { type Proposal } from './proposal.js';
import { type Published } from './published.js';
import { authorityOf } from './role-keys.js';
import { type RootContent } from './root-content.js';
import { rolesDelegatedBy, type TargetsContent } from './targets-content.js';

export interface RepositoryState {
  readonly kind: RepositoryKind;
  readonly root: RootContent;
  /** By role, including the top-level one. */
  readonly targets: ReadonlyMap<string, TargetsContent>;
}

/** @returns `undefined` if there is no root yet */
export function stateAfter(published: Published, proposal: Proposal): RepositoryState | undefined {
  const root = proposal.root?.content ?? published.root?.content;
  if (root === undefined) return undefined;
  const targets = new Map<string, TargetsContent>();
  for (const [role, { content }] of published.targets) targets.set(role, content);
  for (const [role, { content }] of proposal.targets) targets.set(role, content);
  return { kind: published.kind, root, targets };
}

/** The roles reachable through delegations from the top level. */
export function reachableRoles({
  kind,
  targets,
}: Pick<RepositoryState, 'kind' | 'targets'>): readonly string[] {
  if (kind === 'director') return [];
  const reached = ['targets'];
  // The list grows during the iteration.
  for (const role of reached) {
    const content = targets.get(role);
    if (content === undefined) continue;
    for (const name of rolesDelegatedBy(content)) if (!reached.includes(name)) reached.push(name);
  }
  return reached;
}

/** Keys that must sign a role, and the role that requires it. */
export interface Requirement {
  /** `root`, or the role that delegates. */
  readonly by: string;
  readonly authority: Authority;
}

/** Of a targets role. A role with several delegators must satisfy each of them. */
export function requirementsOf(role: string, state: RepositoryState): readonly Requirement[] {
  const { root, targets } = state;
  if (role === 'targets') {
    return [{ by: 'root', authority: authorityOf(root.roles.targets, root.keys) }];
  }
  return reachableRoles(state).flatMap((by) => {
    const delegator = targets.get(by);
    if (delegator === undefined) return [];
    return delegator.delegations
      .flatMap(({ roles }) => roles)
      .filter(({ name }) => name === role)
      .map((delegated) => ({ by, authority: authorityOf(delegated, delegator.delegationKeys) }));
  });
}
