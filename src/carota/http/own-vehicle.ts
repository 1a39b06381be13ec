/** A vehicle's token is valid for that vehicle only, not for orders, requests or reports of others. */
import { type FastifyRequest } from 'fastify';
import { VEHICLE_ROLE } from '../../service/access/index.js';
import { type Queryable } from '../../service/database/index.js';
import { callerOf, Problem } from '../../service/http/index.js';
import { isGivenScript } from '../director/index.js';
import { findScript } from '../scripts/index.js';

/**
 * A vehicle can request only scripts that a schedule currently gives it. It does not learn whether others exist.
 *
 * @throws Problem 403
 */
export async function refuseOtherScripts(
  request: FastifyRequest,
  database: Queryable,
  scriptRefId: string,
): Promise<void> {
  const { role, vin } = callerOf(request);
  if (role !== VEHICLE_ROLE) return;
  const stored = await findScript(database, scriptRefId);
  if (stored && vin && (await isGivenScript(database, vin, stored.script))) return;
  const message = `no running schedule gives vehicle ${vin} the update script '${scriptRefId}'`;
  throw new Problem('FORBIDDEN', message);
}

/** @throws Problem 403 */
export function refuseOthers(request: FastifyRequest, vin: string): void {
  const token = callerOf(request);
  if (token.role !== VEHICLE_ROLE || token.vin === vin.toUpperCase()) return;
  throw new Problem('FORBIDDEN', `this token is not that of vehicle ${vin}`);
}
