/** Answers to a request that names something unknown. */
import { Problem } from '../../service/http/index.js';

export const unknownOperation = (refId: string): Problem =>
  new Problem('OPERATION_NOT_FOUND', `there is no operation '${refId}'`);

export const vehicleNotInOperation = (refId: string, vin: string): Problem =>
  new Problem('VEHICLE_NOT_IN_OPERATION', `operation '${refId}' has no vehicle ${vin}`);

export const unregisteredVehicle = (vin: string): Problem =>
  new Problem('DEVICE_NOT_FOUND', `the registry does not have vehicle ${vin}`);
