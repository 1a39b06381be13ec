/** A new attempt for one vehicle, or for all vehicles in a state (contract section 5.2). */
import { newUuid, type Scopes, TO_BE_SENT } from '../../contract/index.js';
import { scopesParameter, vehicleInScope } from '../../service/access/index.js';
import { recordAction } from '../audit/index.js';
import {
  type Database,
  nameList,
  only,
  type Queryable,
  textArray,
} from '../../service/database/index.js';
import { moveCounters } from '../operation-counters.js';
import { type ControlOptions, lockOperation, OperationIsCancelled } from './control.js';

/**
 * A new attempt has a new trigger and starts from the beginning. An attempt not sent yet is not replaced: two requests
 * create one new attempt.
 */
const RETRIGGER = /* sql */ `
with operation as materialized (
  -- A concurrent cancel waits until these attempts exist; after a cancel they are not created.
  select id from operations where id = $1 and status <> 'cancelled' for share
),
locked as materialized (
  select d.operation_id, d.vin, d.attempt, d.state, d.paused, d.trigger_id,
    i.trigger_id as new_trigger_id
  from operation o
  cross join unnest($2::text[], $3::uuid[]) as i (vin, trigger_id)
  join deliveries d on d.operation_id = o.id and d.vin = i.vin
  where d.delivery not in (${nameList(TO_BE_SENT)})
    and ($7::text is null or d.state = $7 or counter_of(d.state) = $7)
  order by d.operation_id, d.vin
  for update of d
),
updated as (
  update deliveries d set
    attempt = d.attempt + 1,
    earlier_trigger_ids = d.earlier_trigger_ids || l.trigger_id,
    trigger_id = l.new_trigger_id, triggered_at = $4::timestamptz, due_at = $4::timestamptz,
    claim = null, delivery = 'pending', state = 'pending', paused = false, sends = 0, prompted = 0,
    last_sent_at = null, acknowledged_at = null,
    interruption = null, reported = null, reached = 0, reason = null,
    updated_at = $4::timestamptz
  from locked l where d.operation_id = l.operation_id and d.vin = l.vin
),
logged as (
  insert into delivery_log (at, operation_id, vin, attempt, what, audit_id)
  select $4::timestamptz, operation_id, vin, attempt + 1, 'retriggered', $6::bigint from locked
),
counted as (${moveCounters(
  `select operation_id, state, paused, -1 as n from locked
  union all
  select operation_id, 'pending', false, 1 from locked`,
  '$5',
)}
)
select (select count(*) from operation) as open, (select count(*) from locked) as retriggered`;

async function retriggerVins(
  tx: Queryable,
  operationId: number,
  vins: readonly string[],
  { shard, now }: ControlOptions,
  { auditId, state }: { auditId: number; state: string | null },
): Promise<number> {
  await lockOperation(tx, operationId, 'share');
  const { open, retriggered } = only(
    await tx.query<{ open: number; retriggered: number }>(RETRIGGER, [
      operationId,
      textArray(vins),
      textArray(vins.map(() => newUuid(now))),
      new Date(now),
      shard,
      auditId,
      state,
    ]),
  );
  if (open === 0) throw new OperationIsCancelled();
  return retriggered;
}

/**
 * Retriggers one vehicle in any state.
 *
 * @returns whether a new attempt was created; false if the newest one was not sent yet
 * @throws OperationIsCancelled, OperationIsArchived
 */
export function retriggerVehicle(
  database: Database,
  operationId: number,
  vin: string,
  options: ControlOptions,
): Promise<boolean> {
  return database.transaction(async (tx) => {
    const { by, now } = options;
    const auditId = await recordAction(tx, by, now, 'retrigger', { operationId, vin });
    const about = { auditId, state: null };
    return (await retriggerVins(tx, operationId, [vin], options, about)) === 1;
  });
}

/** Vehicles per transaction and entry of the audit log. */
const CHUNK = 10_000;

/**
 * Retriggers all vehicles of the caller's models in a state, each once; `unknown` means every unknown(<number>). Vehicles that enter the state
 * meanwhile may be missed.
 *
 * @returns the number of new attempts
 * @throws OperationIsCancelled, OperationIsArchived
 */
export async function retriggerState(
  database: Database,
  operationId: number,
  state: string,
  options: ControlOptions & { readonly scopes?: Scopes },
): Promise<number> {
  const { by, now, scopes = null } = options;
  let retriggered = 0;
  for (let after = ''; ;) {
    const chunk = await database.transaction(async (tx) => {
      const rows = await tx.query<{ vin: string }>(
        `select vin from deliveries
         where operation_id = $1 and vin > $2 and (state = $3 or counter_of(state) = $3)
           and ${vehicleInScope('deliveries.vin', '$5')}
         order by vin limit $4`,
        [operationId, after, state, CHUNK, scopesParameter(scopes)],
      );
      const vins = rows.map(({ vin }) => vin);
      const detail = { state, vehicles: vins.length };
      const auditId = await recordAction(tx, by, now, 'retrigger', { operationId, detail });
      const about = { auditId, state };
      return { vins, made: await retriggerVins(tx, operationId, vins, options, about) };
    });
    retriggered += chunk.made;
    const last = chunk.vins.at(-1);
    if (last === undefined || chunk.vins.length < CHUNK) return retriggered;
    after = last;
  }
}
