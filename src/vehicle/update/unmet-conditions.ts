/** Which of a script's preconditions the vehicle does not meet. Pure. */
import { type Preconditions } from '../../update-script/index.js';
import { type VehicleStatus } from './equipment.js';

/** @returns the reasons in words; undefined if all are met. An unknown value meets none. */
export function unmetCondition(
  { battery, gear, ignition }: Preconditions,
  status: VehicleStatus,
): string | undefined {
  if (battery !== undefined && !(status.battery !== undefined && status.battery >= battery)) {
    return `the battery is at ${orUnknown(status.battery)} %, ${battery} % are needed`;
  }
  if (gear !== undefined && status.gear !== gear) {
    return `the gear is in ${orUnknown(status.gear)}, ${gear} is needed`;
  }
  if (ignition !== undefined && status.ignition !== ignition) {
    return `the ignition is ${orUnknown(status.ignition)}, it must be ${ignition}`;
  }
  return undefined;
}

const orUnknown = (value: string | number | undefined) => value ?? 'unknown';
