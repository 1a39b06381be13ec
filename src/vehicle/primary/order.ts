/** The order in verified metadata: a script for the OTA manager, and the images it installs. Pure. */
import { STANDARD } from '../../uptane/checks/sections.js';
import { type Assignment } from '../../uptane/director/check-director-targets.js';
import { type InstalledImage } from '../../uptane/director/installed-image.js';
import { Refusal, type RefusalReason } from '../../uptane/refusal.js';
import { type UpdateScript } from '../../update-script/index.js';
import { type VerifiedImage } from '../update/equipment.js';

export interface Order {
  readonly script: Assignment;
  readonly scriptRefId: string;
  /** Images of the other ECUs. */
  readonly images: readonly Assignment[];
}

const SCRIPT_PATH = /^scripts\/(.+)\.json$/s;

const SUBJECT = { repository: 'director', role: 'targets' };
const CHECK = 'Contract, section 8';

const refuse = (reason: Omit<RefusalReason, 'check'> & { check?: string }): never => {
  throw new Refusal(SUBJECT, { check: CHECK, ...reason });
};

/**
 * @param primary serial number of the OTA manager's ECU
 * @returns `undefined` if nothing is ordered
 * @throws Refusal if images are ordered without a script, which defines the consent and the installation order
 */
export function orderIn(assignments: readonly Assignment[], primary: string): Order | undefined {
  if (assignments.length === 0) return undefined;
  const script = assignments.find(({ ecuId }) => ecuId === primary);
  if (script === undefined) {
    return refuse({
      code: 'mismatch',
      fault: 'orders images without an update script',
      found: assignments.map(({ target }) => target.path).join(', '),
      attack: 'mix-and-match',
    });
  }
  const scriptRefId = SCRIPT_PATH.exec(script.target.path)?.[1];
  if (scriptRefId === undefined) {
    return refuse({
      code: 'mismatch',
      fault: 'orders a file for the OTA manager that is not an update script',
      expected: 'scripts/<script-ref-id>.json',
      found: script.target.path,
      attack: 'arbitrary-software',
    });
  }
  return { script, scriptRefId, images: assignments.filter((other) => other !== script) };
}

/** Serial numbers of the ECUs by the name used in scripts, without the OTA manager. */
export type SerialOf = ReadonlyMap<string, string>;

/**
 * Checks that the script installs exactly the ordered images: the same artifact for each ECU, by SHA-256. Images that an
 * ECU already has need not be ordered again.
 *
 * @param installed by serial number
 * @returns the images that the script installs, as described by metadata
 * @throws Refusal
 */
export function compareWithScript(
  { images }: Order,
  { ecus }: UpdateScript,
  serialOf: SerialOf,
  installed: ReadonlyMap<string, InstalledImage>,
): readonly VerifiedImage[] {
  const left = new Map(images.map((assignment) => [assignment.ecuId, assignment]));
  const verified: VerifiedImage[] = [];
  for (const { ecu, artifact } of ecus) {
    const serial = serialOf.get(ecu);
    // Whether the script suits this vehicle is decided later, and is not a matter of trust.
    if (serial === undefined) continue;
    const ordered = left.get(serial)?.target;
    const has = installed.get(serial);
    if (ordered === undefined && has?.hashes.get('sha256') === artifact.sha256) continue;
    if (ordered === undefined) {
      return refuse({
        code: 'mismatch',
        fault: `orders only a part of the script: nothing for ${ecu}`,
        expected: `sha256 ${artifact.sha256}`,
        attack: 'mix-and-match',
      });
    }
    if (ordered.hashes.get('sha256') !== artifact.sha256 || ordered.length !== artifact.size) {
      return refuse({
        code: 'mismatch',
        fault: `orders another image for ${ecu} than the script installs`,
        check: STANDARD.sameNonCustom,
        expected: `${artifact.size} bytes, sha256 ${artifact.sha256}`,
        found: `${ordered.length} bytes, sha256 ${ordered.hashes.get('sha256') ?? 'not listed'}`,
        attack: 'mix-and-match',
      });
    }
    left.delete(serial);
    const { path, length, hashes } = ordered;
    verified.push({ path, length, hashes: Object.fromEntries(hashes) });
  }
  const [extra] = left.values();
  if (extra) {
    return refuse({
      code: 'mismatch',
      fault: 'orders an image that the script does not install',
      found: `${extra.target.path} for ${extra.ecuId}`,
      attack: 'mix-and-match',
    });
  }
  return verified;
}
