/**
 * Uptane, "How to resolve delegations" and "Multi-role delegations": finds an image's entry in the image repository.
 * Pre-order, depth first, in listed order. The caller loads and verifies the roles' files.
 */
import { type DelegatedRole, type Delegation } from '../metadata/delegation.js';
import { isSameFile, matchText, type Target } from '../metadata/target.js';
import { type Targets } from '../metadata/targets.js';
import { appliesTo, type WantedImage } from './applies.js';

export interface FoundImage {
  readonly target: Target;
  /** The role that lists it. */
  readonly role: string;
}

export interface Search {
  readonly image: WantedImage;
  /** The top-level targets, verified. */
  readonly targets: Targets;
  /** A role's current file, verified against the delegation. @throws an error that ends the search */
  readonly load: (role: DelegatedRole) => Promise<Targets>;
  /** Maximum number of distinct roles, including the top-level one. */
  readonly mostRoles: number;
  /** See `Rules`. */
  readonly searchBelowTerminating: boolean;
}

const TOP_LEVEL = 'targets';

/**
 * Multi-role delegations may lead to the same role several times. This bounds the number of visits, which nested
 * delegations would otherwise multiply without limit.
 */
const MOST_VISITS_PER_ROLE = 32;

/** Result for one role and the roles below it. `ended`: the search must stop. */
type Result = FoundImage | 'not-found' | 'ended';

/** @returns `undefined` if no role lists the image, or the search had to stop before */
export async function findImage(search: Search): Promise<FoundImage | undefined> {
  const { targets } = search;
  const run = new Run(search);
  const result = await run.searchFile(TOP_LEVEL, targets, new Set([TOP_LEVEL]), false);
  return typeof result === 'string' ? undefined : result;
}

class Run {
  readonly #search: Search;
  readonly #roles = new Set([TOP_LEVEL]);
  #visits = 1;

  constructor(search: Search) {
    this.#search = search;
  }

  /** @param visited roles visited by this search; updated */
  async searchFile(
    role: string,
    file: Targets,
    visited: Set<string>,
    isTerminating: boolean,
  ): Promise<Result> {
    const { image, searchBelowTerminating } = this.#search;
    const target = file.targets.get(image.path);
    // Step 2.
    if (target) return { target, role };
    // Step 3.
    if (isTerminating && !searchBelowTerminating) return 'ended';
    // Step 4.
    for (const delegation of file.delegations) {
      if (!appliesTo(delegation, image)) continue;
      const result = await this.#follow(delegation, visited);
      if (result !== 'not-found') return result;
    }
    return isTerminating ? 'ended' : 'not-found';
  }

  async #follow(delegation: Delegation, visited: Set<string>): Promise<Result> {
    const { minRolesInAgreement, roles, isTerminating } = delegation;
    const [role] = roles;
    if (minRolesInAgreement === undefined) {
      return role ? this.#visit(role, visited, isTerminating) : 'not-found';
    }
    const agreed = await this.#agreement(roles, minRolesInAgreement, visited);
    return agreed ?? (isTerminating ? 'ended' : 'not-found');
  }

  async #visit(role: DelegatedRole, visited: Set<string>, isTerminating: boolean): Promise<Result> {
    // A role visited before is known not to list the image.
    if (visited.has(role.name)) return isTerminating ? 'ended' : 'not-found';
    if (!this.#mayVisit(role.name)) return 'ended';
    visited.add(role.name);
    const file = await this.#search.load(role);
    return this.searchFile(role.name, file, visited, isTerminating);
  }

  #mayVisit(name: string): boolean {
    const { mostRoles } = this.#search;
    this.#roles.add(name);
    this.#visits += 1;
    return this.#roles.size <= mostRoles && this.#visits <= mostRoles * MOST_VISITS_PER_ROLE;
  }

  /**
   * Each role is searched separately, with its own delegations: two of them may rely on the same supplier, and a
   * terminating delegation below one does not end the search of the others.
   */
  async #agreement(
    roles: readonly DelegatedRole[],
    minRolesInAgreement: number,
    visited: ReadonlySet<string>,
  ): Promise<FoundImage | undefined> {
    const found: FoundImage[] = [];
    for (const role of roles) {
      const result = await this.#visit(role, new Set(visited), false);
      if (typeof result !== 'string') found.push(result);
    }
    // Steps 2.1 to 2.4; of several groups, the one with the earliest role counts.
    return found.find(
      ({ target }) =>
        found.filter((other) => agree(target, other.target)).length >= minRolesInAgreement,
    );
  }
}

const agree = (a: Target, b: Target): boolean => isSameFile(a, b) && matchText(a) === matchText(b);
