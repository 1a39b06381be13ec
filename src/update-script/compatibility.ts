/** Whether the images of a script fit the vehicle's other software: dependencies and conflicts. Pure. */
import {
  type EcuUpdate,
  type OtherSoftware,
  type UpdateScript,
} from '../contract/update-script/index.js';
import { matchesVersion } from './versions.js';

/** An ECU of a vehicle; its version is undefined if unknown. */
export interface FittedEcu {
  readonly version: string | undefined;
}

/**
 * Judges the vehicle as it would be after the script: the script's own versions count for the ECUs that it updates.
 *
 * @param fitted undefined: the vehicle has no such ECU
 * @returns why an image must not be installed in this vehicle
 */
export function incompatibility(
  { ecus }: UpdateScript,
  fitted: (ecu: string) => FittedEcu | undefined,
): string | undefined {
  const updated = new Map(ecus.map((update) => [update.ecu, update]));
  const after = (ecu: string) => updated.get(ecu) ?? fitted(ecu);
  for (const update of ecus) {
    for (const need of update.requires ?? []) {
      const fault = unmetNeed(need, after(need.ecu));
      if (fault !== undefined) return `${nameOf(update)} requires ${softwareOf(need)}: ${fault}`;
    }
    for (const other of update.conflicts ?? []) {
      const fault = conflictWith(other, after(other.ecu));
      if (fault !== undefined) {
        return `${nameOf(update)} conflicts with ${softwareOf(other)}: ${fault}`;
      }
    }
  }
  return undefined;
}

function unmetNeed(need: OtherSoftware, ecu: FittedEcu | undefined): string | undefined {
  if (!ecu) return 'the vehicle has no such ECU';
  return ecu.version !== undefined && matches(need, ecu.version) ? undefined : stateOf(ecu);
}

/** An unknown version may be one of them. */
function conflictWith(other: OtherSoftware, ecu: FittedEcu | undefined): string | undefined {
  if (!ecu) return undefined;
  return ecu.version === undefined || matches(other, ecu.version) ? stateOf(ecu) : undefined;
}

const matches = ({ versions }: OtherSoftware, version: string) =>
  versions.some((pattern) => matchesVersion(pattern, version));

const stateOf = ({ version }: FittedEcu) =>
  version === undefined ? 'its version is unknown' : `it would have ${version}`;

const nameOf = ({ ecu, version }: EcuUpdate) => `${ecu} ${version}`;

const softwareOf = ({ ecu, versions }: OtherSoftware) => `${ecu} ${versions.join(', ')}`;
