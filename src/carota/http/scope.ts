/** Looks up the objects named in the CarOTA Server's paths, for callers limited to vehicle models (contract section 9). */
import { modelInScope, scopesParameter, vehicleInScope } from '../../service/access/index.js';
import { type Queryable } from '../../service/database/index.js';
import { type ScopeLookUps } from '../../service/http/index.js';
import { unknownSchedule, unknownScript, unknownVehicle, vehicleNotInSchedule } from './unknown.js';

const SCHEDULE = `select from schedules s where s.ref_id = $1 and ${modelInScope('s.model', '$2')}`;
const SCRIPT = `select from update_scripts u where u.script_ref_id = $1 and ${modelInScope('u.model', '$2')}`;
const VEHICLE = `select where ${vehicleInScope('$1', '$2')}`;

export function carotaScopes(database: Queryable): ScopeLookUps {
  const isThere = async (statement: string, name: string, scopes: readonly string[]) =>
    (await database.query(statement, [name, scopesParameter(scopes)])).length > 0;

  return {
    schedule: async ({ 'ref-id': refId = '' }, scopes) =>
      (await isThere(SCHEDULE, refId, scopes)) ? undefined : unknownSchedule(refId),

    'schedule-vehicle': async ({ 'ref-id': refId = '', vin = '' }, scopes) => {
      if (!(await isThere(SCHEDULE, refId, scopes))) return unknownSchedule(refId);
      const isOwn = await isThere(VEHICLE, vin.toUpperCase(), scopes);
      return isOwn ? undefined : vehicleNotInSchedule(vin.toUpperCase());
    },

    'update-script': async ({ 'script-ref-id': scriptRefId = '' }, scopes) =>
      (await isThere(SCRIPT, scriptRefId, scopes)) ? undefined : unknownScript(scriptRefId),

    vehicle: async ({ vin = '' }, scopes) =>
      (await isThere(VEHICLE, vin.toUpperCase(), scopes))
        ? undefined
        : unknownVehicle(vin.toUpperCase()),
  };
}
