/** The changes of a proposal: each a function from one repository state to the next. Pure. */
import { type PlainJson } from '../json/canonical-json.js';
import { keyIdOfListed, type ListedKey } from '../signing/signer.js';
import { RepositoryFault } from './fault.js';
import { checkRoleName, checkTargetPath } from './names.js';
import { isTopRole, type Keys, type RoleKeys, type TopRole } from './role-keys.js';
import { type RootContent } from './root-content.js';
import { type RepositoryState } from './state.js';
import {
  type DelegationContent,
  rolesDelegatedBy,
  type TargetContent,
  type TargetsContent,
} from './targets-content.js';

/** @throws RepositoryFault */
export type Change = (state: RepositoryState) => RepositoryState;

export const inOrder =
  (changes: readonly Change[]): Change =>
  (state) =>
    changes.reduce((before, change) => change(before), state);

/** Adds an image, or replaces it under its path. The release counter must not decrease. */
export const addTarget =
  (role: string, path: string, target: TargetContent): Change =>
  (state) => {
    checkTargetPath(path);
    const content = targetsOf(state, role);
    const [before, now] = [content.targets.get(path), target].map(releaseCounterOf);
    if (before !== undefined && now !== undefined && now < before) {
      throw new RepositoryFault(
        `${path}: the release counter ${now} is lower than ${before}, which vehicles may have installed`,
      );
    }
    return withTargets(state, role, {
      ...content,
      targets: new Map([...content.targets, [path, target]]),
    });
  };

export const removeTarget =
  (role: string, path: string): Change =>
  (state) => {
    const content = targetsOf(state, role);
    if (!content.targets.has(path)) throw new RepositoryFault(`${role} does not list ${path}`);
    const targets = new Map(content.targets);
    targets.delete(path);
    return withTargets(state, role, { ...content, targets });
  };

/** `custom.match.releaseCounter`; `undefined` if missing or invalid. */
export function releaseCounterOf(target: TargetContent | undefined): number | undefined {
  const counter = matchMember(target, 'releaseCounter');
  return typeof counter === 'number' && counter >= 0 ? counter : undefined;
}

/** `custom.match.hardwareIds`; empty if missing or invalid. */
export function hardwareIdsOf(target: TargetContent): readonly string[] {
  const ids = matchMember(target, 'hardwareIds');
  return isList(ids) && ids.every((id): id is string => typeof id === 'string' && id !== '')
    ? ids
    : [];
}

function matchMember(target: TargetContent | undefined, name: string): PlainJson | undefined {
  const match = target?.custom?.match;
  if (match === null || typeof match !== 'object' || isList(match)) return undefined;
  return Object.hasOwn(match, name)
    ? (match as Readonly<Record<string, PlainJson>>)[name]
    : undefined;
}

// `Array.isArray` does not narrow a union of readonly arrays.
const isList = (value: PlainJson | undefined): value is readonly PlainJson[] =>
  Array.isArray(value);

/**
 * Appends a delegation, or replaces the one with the same roles.
 *
 * @param keys of its roles, unless already in the file
 */
export const setDelegation =
  (from: string, delegation: DelegationContent, keys: readonly ListedKey[]): Change =>
  (state) => {
    const content = targetsOf(state, from);
    const delegationKeys = withKeys(content.delegationKeys, keys);
    for (const role of delegation.roles) {
      checkRoleName(role.name);
      if (isTopRole(role.name)) {
        throw new RepositoryFault(`${role.name} is a top-level role: it cannot be delegated`);
      }
      checkRoleKeys(role.name, role, delegationKeys);
    }
    const { minRolesInAgreement, roles, paths } = delegation;
    if (minRolesInAgreement !== undefined && minRolesInAgreement > roles.length) {
      throw new RepositoryFault(
        `${minRolesInAgreement} roles cannot agree where the delegation has ${roles.length}`,
      );
    }
    if (paths.length === 0) throw new RepositoryFault('a delegation needs at least one path');
    const names = namesOf(delegation);
    const at = content.delegations.findIndex((other) => namesOf(other) === names);
    const delegations =
      at < 0 ? [...content.delegations, delegation] : content.delegations.with(at, delegation);
    return withTargets(state, from, { ...content, delegations, delegationKeys });
  };

const namesOf = ({ roles }: DelegationContent) => roles.map(({ name }) => name).join(' ');

/** Removes a file's delegations to a role. */
export const removeDelegation =
  (from: string, role: string): Change =>
  (state) => {
    const content = targetsOf(state, from);
    const delegations = content.delegations.filter(
      ({ roles }) => !roles.some(({ name }) => name === role),
    );
    if (delegations.length === content.delegations.length) {
      throw new RepositoryFault(`${from} does not delegate to ${role}`);
    }
    return withTargets(state, from, { ...content, delegations });
  };

/** Moves a delegation to a position in the order of priority; 1 is the first. */
export const moveDelegation =
  (from: string, role: string, place: number): Change =>
  (state) => {
    const content = targetsOf(state, from);
    const moved = content.delegations.find(({ roles }) => roles.some(({ name }) => name === role));
    if (moved === undefined) throw new RepositoryFault(`${from} does not delegate to ${role}`);
    const delegations = content.delegations.filter((other) => other !== moved);
    delegations.splice(place - 1, 0, moved);
    return withTargets(state, from, { ...content, delegations });
  };

export interface KeyChange {
  readonly add?: readonly ListedKey[];
  /** Key ids. */
  readonly remove?: readonly string[];
  readonly threshold?: number;
}

/** Changes the keys of a role: a top-level role in root, a delegated role in all its delegators. */
export const changeKeys =
  (role: string, change: KeyChange): Change =>
  (state) =>
    isTopRole(role) ? changeTopKeys(state, role, change) : changeDelegated(state, role, change);

function changeTopKeys(state: RepositoryState, role: TopRole, change: KeyChange): RepositoryState {
  const keys = withKeys(state.root.keys, change.add ?? []);
  const roleKeys = changed(role, state.root.roles[role], change);
  checkRoleKeys(role, roleKeys, keys);
  const root: RootContent = {
    ...state.root,
    keys,
    roles: { ...state.root.roles, [role]: roleKeys },
  };
  return { ...state, root };
}

function changeDelegated(state: RepositoryState, role: string, change: KeyChange): RepositoryState {
  const delegators = [...state.targets].filter(([, content]) =>
    rolesDelegatedBy(content).includes(role),
  );
  if (delegators.length === 0) throw new RepositoryFault(`there is no role ${role}`);
  const targets = new Map(state.targets);
  for (const [from, content] of delegators) {
    const delegationKeys = withKeys(content.delegationKeys, change.add ?? []);
    const delegations = content.delegations.map((delegation) => ({
      ...delegation,
      roles: delegation.roles.map((delegated) => {
        if (delegated.name !== role) return delegated;
        const roleKeys = changed(role, delegated, change);
        checkRoleKeys(role, roleKeys, delegationKeys);
        return { ...delegated, ...roleKeys };
      }),
    }));
    targets.set(from, { ...content, delegations, delegationKeys });
  }
  return { ...state, targets };
}

function changed(role: string, before: RoleKeys, { add = [], remove = [], threshold }: KeyChange) {
  for (const id of remove) {
    if (!before.keyIds.includes(id)) throw new RepositoryFault(`${role} has no key ${id}`);
  }
  const kept = before.keyIds.filter((id) => !remove.includes(id));
  const added = add.map(keyIdOfListed).filter((id) => !kept.includes(id));
  return { keyIds: [...kept, ...added], threshold: threshold ?? before.threshold };
}

/** Roles that list a key. */
export function rolesOfKey({ root, targets }: RepositoryState, keyId: string): readonly string[] {
  const roles = new Set<string>();
  for (const [role, { keyIds }] of Object.entries(root.roles)) {
    if (keyIds.includes(keyId)) roles.add(role);
  }
  for (const { delegations } of targets.values()) {
    for (const { name, keyIds } of delegations.flatMap((delegation) => delegation.roles)) {
      if (keyIds.includes(keyId)) roles.add(name);
    }
  }
  return [...roles];
}

/** Removes a key from every role that lists it, and replaces it if a new one is given. */
export const revokeKey =
  (keyId: string, replacement: ListedKey | undefined): Change =>
  (state) => {
    const roles = rolesOfKey(state, keyId);
    if (roles.length === 0) throw new RepositoryFault(`no role lists a key ${keyId}`);
    const change = { remove: [keyId], add: replacement ? [replacement] : [] };
    return inOrder(roles.map((role) => changeKeys(role, change)))(state);
  };

/** @throws RepositoryFault if there are too few keys for the threshold */
export function checkRoleKeys(role: string, { keyIds, threshold }: RoleKeys, keys: Keys): void {
  const unknown = keyIds.find((id) => !keys.has(id));
  if (unknown !== undefined) {
    throw new RepositoryFault(`${role} lists the key ${unknown}, which is not given`);
  }
  const count = new Set(keyIds).size;
  if (!Number.isSafeInteger(threshold) || threshold < 1) {
    throw new RepositoryFault(`the threshold of ${role} must be at least 1, not ${threshold}`);
  }
  if (count < threshold) {
    throw new RepositoryFault(
      `${role} would have ${count} ${count === 1 ? 'key' : 'keys'} for a threshold of ${threshold}: add a key, or lower the threshold`,
    );
  }
}

const withKeys = (keys: Keys, added: readonly ListedKey[]): Keys =>
  new Map([...keys, ...added.map((key) => [keyIdOfListed(key), key] as const)]);

function targetsOf({ targets }: RepositoryState, role: string): TargetsContent {
  const content = targets.get(role);
  if (content) return content;
  throw new RepositoryFault(
    isTopRole(role) && role !== 'targets'
      ? `${role} lists no images`
      : `there is no role ${role} yet: delegate to it first`,
  );
}

const withTargets = (
  state: RepositoryState,
  role: string,
  content: TargetsContent,
): RepositoryState => ({ ...state, targets: new Map([...state.targets, [role, content]]) });
