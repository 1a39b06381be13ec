/**
 * Uptane, "Full verification" of the metadata of both repositories, by a Primary or a capable Secondary. Installs nothing;
 * returns the images that may be installed.
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
  /** Installed images by ECU identifier; ECUs with unknown images are omitted. */
  readonly installed: ReadonlyMap<string, InstalledImage>;
  /**
   * Whether an order contains nothing new; default: `isInstalled`. Overridden by a Primary that executes an order more than
   * once (an update script, which is not firmware); its release counter is compared in any case.
   */
  readonly isDone?: (assignment: Assignment, installed: InstalledImage | undefined) => boolean;
}

/** For messages. */
const REPOSITORIES = { director: 'director', image: 'image' };

/**
 * One rejected image rejects the entire cycle.
 *
 * @returns the verified order of the Director, if at least one image is new to its ECU
 * @throws Refusal
 */
export async function verifyFully(verification: FullVerification): Promise<readonly Assignment[]> {
  const { director, image, installed } = verification;
  // Step 1, the time, is the repositories' `now`. Steps 2 to 6.
  const assignments = await directorAssignments(verification);
  if (!hasNews(assignments, verification)) {
    director.keepTargets();
    return [];
  }
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
  director.keepTargets();
  return assignments;
}

async function directorAssignments(verification: FullVerification): Promise<readonly Assignment[]> {
  const { director, assignmentsOf } = verification;
  await director.updateRoot();
  await director.updateTimestamp();
  // Step 4: with the same snapshot there are no new updates. But an earlier order may not be installed yet,
  // because the power was cut or the image repository was unavailable.
  if (director.isUnchanged()) {
    const targets = director.storedTargets();
    if (targets && !hasNews(assignmentsOf(targets), verification)) return [];
  }
  await director.updateSnapshot();
  let assignments: readonly Assignment[] = [];
  await director.tryTargets((targets) => {
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
