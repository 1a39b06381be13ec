/** Delegations of targets roles (POUF, section 5). */
import { type Authority, readAuthority } from '../keys/authority.js';
import { type PublicKey } from '../keys/public-key.js';
import { readKeys } from '../keys/read-keys.js';
import { type Reader } from '../json/reader.js';
import { type Subject } from '../refusal.js';
import { type Rules } from '../rules.js';

export interface DelegatedRole {
  readonly name: string;
  readonly authority: Authority;
}

export interface Delegation {
  /** One role, or several distinct ones in a multi-role delegation. */
  readonly roles: readonly DelegatedRole[];
  /** In a multi-role delegation: number of roles that must agree. */
  readonly minRolesInAgreement: number | undefined;
  /** Patterns, or prefixes of the hex SHA-256 of a path (TUF). */
  readonly paths: readonly string[];
  readonly pathHashPrefixes: readonly string[];
  readonly isTerminating: boolean;
  /** `undefined`: any. */
  readonly hardwareIds: readonly string[] | undefined;
}

/** @throws Refusal */
export function readDelegations(
  delegations: Reader,
  subject: Subject,
  rules: Rules,
): readonly Delegation[] {
  const keys = readKeys(delegations.member('keys'), subject, rules);
  return delegations
    .member('roles')
    .items()
    .map((delegation) => readDelegation(delegation, keys, rules));
}

function readDelegation(
  delegation: Reader,
  keys: ReadonlyMap<string, PublicKey>,
  rules: Rules,
): Delegation {
  const many = delegation.optional('roles');
  if (many && delegation.member('name').exists) delegation.refuse('either name or roles');
  const roles = many
    ? many.items().map((role) => readRole(role, keys))
    : [readRole(delegation, keys)];
  return {
    // A role listed twice counts once.
    roles: roles.filter(({ name }, at) => roles.findIndex((role) => role.name === name) === at),
    minRolesInAgreement: many && delegation.member('minRolesInAgreement').integer(1),
    ...readPaths(delegation, rules),
    isTerminating: delegation.member('terminating').boolean(),
    hardwareIds: delegation.optional('hardwareIds')?.strings(),
  };
}

/** Names of files that are not targets: a delegation to them could pass one kind of file off as another. */
const RESERVED = new Set(['root', 'timestamp', 'snapshot']);

function readRole(role: Reader, keys: ReadonlyMap<string, PublicKey>): DelegatedRole {
  const name = role.member('name');
  if (RESERVED.has(name.string())) name.refuse('a name that is not a top-level role');
  return { name: name.string(), authority: readAuthority(role, keys) };
}

function readPaths(delegation: Reader, rules: Rules) {
  const prefixes = rules.pathHashPrefixes ? delegation.optional('path_hash_prefixes') : undefined;
  if (!prefixes) return { paths: delegation.member('paths').strings(), pathHashPrefixes: [] };
  if (delegation.member('paths').exists) delegation.refuse('either paths or path_hash_prefixes');
  return { paths: [], pathHashPrefixes: prefixes.strings() };
}
