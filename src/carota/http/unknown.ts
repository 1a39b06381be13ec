/** Answers to a request that names something unknown. */
import { Problem } from '../../service/http/index.js';

export const unknownSchedule = (refId: string): Problem =>
  new Problem('SCHEDULE_NOT_FOUND', `there is no schedule '${refId}'`);

export const vehicleNotInSchedule = (vin: string): Problem =>
  new Problem('VEHICLE_NOT_FOUND', `${vin} is not in this schedule`);

export const unknownScript = (scriptRefId: string): Problem =>
  new Problem('SCRIPT_NOT_FOUND', `there is no update script '${scriptRefId}'`);

export const unknownVehicle = (vin: string): Problem =>
  new Problem('VEHICLE_NOT_FOUND', `there is no vehicle ${vin}`);
