/** Takes due triggers for one sender, for the time of a lease. */
import { randomUUID } from 'node:crypto';
import { type Queryable, textArray } from '../database/index.js';

/** A trigger that this sender alone may send until the lease ends. */
export interface ClaimedTrigger {
  readonly operation_id: number;
  readonly vin: string;
  readonly trigger_id: string;
  readonly triggered_at: Date;
  readonly sends: number;
  readonly ref_id: string;
  readonly model: string;
  readonly script_ref_id: string;
  readonly ttl: number;
  readonly ack_required: boolean;
  /** null where the registry does not know the vehicle. */
  readonly system_id: string | null;
  readonly device_id: string | null;
  readonly ecu_type: string | null;
}

export interface Claim {
  readonly id: string;
  /** End of the lease, ms. */
  readonly until: number;
  readonly triggers: ClaimedTrigger[];
}

/**
 * `due_at` is moved to the end of the lease: if this process is lost, the triggers become due again
 * by themselves. Rows that another sender is just claiming are passed over.
 */
const CLAIM = /* sql */ `
with due as materialized (
  select d.operation_id, d.vin from operations o
  cross join lateral (
    select x.operation_id, x.vin from deliveries x
    where x.operation_id = o.id and x.due_at <= $1
    order by x.due_at
    limit $4
    for update skip locked
  ) d
  where o.status = 'active'
  limit $4
),
claimed as (
  update deliveries d set due_at = $2, claim = $3
  from due where d.operation_id = due.operation_id and d.vin = due.vin
  returning d.operation_id, d.vin, d.trigger_id, d.triggered_at, d.sends
)
select c.*, o.ref_id, o.model, o.script_ref_id, o.ttl, o.ack_required,
  v.system_id, v.device_id, v.ecu_type
from claimed c
join operations o on o.id = c.operation_id
left join vehicles v on v.vin = c.vin`;

/**
 * @param now ms
 * @param leaseMs for how long nobody else gets them
 * @param limit most triggers
 */
export async function claimDueTriggers(
  database: Queryable,
  now: number,
  leaseMs: number,
  limit: number,
): Promise<Claim> {
  const id = randomUUID();
  const until = now + leaseMs;
  const triggers = await database.query<ClaimedTrigger>(CLAIM, [
    new Date(now),
    new Date(until),
    id,
    limit,
  ]);
  return { id, until, triggers };
}

/** When the next trigger becomes due, in ms; undefined if none waits. */
export async function nextDue(database: Queryable): Promise<number | undefined> {
  const [row] = await database.query<{ due_at: Date | null }>(
    `select min(d.due_at) as due_at from operations o
     cross join lateral (
       select due_at from deliveries where operation_id = o.id and due_at is not null
       order by due_at limit 1
     ) d
     where o.status = 'active'`,
  );
  return row?.due_at?.getTime();
}

/** What is not acknowledged by vehicles that have just connected becomes due at once. */
export async function makeDue(
  database: Queryable,
  systemIds: readonly string[],
  now: number,
): Promise<number> {
  const rows = await database.query(
    `with locked as materialized (
       select d.operation_id, d.vin from deliveries d
       where d.vin in (select vin from vehicles where system_id = any ($1::text[]))
         and d.delivery = 'sent' and d.due_at > $2
       order by d.operation_id, d.vin
       for update of d
     )
     update deliveries d set due_at = $2, claim = null
     from locked l where d.operation_id = l.operation_id and d.vin = l.vin
     returning d.vin`,
    [textArray(systemIds), new Date(now)],
  );
  return rows.length;
}
