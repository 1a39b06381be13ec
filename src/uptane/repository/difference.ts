/**
 * The changes of a proposal, for the people who sign it. Control and reordering characters in texts from metadata are
 * escaped, so that a path cannot overwrite the line that shows it. Pure.
 */
import { canonicalJson, type PlainJson } from '../json/canonical-json.js';
import { hardwareIdsOf, releaseCounterOf } from './changes.js';
import { type Proposal, type ProposedRoot, type ProposedTargets } from './proposal.js';
import { type Published } from './published.js';
import { type Keys, TOP_ROLES } from './role-keys.js';
import { type RootContent } from './root-content.js';
import {
  type DelegationContent,
  type TargetContent,
  type TargetsContent,
} from './targets-content.js';

/** Lines of text. Additions start with `+`, removals with `-`, changes with `~`. */
export function difference(published: Published, proposal: Proposal): readonly string[] {
  return [
    ...(proposal.root ? rootDifference(published.root?.content, proposal.root) : []),
    ...[...proposal.targets.values()].flatMap((file) =>
      targetsDifference(published.targets.get(file.role)?.content, file),
    ),
  ];
}

interface Versioned {
  readonly version: number;
  readonly expires: string;
}

function heading(role: string, before: Versioned | undefined, now: Versioned): string[] {
  if (before === undefined) {
    return [`${role}: version ${now.version}, new`, `  expires ${now.expires}`];
  }
  return [
    `${role}: version ${before.version} → ${now.version}`,
    `  expires ${before.expires} → ${now.expires}`,
  ];
}

function rootDifference(before: RootContent | undefined, { content }: ProposedRoot): string[] {
  const lines = heading('root', before, content);
  for (const role of TOP_ROLES) {
    const last = before?.roles[role];
    const { keyIds, threshold } = content.roles[role];
    lines.push(
      ...listDifference(last?.keyIds ?? [], keyIds, (id, isNew) => {
        const keys = isNew ? content.keys : (before?.keys ?? new Map());
        return `key of ${role}: ${keyText(id, keys as Keys)}`;
      }),
      ...changeOf(
        `threshold of ${role}`,
        last && thresholdText(last),
        thresholdText({ keyIds, threshold }),
      ),
    );
  }
  const shared = keysOfSeveralRoles(content);
  lines.push(...shared.map((text) => `  ! ${text}`));
  return lines;
}

const thresholdText = ({ keyIds, threshold }: { keyIds: readonly string[]; threshold: number }) =>
  `${threshold} of ${keyIds.length}`;

function keysOfSeveralRoles({ roles }: RootContent): string[] {
  const byKey = new Map<string, string[]>();
  for (const role of TOP_ROLES) {
    for (const id of roles[role].keyIds) byKey.set(id, [...(byKey.get(id) ?? []), role]);
  }
  return [...byKey]
    .filter(([, names]) => names.length > 1)
    .map(([id, names]) => `one key for ${names.join(' and ')}: ${printable(id)}`);
}

function targetsDifference(before: TargetsContent | undefined, file: ProposedTargets): string[] {
  const { role, content } = file;
  const lines = heading(printable(role), before, content);
  for (const [path, target] of before?.targets ?? []) {
    if (!content.targets.has(path)) lines.push(`  - ${printable(path)}  ${targetText(target)}`);
  }
  for (const [path, target] of content.targets) {
    const last = before?.targets.get(path);
    if (last === undefined) lines.push(`  + ${printable(path)}  ${targetText(target)}`);
    else if (targetText(last) !== targetText(target)) {
      lines.push(`  ~ ${printable(path)}`, `      was ${targetText(last)}`);
      lines.push(`      is  ${targetText(target)}`);
    }
  }
  lines.push(...delegationDifference(before, content));
  if (lines.length === 2) {
    lines.push(before ? '  the same images and delegations' : '  no images, no delegations');
  }
  return lines;
}

function targetText(target: TargetContent): string {
  const { length, hashes, custom } = target;
  const counter = releaseCounterOf(target);
  const hardwareIds = hardwareIdsOf(target);
  // All other signed members are shown too, including malformed hardware ids.
  const isSound = counter !== undefined && hardwareIds.length > 0;
  const match = isSound ? without(custom?.match, 'hardwareIds', 'releaseCounter') : custom?.match;
  const rest = without(custom, 'match');
  const others = match === undefined || isEmptyObject(match) ? rest : { ...rest, match };
  return [
    `${length} bytes`,
    `release counter ${counter ?? 'none'}`,
    `hardware ${printable(hardwareIds.join(', ') || 'none')}`,
    ...Object.entries(hashes).map(([algorithm, digest]) => printable(`${algorithm} ${digest}`)),
    ...(isEmptyObject(others) ? [] : [printable(canonicalJson(others).toString())]),
  ].join(', ');
}

const without = (members: PlainJson | undefined, ...names: readonly string[]) =>
  Object.fromEntries(
    Object.entries((members ?? {}) as Readonly<Record<string, PlainJson>>).filter(
      ([name]) => !names.includes(name),
    ),
  );

const isEmptyObject = (value: PlainJson): boolean =>
  value !== null && typeof value === 'object' && Object.keys(value).length === 0;

function delegationDifference(before: TargetsContent | undefined, now: TargetsContent): string[] {
  const texts = (content: TargetsContent | undefined) =>
    new Map(
      content?.delegations.map((delegation) => [
        namesText(delegation),
        delegationText(delegation, content.delegationKeys),
      ]),
    );
  const last = texts(before);
  const lines: string[] = [];
  for (const [names, text] of last) {
    if (!texts(now).has(names)) lines.push(`  - delegation to ${names}: ${text}`);
  }
  for (const [names, text] of texts(now)) {
    const previous = last.get(names);
    if (previous === undefined) lines.push(`  + delegation to ${names}: ${text}`);
    else if (previous !== text) {
      lines.push(`  ~ delegation to ${names}`, `      was ${previous}`, `      is  ${text}`);
    }
  }
  const order = (content: TargetsContent | undefined) =>
    content?.delegations.map(namesText).filter((names) => last.has(names) && texts(now).has(names));
  const [was = [], is = []] = [order(before), order(now)];
  if (was.join() !== is.join()) {
    lines.push(`  ~ order of delegations: ${was.join(' > ')} → ${is.join(' > ')}`);
  }
  return lines;
}

const namesText = ({ roles }: DelegationContent) =>
  printable(roles.map(({ name }) => name).join(' + '));

function delegationText(delegation: DelegationContent, keys: Keys): string {
  const { roles, minRolesInAgreement, paths, isTerminating, hardwareIds } = delegation;
  return [
    ...roles.map(
      ({ name, keyIds, threshold }) =>
        `${printable(name)} signed by ${threshold} of ${keyIds.map((id) => keyText(id, keys)).join(', ')}`,
    ),
    ...(minRolesInAgreement === undefined ? [] : [`${minRolesInAgreement} roles must agree`]),
    `paths ${paths.map(printable).join(', ')}`,
    `hardware ${hardwareIds === undefined ? 'any' : hardwareIds.map(printable).join(', ')}`,
    ...(isTerminating ? ['terminating'] : []),
  ].join('; ');
}

const keyText = (id: string, keys: Keys) =>
  `${printable(keys.get(id)?.keytype ?? 'unknown')} ${printable(id)}`;

function listDifference(
  before: readonly string[],
  now: readonly string[],
  text: (item: string, isNew: boolean) => string,
): string[] {
  return [
    ...before.filter((item) => !now.includes(item)).map((item) => `  - ${text(item, false)}`),
    ...now.filter((item) => !before.includes(item)).map((item) => `  + ${text(item, true)}`),
  ];
}

function changeOf(what: string, before: string | undefined, now: string): string[] {
  if (before === now) return [];
  return [before === undefined ? `  + ${what}: ${now}` : `  ~ ${what}: ${before} → ${now}`];
}

/** Control, format (including text reordering), surrogate and private-use characters, and line separators. */
export const printable = (text: string): string =>
  text.replace(
    /[\p{C}\u2028\u2029]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
