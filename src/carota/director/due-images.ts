/**
 * The update that is due for a vehicle: the script of one schedule with all its images, or nothing (Uptane, "Directing
 * installation of images on vehicles", step 5). Pure except for looking up the script.
 */
import { type EcuUpdate, incompatibility, matchesVersion } from '../../update-script/index.js';
import { type DirectedTarget } from '../../uptane/director-repository/files.js';
import { type CataloguedImage, type Images } from '../images/index.js';
import { type StoredScript } from '../scripts/index.js';
import { type InventoryEcu, type OpenSchedule, type VehicleStanding } from './standing.js';

export interface DueImages {
  readonly schedule: OpenSchedule;
  /** Empty if the update is blocked. */
  readonly targets: readonly DirectedTarget[];
  /** Why nothing can be listed although a schedule is running. */
  readonly blocked: string | undefined;
  /** Schedules whose turn comes later. */
  readonly later: readonly OpenSchedule[];
}

/** The target path of a script. */
const scriptPath = (scriptRefId: string): string => `scripts/${scriptRefId}.json`;

/**
 * One schedule at a time, because two scripts at once would mean two images for the Primary. A schedule that the vehicle has
 * started continues; otherwise the one that was posted first comes next.
 */
function inTurn(schedules: readonly OpenSchedule[]): readonly OpenSchedule[] {
  const postedAt = (schedule: OpenSchedule) => schedule.postedAt ?? Infinity;
  return [...schedules].sort(
    (a, b) =>
      Number(b.hasStarted) - Number(a.hasStarted) ||
      (postedAt(a) === postedAt(b) ? a.id - b.id : postedAt(a) - postedAt(b)),
  );
}

/** @returns undefined if nothing is due */
export async function dueImages(
  vehicle: VehicleStanding,
  scriptOf: (scriptRefId: string) => Promise<StoredScript | undefined>,
  images: Images,
): Promise<DueImages | undefined> {
  const [schedule, ...later] = inTurn(vehicle.schedules);
  if (!schedule) return undefined;
  const stored = await scriptOf(schedule.scriptRefId);
  const resolved = !stored
    ? `there is no update script ${schedule.scriptRefId}`
    : schedule.approvedScript !== null && schedule.approvedScript !== stored.sha256
      ? `update script ${schedule.scriptRefId} is not the one that was approved`
      : resolve(vehicle, stored, images);
  return typeof resolved === 'string'
    ? { schedule, targets: [], blocked: resolved, later }
    : { schedule, targets: resolved, blocked: undefined, later };
}

/** All images, or why one is unavailable: a part of a script is of no use to a vehicle. */
function resolve(
  vehicle: VehicleStanding,
  { script, sha256 }: StoredScript,
  images: Images,
): readonly DirectedTarget[] | string {
  const byName = new Map([...vehicle.ecus.values()].map((ecu) => [ecu.name, ecu]));
  const primary = [...vehicle.ecus.values()].find(({ isPrimary }) => isPrimary);
  if (!primary) return 'the ECUs of the vehicle are not registered';
  const path = scriptPath(script['script-ref-id']);
  const image = images.findByPath(path);
  if (!image) return `the image repository has no ${path}`;
  // The approval covers the script stored here, not another file of the same name.
  if (image.hashes.sha256 !== sha256) {
    return `${path} in the image repository is not the script that was published: its SHA-256 is ${image.hashes.sha256}, not ${sha256}`;
  }
  const unfit = rejectionReason(image, primary, vehicle);
  if (unfit !== undefined) return unfit;
  const targets = new Map<string, { image: CataloguedImage; ecus: Map<string, string> }>();
  const add = (image: CataloguedImage, { ecuId, hardwareId }: InventoryEcu) => {
    const target = targets.get(image.path) ?? { image, ecus: new Map<string, string>() };
    targets.set(image.path, { ...target, ecus: target.ecus.set(ecuId, hardwareId) });
  };
  add(image, primary);
  for (const update of script.ecus) {
    const ecu = byName.get(update.ecu);
    if (!ecu) return `the vehicle has no ECU ${update.ecu}`;
    // Otherwise it would be listed twice.
    if (ecu === primary) return `${update.ecu} is the Primary, which gets the script`;
    // The vehicle considers only ECUs that get images from scripts: it would report that there is no such ECU.
    const others = [...(update.requires ?? []), ...(update.conflicts ?? [])];
    if (others.some((other) => byName.get(other.ecu) === primary)) {
      return `${update.ecu} ${update.version} names ${primary.name} in its requires or conflicts, which is the Primary`;
    }
    const installed = versionOf(vehicle, update.ecu);
    if (!mayStart(update, installed)) {
      return `${update.ecu} has version ${installed}, from which ${update.version} cannot be installed`;
    }
    const found = imageFor(update, ecu, vehicle, images);
    if (typeof found === 'string') return found;
    add(found, ecu);
  }
  const fitted = (name: string) =>
    byName.has(name) ? { version: versionOf(vehicle, name) } : undefined;
  return incompatibility(script, fitted) ?? [...targets.values()];
}

/** ECU names may coincide with properties of every object, such as `constructor`. @returns undefined: unknown */
const versionOf = ({ versions }: VehicleStanding, ecu: string): string | undefined =>
  Object.hasOwn(versions, ecu) ? versions[ecu] : undefined;

/** If the version is unknown, the decision is left to the vehicle, which checks again. */
const mayStart = ({ from, version }: EcuUpdate, installed: string | undefined): boolean =>
  from === undefined ||
  installed === undefined ||
  installed === version ||
  from.some((pattern) => matchesVersion(pattern, installed));

function imageFor(
  { ecu: name, artifact }: EcuUpdate,
  ecu: InventoryEcu,
  vehicle: VehicleStanding,
  images: Images,
): CataloguedImage | string {
  const candidates = images.findBySha256(artifact.sha256);
  if (candidates.length === 0)
    return `the image repository has no artifact ${artifact.sha256} of ${name}`;
  const reasons: string[] = [];
  for (const image of candidates) {
    const reason =
      image.length === artifact.size
        ? rejectionReason(image, ecu, vehicle)
        : `${image.path} has ${image.length} bytes, but ${artifact.size} in the script`;
    if (reason === undefined) return image;
    reasons.push(reason);
  }
  return reasons.join('; ');
}

/** Images that vehicles would reject: for other hardware, or with a release counter below that of the ECU's current image. */
function rejectionReason(
  { path, match: { hardwareIds, releaseCounter } }: CataloguedImage,
  { ecuId, name, hardwareId }: InventoryEcu,
  { reports }: VehicleStanding,
): string | undefined {
  if (!hardwareIds.includes(hardwareId)) {
    return `${path} is not for the hardware ${hardwareId} of ${name}`;
  }
  const installed = reports.get(ecuId)?.installed;
  if (installed && releaseCounter < installed.releaseCounter) {
    return `${path} has the release counter ${releaseCounter}, and ${name} already has ${installed.releaseCounter}`;
  }
  return undefined;
}
