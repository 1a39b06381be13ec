/** A vehicle's token is for that vehicle, not for what another one is ordered, asks or reports. */
import { type FastifyRequest } from 'fastify';
import { VEHICLE_ROLE } from '../../service/access/index.js';
import { callerOf, Problem } from '../../service/http/index.js';

/** @throws Problem 403 */
export function refuseOthers(request: FastifyRequest, vin: string): void {
  const token = callerOf(request);
  if (token.role !== VEHICLE_ROLE || token.vin === vin.toUpperCase()) return;
  throw new Problem('FORBIDDEN', `this token is not that of vehicle ${vin}`);
}
