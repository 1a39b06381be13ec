/** Looks up the objects named in the adapter's paths, for callers limited to vehicle models (contract section 9). */
import { modelInScope, scopesParameter, vehicleInScope } from '../../service/access/index.js';
import { type Queryable } from '../../service/database/index.js';
import { type ScopeLookUps } from '../../service/http/index.js';
import { unknownOperation, unregisteredVehicle, vehicleNotInOperation } from './unknown.js';

const OPERATION = `select from operations o where o.ref_id = $1 and ${modelInScope('o.model', '$2')}`;
const VEHICLE = `select where ${vehicleInScope('$1', '$2')}`;

export function adapterScopes(database: Queryable): ScopeLookUps {
  const isThere = async (statement: string, name: string, scopes: readonly string[]) =>
    (await database.query(statement, [name, scopesParameter(scopes)])).length > 0;

  return {
    operation: async ({ 'ref-id': refId = '' }, scopes) =>
      (await isThere(OPERATION, refId, scopes)) ? undefined : unknownOperation(refId),

    'operation-vehicle': async ({ 'ref-id': refId = '', vin = '' }, scopes) => {
      if (!(await isThere(OPERATION, refId, scopes))) return unknownOperation(refId);
      const isOwn = await isThere(VEHICLE, vin.toUpperCase(), scopes);
      return isOwn ? undefined : vehicleNotInOperation(refId, vin);
    },

    vehicle: async ({ vin = '' }, scopes) =>
      (await isThere(VEHICLE, vin.toUpperCase(), scopes))
        ? undefined
        : unregisteredVehicle(vin.toUpperCase()),
  };
}
