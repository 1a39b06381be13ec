/** Content of the image repository's targets metadata (POUF, sections 4 and 5), in a form that a proposal can change. */
import { type PlainJson } from '../json/canonical-json.js';
import { type Reader } from '../json/reader.js';
import { type Envelope } from '../metadata/envelope.js';
import { readHashes } from '../metadata/hashes.js';
import { type SignedPart } from '../signing/sign.js';
import { type Keys, readListedKeys, readRoleKeys, type RoleKeys, usedKeys } from './role-keys.js';
import { SPEC_VERSION } from './spec-version.js';

export interface TargetContent {
  /** bytes */
  readonly length: number;
  /** Lower-case hex by algorithm. */
  readonly hashes: Readonly<Record<string, string>>;
  readonly custom: Readonly<Record<string, PlainJson>> | undefined;
}

export interface DelegatedRoleContent extends RoleKeys {
  readonly name: string;
}

export interface DelegationContent {
  /** One role, or several of a multi-role delegation. */
  readonly roles: readonly DelegatedRoleContent[];
  /** Of a multi-role delegation. */
  readonly minRolesInAgreement: number | undefined;
  readonly paths: readonly string[];
  readonly isTerminating: boolean;
  /** `undefined`: any. */
  readonly hardwareIds: readonly string[] | undefined;
}

export interface TargetsContent {
  readonly version: number;
  /** `YYYY-MM-DDTHH:MM:SSZ` */
  readonly expires: string;
  readonly targets: ReadonlyMap<string, TargetContent>;
  readonly delegationKeys: Keys;
  /** In order of priority. */
  readonly delegations: readonly DelegationContent[];
}

/** @throws Refusal */
export function readTargetsContent({ signed }: Envelope): TargetsContent {
  const delegations = signed.optional('delegations');
  return {
    version: signed.member('version').integer(1),
    expires: signed.member('expires').string(),
    targets: new Map(
      signed
        .member('targets')
        .members()
        .map(([path, target]) => [path, readTargetContent(target)]),
    ),
    delegationKeys: delegations ? readListedKeys(delegations.member('keys')) : new Map(),
    delegations: delegations ? delegations.member('roles').items().map(readDelegationContent) : [],
  };
}

function readTargetContent(target: Reader): TargetContent {
  const custom = target.optional('custom');
  return {
    length: target.member('length').integer(0),
    hashes: Object.fromEntries(readHashes(target.member('hashes'))),
    custom: custom?.plainObject(),
  };
}

/** A delegation to one or several roles. @throws Refusal */
export function readDelegationContent(delegation: Reader): DelegationContent {
  const many = delegation.optional('roles');
  const role = (member: Reader) => ({
    name: member.member('name').string(),
    ...readRoleKeys(member),
  });
  return {
    roles: many ? many.items().map(role) : [role(delegation)],
    minRolesInAgreement: many && delegation.member('minRolesInAgreement').integer(1),
    paths: delegation.member('paths').strings(),
    isTerminating: delegation.member('terminating').boolean(),
    hardwareIds: delegation.optional('hardwareIds')?.strings(),
  };
}

/** Distinct delegated roles of a file. */
export const rolesDelegatedBy = ({ delegations }: TargetsContent): readonly string[] => [
  ...new Set(delegations.flatMap(({ roles }) => roles.map(({ name }) => name))),
];

export function writeTargetsContent(content: TargetsContent): SignedPart {
  const { version, expires, targets, delegations, delegationKeys } = content;
  const roles = delegations.flatMap((delegation) => delegation.roles);
  return {
    _type: 'targets',
    spec_version: SPEC_VERSION,
    version,
    expires,
    targets: Object.fromEntries(
      [...targets].map(([path, { length, hashes, custom }]) => [
        path,
        { length, hashes, ...(custom === undefined ? {} : { custom }) },
      ]),
    ),
    ...(delegations.length === 0
      ? {}
      : {
          delegations: {
            keys: Object.fromEntries(usedKeys(delegationKeys, roles)),
            roles: delegations.map(writeDelegation),
          },
        }),
  };
}

function writeDelegation(delegation: DelegationContent): PlainJson {
  const { roles, minRolesInAgreement, paths, isTerminating, hardwareIds } = delegation;
  const written = roles.map(({ name, keyIds, threshold }) => ({ name, keyids: keyIds, threshold }));
  return {
    ...(minRolesInAgreement === undefined ? written[0] : { roles: written, minRolesInAgreement }),
    paths,
    terminating: isTerminating,
    ...(hardwareIds === undefined ? {} : { hardwareIds }),
  };
}
