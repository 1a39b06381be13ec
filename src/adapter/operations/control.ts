/** Control of an operation: pause, resume, cancel, retrigger. Each is idempotent. */
import { newUuid } from '../../protocol/index.js';
import { type Database, type Queryable } from '../database/index.js';

export interface ControlOptions {
  /** Counter shard of this writer. */
  readonly shard: number;
  /** ms */
  readonly now: number;
}

/** The operation is cancelled, so it cannot be controlled any more. */
export class OperationIsCancelled extends Error {
  override readonly name = 'OperationIsCancelled';
}

/** @throws OperationIsCancelled */
export async function setPaused(
  database: Queryable,
  operationId: number,
  paused: boolean,
): Promise<void> {
  const rows = await database.query(
    `update operations set status = $2 where id = $1 and status <> 'cancelled' returning id`,
    [operationId, paused ? 'paused' : 'active'],
  );
  if (rows.length === 0) throw new OperationIsCancelled('the operation is cancelled');
}

const CHUNK = 10_000;

/** What was never published becomes `cancelled`; what was, stays what it is and is not repeated. */
const CANCEL_CHUNK = /* sql */ `
with locked as materialized (
  select operation_id, vin, delivery, state from deliveries
  where operation_id = $1 and due_at is not null
  order by operation_id, vin limit $2
  for update
),
updated as (
  update deliveries d set
    due_at = null,
    delivery = case when l.delivery = 'sent' then d.delivery else 'cancelled' end,
    state = case when l.delivery = 'sent' then d.state else 'cancelled' end,
    updated_at = $3::timestamptz
  from locked l where d.operation_id = l.operation_id and d.vin = l.vin
  returning l.delivery
),
counted as (
  insert into operation_counters as c (operation_id, shard, state, paused, vehicles)
  select $1, $4::smallint, state, false, sum(n) from (
    select state, -1 as n from locked where delivery <> 'sent'
    union all
    select 'cancelled', 1 from locked where delivery <> 'sent'
  ) moves
  group by state order by state
  on conflict (operation_id, shard, state, paused)
  do update set vehicles = c.vehicles + excluded.vehicles
)
select count(*) as found, count(*) filter (where delivery <> 'sent') as cancelled from updated`;

/** @returns how many vehicles this call has kept from being sent a trigger */
export async function cancelOperation(
  database: Database,
  operationId: number,
  { shard, now }: ControlOptions,
): Promise<number> {
  // From here on nothing is claimed; what is being sent at this moment is settled as sent.
  await database.query(`update operations set status = 'cancelled' where id = $1`, [operationId]);
  let cancelled = 0;
  for (;;) {
    const [chunk] = await database.query<{ found: number; cancelled: number }>(CANCEL_CHUNK, [
      operationId,
      CHUNK,
      new Date(now),
      shard,
    ]);
    cancelled += chunk?.cancelled ?? 0;
    if ((chunk?.found ?? 0) < CHUNK) return cancelled;
  }
}

/**
 * A new attempt has a new trigger and starts from the beginning (contract section 5.2). One that
 * was not sent yet is new enough: asking twice makes one new attempt.
 */
const RETRIGGER = /* sql */ `
with locked as materialized (
  select d.operation_id, d.vin, d.state, d.paused, d.trigger_id from deliveries d
  join operations o on o.id = d.operation_id
  where d.operation_id = $1 and d.vin = $2 and o.status <> 'cancelled'
    and d.delivery not in ('pending', 'device_not_found')
  for update of d
),
updated as (
  update deliveries d set
    attempt = d.attempt + 1,
    earlier_trigger_ids = d.earlier_trigger_ids || l.trigger_id,
    trigger_id = $3::uuid, triggered_at = $4::timestamptz, due_at = $4::timestamptz, claim = null,
    delivery = 'pending', state = 'pending', paused = false, sends = 0,
    last_sent_at = null, acknowledged_at = null,
    interruption = null, reported = null,
    updated_at = $4::timestamptz
  from locked l where d.operation_id = l.operation_id and d.vin = l.vin
  returning d.attempt
),
counted as (
  insert into operation_counters as c (operation_id, shard, state, paused, vehicles)
  select operation_id, $5::smallint, state, paused, sum(n) from (
    select operation_id, counter_of(state) as state, paused, -1 as n from locked
    union all
    select operation_id, 'pending', false, 1 from locked
  ) moves
  group by operation_id, state, paused having sum(n) <> 0 order by operation_id, state, paused
  on conflict (operation_id, shard, state, paused)
  do update set vehicles = c.vehicles + excluded.vehicles
)
select coalesce((select attempt from updated), d.attempt) as attempt
from deliveries d join operations o on o.id = d.operation_id
where d.operation_id = $1 and d.vin = $2 and o.status <> 'cancelled'`;

/**
 * @returns the number of the new attempt
 * @throws OperationIsCancelled
 */
export async function retrigger(
  database: Queryable,
  operationId: number,
  vin: string,
  { shard, now }: ControlOptions,
): Promise<number> {
  const [row] = await database.query<{ attempt: number }>(RETRIGGER, [
    operationId,
    vin,
    newUuid(),
    new Date(now),
    shard,
  ]);
  if (!row) throw new OperationIsCancelled('the operation is cancelled');
  return row.attempt;
}
