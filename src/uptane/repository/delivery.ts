/**
 * A delivery: files of delegated roles that their owners have created and signed elsewhere, to be published unchanged. The
 * delegations authorise it: a file is accepted only if every vehicle would resolve the images it lists to this file. Pure.
 */
import { appliesTo } from '../delegations/applies.js';
import { findImage } from '../delegations/find-image.js';
import { parseJson, BadJson } from '../json/parse-json.js';
import { Reader } from '../json/reader.js';
import { LIMITS } from '../limits.js';
import { type Delegation } from '../metadata/delegation.js';
import { isSameFile, matchText, type Target } from '../metadata/target.js';
import { readTargets, type Targets } from '../metadata/targets.js';
import { IMAGE_REPOSITORY } from '../rules.js';
import { hardwareIdsOf } from './changes.js';
import { proposalFaults } from './check-proposal.js';
import { RepositoryFault } from './fault.js';
import { checkRoleName } from './names.js';
import { type Periods } from './periods.js';
import { isSameSigned, type Proposal, proposedTargets, type ProposedTargets } from './proposal.js';
import { missingSignatures } from './publication.js';
import { type Published } from './published.js';
import { isTopRole } from './role-keys.js';
import { reachableRoles, stateAfter } from './state.js';
import { type TargetContent } from './targets-content.js';

/** By role. */
export type Delivery = ReadonlyMap<string, ProposedTargets>;

/** An image that a delivery lists, and that its role has not listed with these hashes before. */
export interface DeliveredImage {
  readonly role: string;
  readonly target: Target;
}

/** Maximum gap in versions. Otherwise a thief of a key could use up all version numbers. */
const MOST_SKIPPED = 1_000;

const SUBJECT = { repository: 'delivery', role: 'roles' };

/**
 * @param bytes `{"roles": {ROLE: file, …}}`
 * @throws RepositoryFault, Refusal
 */
export function readDelivery(bytes: Uint8Array): Delivery {
  const roles = new Reader(parsed(bytes), SUBJECT).member('roles').members();
  if (roles.length === 0) throw new RepositoryFault('the delivery has no role');
  return new Map(
    roles.map(([role, file]) => {
      checkRoleName(role);
      if (isTopRole(role)) throw new RepositoryFault(`${role} is not a delegated role`);
      const written = Buffer.from(JSON.stringify(file.plainObject()));
      return [role, proposedTargets(role, written)];
    }),
  );
}

function parsed(bytes: Uint8Array) {
  try {
    return parseJson(bytes);
  } catch (error) {
    if (error instanceof BadJson) throw new RepositoryFault(`the delivery ${error.message}`);
    throw error;
  }
}

/** Without files that are already published: repeating a delivery changes nothing. */
export const unpublished = (delivery: Delivery, { targets }: Published): Delivery =>
  new Map(
    [...delivery].filter(([role, { envelope }]) => {
      const current = targets.get(role);
      return current === undefined || !isSameSigned(envelope, current.envelope);
    }),
  );

export const proposalOf = (delivery: Delivery): Proposal => ({
  root: undefined,
  targets: delivery,
});

export interface DeliveryCheck {
  readonly published: Published;
  readonly delivery: Delivery;
  readonly periods: Periods;
  readonly now: Date;
}

/** One sentence for each fault; none if it may be published once its images are there. */
export async function deliveryFaults(check: DeliveryCheck): Promise<readonly string[]> {
  const { published, delivery, periods, now } = check;
  if (published.root === undefined || published.timestamp === undefined) {
    return ['nothing is published yet'];
  }
  const proposal = proposalOf(delivery);
  const after = stateAfter(published, proposal);
  if (after === undefined) return ['there is no root'];
  const reachable = reachableRoles(after);
  const unreachable = [...delivery.keys()].filter((role) => !reachable.includes(role));
  if (unreachable.length > 0) return unreachable.map((role) => `there is no delegation to ${role}`);
  const faults = [
    ...proposalFaults({ published, proposal, periods, now }),
    ...missingSignatures(published, proposal, after),
    ...[...delivery].flatMap(
      ([
        role,
        {
          content: { version },
        },
      ]) => {
        const last = published.targets.get(role)?.content.version ?? 0;
        return version > last + MOST_SKIPPED
          ? [
              `${role} version ${version} leaves out more than ${MOST_SKIPPED} after version ${last}`,
            ]
          : [];
      },
    ),
  ];
  return faults.length > 0 ? faults : searchFaults(published, delivery);
}

/** New images, which vehicles may fetch once the delivery is published. */
export const deliveredImages = (
  { targets }: Published,
  delivery: Delivery,
): readonly DeliveredImage[] =>
  [...delivery].flatMap(([role, { content }]) => {
    const before = targets.get(role)?.content.targets;
    return [...content.targets]
      .map(([path, target]) => ({ role, target: asTarget(path, target) }))
      .filter(({ target }) => {
        const last = before?.get(target.path);
        return last === undefined || !isSameFile(asTarget(target.path, last), target);
      });
  });

const asTarget = (path: string, { length, hashes }: TargetContent): Target => ({
  path,
  length,
  hashes: new Map(Object.entries(hashes)),
  custom: undefined,
});

/**
 * Searches for every image on every hardware as vehicles do, by path, hardware, priority and terminating delegations.
 * Where several roles must agree, the others may deliver later.
 */
async function searchFaults(published: Published, delivery: Delivery): Promise<string[]> {
  const files = new Map<string, Targets>();
  for (const [role, { bytes }] of published.targets) files.set(role, targetsIn(role, bytes));
  for (const [role, { written }] of delivery) {
    files.set(role, targetsIn(role, Buffer.from(JSON.stringify(written))));
  }
  const targets = fileOf(files, 'targets');
  const delegations = [...files.values()].flatMap((file) => file.delegations);
  const faults: string[] = [];
  for (const [role, { content }] of delivery) {
    const shared = delegations.some(
      ({ minRolesInAgreement, roles }) =>
        minRolesInAgreement !== undefined && roles.some(({ name }) => name === role),
    );
    for (const [path, target] of content.targets) {
      for (const hardwareId of hardwareIdsOf(target)) {
        const image = { path, hardwareId };
        const found = await findImage({
          image,
          targets,
          load: ({ name }) => Promise.resolve(fileOf(files, name)),
          mostRoles: LIMITS.rolesPerImage,
          searchBelowTerminating: IMAGE_REPOSITORY.searchBelowTerminating,
        });
        const own = fileOf(files, role).targets.get(path);
        if (
          found &&
          own &&
          isSameFile(found.target, own) &&
          matchText(found.target) === matchText(own)
        )
          continue;
        const where = `${role}, ${path} for ${hardwareId}`;
        if (!isDelegated(delegations, role, image))
          faults.push(`${where}: it is not delegated to this role`);
        else if (found)
          faults.push(`${where}: vehicles find another image there, of the role ${found.role}`);
        else if (!shared)
          faults.push(`${where}: a terminating delegation before it ends the search`);
      }
    }
  }
  return faults;
}

const isDelegated = (
  delegations: readonly Delegation[],
  role: string,
  image: { readonly path: string; readonly hardwareId: string },
): boolean =>
  delegations.some(
    (delegation) =>
      delegation.roles.some(({ name }) => name === role) && appliesTo(delegation, image),
  );

const targetsIn = (role: string, bytes: Uint8Array): Targets =>
  readTargets(bytes, { repository: 'delivery', role }, IMAGE_REPOSITORY);

function fileOf(files: ReadonlyMap<string, Targets>, role: string): Targets {
  const file = files.get(role);
  if (file) return file;
  throw new RepositoryFault(`${role} is delegated to, but has no file`);
}
