/** Records the outcomes of claimed triggers. */
import { numberArray, type Queryable, textArray, timeArray } from '../../service/database/index.js';
import { moveCounters } from '../operation-counters.js';

export interface SendOutcome {
  readonly operationId: number;
  readonly refId: string;
  readonly vin: string;
  readonly messageId: string;
  /** `failed`: the broker did not accept it; the delivery is unchanged. */
  readonly outcome: 'sent' | 'failed' | 'device_not_found' | 'expired' | 'undelivered';
  /** When it is due again, ms; null: never. */
  readonly dueAt: number | null;
}

/**
 * An acknowledgement or event that arrived in between has ended the claim and takes precedence. A cancel does not: if the
 * trigger was sent, that is recorded.
 */
const RECORD = /* sql */ `
with input as materialized (
  select * from unnest($3::bigint[], $4::text[], $5::text[], $6::timestamptz[])
    as i (operation_id, vin, outcome, due_at)
),
locked as materialized (
  select d.operation_id, d.vin, d.attempt, d.delivery, d.state as old_state, i.outcome,
    case
      when i.outcome = 'failed' or d.claim is distinct from $2::uuid then d.delivery
      when d.delivery = 'cancelled' and i.outcome <> 'sent' then d.delivery
      else i.outcome
    end as new_delivery,
    case when o.status <> 'cancelled' then i.due_at end as due_at,
    d.claim = $2::uuid as claimed
  from input i
  join deliveries d on d.operation_id = i.operation_id and d.vin = i.vin
  join operations o on o.id = i.operation_id
  order by d.operation_id, d.vin
  for update of d
),
updated as (
  update deliveries d set
    delivery = l.new_delivery,
    state = case when l.claimed then l.new_delivery else d.state end,
    sends = d.sends + case when l.outcome = 'sent' then 1 else 0 end,
    last_sent_at = case when l.outcome = 'sent' then $7::timestamptz else d.last_sent_at end,
    due_at = case when l.claimed then l.due_at else d.due_at end,
    claim = case when l.claimed then null else d.claim end,
    updated_at = $7::timestamptz
  from locked l
  where d.operation_id = l.operation_id and d.vin = l.vin
),
logged as (
  insert into delivery_log (at, operation_id, vin, attempt, what)
  select $7::timestamptz, operation_id, vin, attempt, outcome from locked
  -- A repeated lookup of a vehicle that is still unregistered is not logged.
  where outcome = 'sent' or claimed and (outcome = 'failed' or outcome <> old_state)
)
${moveCounters(
  `select operation_id, old_state as state, false as paused, -1 as n from locked where claimed
  union all
  select operation_id, new_delivery, false, 1 from locked where claimed`,
  '$1',
)}`;

/**
 * @param shard counter shard of this writer
 * @param claim id of the claim under which the triggers were sent
 * @param now ms
 */
export async function recordSends(
  database: Queryable,
  shard: number,
  claim: string,
  outcomes: readonly SendOutcome[],
  now: number,
): Promise<void> {
  await database.query(RECORD, [
    shard,
    claim,
    numberArray(outcomes.map(({ operationId }) => operationId)),
    textArray(outcomes.map(({ vin }) => vin)),
    textArray(outcomes.map(({ outcome }) => outcome)),
    timeArray(outcomes.map(({ dueAt }) => dueAt)),
    new Date(now),
  ]);
}
