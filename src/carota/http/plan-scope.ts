/** Plans of callers limited to vehicle models: which objects they may name and see. */
import { type SchedulePlan } from '../../contract/carota-api/index.js';
import { isInScope, type Scopes } from '../../contract/index.js';
import { modelInScope, scopesParameter, vehicleInScope } from '../../service/access/index.js';
import { type Queryable, textArray } from '../../service/database/index.js';
import { outOfScope } from '../../service/http/index.js';

const FOREIGN_VEHICLE = /* sql */ `
select from unnest($1::text[]) as i (vin) where not ${vehicleInScope('i.vin', '$2')} limit 1`;

const FOREIGN_SCRIPT = /* sql */ `
select where not exists (
  select from update_scripts u where u.script_ref_id = $1 and ${modelInScope('u.model', '$2')}
) or exists (
  select from schedules s where s.ref_id = $3 and not ${modelInScope('s.model', '$2')}
)`;

/**
 * The same refusal for objects of other models and for missing ones, so that it does not reveal their existence.
 *
 * @throws Problem 403
 */
export async function holdPlan(
  database: Queryable,
  plan: SchedulePlan,
  scopes: Scopes,
): Promise<void> {
  if (scopes === null) return;
  const { 'ref-id': refId, 'script-ref-id': script, model, vins = [], waves = [] } = plan;
  const named = [...vins, ...waves.flatMap((wave) => wave.vins ?? [])];
  const others = await database.query(FOREIGN_SCRIPT, [script, scopesParameter(scopes), refId]);
  const isOwn = isInScope(scopes, model) && others.length === 0;
  if (!isOwn || (await hasForeign(database, named, scopes))) {
    throw outOfScope(
      'the plan names another model, an update script or a schedule that is not theirs, or a vehicle that is not stored with one of these models',
    );
  }
}

/** @throws Problem 403 */
export async function holdVehicles(
  database: Queryable,
  vins: readonly string[],
  scopes: Scopes,
): Promise<void> {
  if (scopes === null || !(await hasForeign(database, vins, scopes))) return;
  throw outOfScope('a vehicle is not stored with one of these models');
}

const hasForeign = async (database: Queryable, vins: readonly string[], scopes: Scopes) =>
  (
    await database.query(FOREIGN_VEHICLE, [
      textArray(vins.map((vin) => vin.toUpperCase())),
      scopesParameter(scopes),
    ])
  ).length > 0;

/** Waves of other planners may name vehicles of other models: a limited caller sees only their number, no names. */
export function planFor(plan: SchedulePlan, scopes: Scopes): SchedulePlan {
  if (scopes === null || !plan.waves) return plan;
  return {
    ...plan,
    waves: plan.waves.map((wave) => (wave.vins ? { vehicles: wave.vins.length } : wave)),
  };
}
