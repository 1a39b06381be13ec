/**
 * Uptane, "Full verification": what a Primary, and a Secondary that can, does with the metadata of both repositories.
 * Nothing is installed here; the result is what may be installed.
 */
import { type Assignment } from './director/check-director-targets.js';
import { checkImage } from './director/compare.js';
import { type InstalledImage, isInstalled } from './director/installed-image.js';
import { type Targets } from './metadata/targets.js';
import { type RepositoryClient } from './repository-client.js';

export interface FullVerification {
  readonly director: RepositoryClient;
  readonly image: RepositoryClient;
  /** For a Primary `checkDirectorTargets` for its vehicle, for a Secondary `checkDirectorTargetsForEcu` for itself. */
  readonly assignmentsOf: (targets: Targets) => readonly Assignment[];
  /** What each ECU has, by ECU identifier; an ECU of which nothing is known is left out. */
  readonly installed: ReadonlyMap<string, InstalledImage>;
  /**
   * Whether an order asks for nothing new, by default `isInstalled`. A Primary that carries an order out more than once
   * (an update script, which is no firmware) says so here; its release counter is compared all the same.
   */
  readonly isDone?: (assignment: Assignment, installed: InstalledImage | undefined) => boolean;
}

/** For messages. */
const REPOSITORIES = { director: 'director', image: 'image' };

/**
 * One refused image refuses the cycle.
 *
 * @returns all that the Director orders, verified, with at least one image that is new to its ECU; or nothing
 * @throws Refusal
 */
export async function verifyFully(verification: FullVerification): Promise<readonly Assignment[]> {
  const { image, installed } = verification;
  // Step 1, the time, is the repositories' `now`. Steps 2 to 6.
  const assignments = await directorAssignments(verification);
  if (!hasNews(assignments, verification)) return [];
  // Steps 7 to 9.
  await image.updateRoot();
  await image.updateTimestamp();
  await image.updateSnapshot();
  await image.updateTargets();
  // Step 10. One image may be for ECUs of several hardware ids, to which different delegations may apply.
  for (const assignment of assignments) {
    const { target, hardwareId, ecuId } = assignment;
    const found = await image.findImage({ path: target.path, hardwareId });
    checkImage(assignment, found, installed.get(ecuId), REPOSITORIES);
  }
  return assignments;
}

async function directorAssignments(verification: FullVerification): Promise<readonly Assignment[]> {
  const { director, assignmentsOf } = verification;
  await director.updateRoot();
  await director.updateTimestamp();
  // Step 4: with the same snapshot there are no new updates. What was ordered before may not be installed
  // yet, though: the power was cut, or the image repository was unavailable.
  if (director.isUnchanged()) {
    const targets = director.storedTargets();
    if (targets && !hasNews(assignmentsOf(targets), verification)) return [];
  }
  await director.updateSnapshot();
  let assignments: readonly Assignment[] = [];
  await director.updateTargets((targets) => {
    assignments = assignmentsOf(targets);
  });
  return assignments;
}

/** Step 6. */
const hasNews = (
  assignments: readonly Assignment[],
  { installed, isDone = isInstalled }: FullVerification,
): boolean =>
  assignments.some((assignment) => !isDone(assignment, installed.get(assignment.ecuId)));
