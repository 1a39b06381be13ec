/**
 * Control of an operation: pause, resume, cancel, change of rate and priority. Each action is idempotent and is written to
 * the audit log in its own transaction.
 */
import { type TriggerRate } from '../../contract/index.js';
import { type Actor } from '../../service/audit/index.js';
import { recordAction } from '../audit/index.js';
import { type Database, only, type Queryable } from '../../service/database/index.js';
import { moveCounters } from '../operation-counters.js';

export interface ControlOptions {
  /** Counter shard of this writer. */
  readonly shard: number;
  /** ms */
  readonly now: number;
  readonly by: Actor;
}

/** The operation is cancelled and can no longer be controlled. */
export class OperationIsCancelled extends Error {
  override readonly name = 'OperationIsCancelled';
  constructor() {
    super('the operation is cancelled');
  }
}

/** The operation is archived and no longer has vehicles. */
export class OperationIsArchived extends Error {
  override readonly name = 'OperationIsArchived';
  constructor() {
    super('the operation is archived');
  }
}

type Status = 'active' | 'paused' | 'cancelled';

/**
 * @returns the previous status; undefined if the operation is cancelled and `status` is another one
 * @throws OperationIsArchived
 */
async function setStatus(
  tx: Queryable,
  operationId: number,
  status: Status,
): Promise<Status | undefined> {
  await lockOperation(tx, operationId, 'update');
  const [row] = await tx.query<{ before: Status }>(
    `with old as materialized (select id, status from operations where id = $1 for update)
     update operations o set status = $2 from old
     where o.id = old.id and (old.status <> 'cancelled' or $2 = 'cancelled')
     returning old.status as before`,
    [operationId, status],
  );
  return row?.before;
}

/** Prevents archiving until the transaction ends. @throws OperationIsArchived */
export async function lockOperation(
  tx: Queryable,
  operationId: number,
  strength: 'share' | 'update',
): Promise<void> {
  const [row] = await tx.query<{ archived_at: Date | null }>(
    `select archived_at from operations where id = $1 for ${strength}`,
    [operationId],
  );
  if (row && row.archived_at !== null) throw new OperationIsArchived();
}

/** @throws OperationIsCancelled, OperationIsArchived */
export async function setPaused(
  database: Database,
  operationId: number,
  paused: boolean,
  { by, now }: Omit<ControlOptions, 'shard'>,
): Promise<void> {
  await database.transaction(async (tx) => {
    const status = paused ? 'paused' : 'active';
    const before = await setStatus(tx, operationId, status);
    if (before === undefined) throw new OperationIsCancelled();
    const detail = { changed: before !== status };
    await recordAction(tx, by, now, paused ? 'pause' : 'resume', { operationId, detail });
  });
}

export interface DispatchChange {
  readonly priority?: number | undefined;
  /** null: limited only by the global rate limit. */
  readonly rate?: TriggerRate | null | undefined;
}

/**
 * Changes priority and rate, effective from the next claim.
 *
 * @throws OperationIsCancelled, OperationIsArchived
 */
export async function changeDispatch(
  database: Database,
  operationId: number,
  change: DispatchChange,
  { by, now }: Omit<ControlOptions, 'shard'>,
): Promise<void> {
  await database.transaction(async (tx) => {
    await lockOperation(tx, operationId, 'update');
    const [row] = await tx.query<{ priority: number; rate: TriggerRate | null }>(
      `with old as materialized (select id, priority, rate from operations where id = $1 for update)
       update operations o set
         priority = coalesce($2::smallint, old.priority),
         rate = case when $3::boolean then $4::json else old.rate end
       from old where o.id = old.id and o.status <> 'cancelled'
       returning old.priority, old.rate`,
      [
        operationId,
        change.priority ?? null,
        change.rate !== undefined,
        change.rate ? JSON.stringify(change.rate) : null,
      ],
    );
    if (!row) throw new OperationIsCancelled();
    await recordAction(tx, by, now, 'change', { operationId, detail: { before: row, change } });
  });
}

const CHUNK = 10_000;

/** Unsent deliveries become `cancelled`; sent ones keep their state and are not repeated. */
const CANCEL_CHUNK = /* sql */ `
with locked as materialized (
  select operation_id, vin, attempt, delivery, state, claim from deliveries
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
),
logged as (
  insert into delivery_log (at, operation_id, vin, attempt, what, audit_id)
  select $3::timestamptz, operation_id, vin, attempt, 'cancelled', $5::bigint
  from locked where delivery <> 'sent'
),
counted as (${moveCounters(
  `select operation_id, state, false as paused, -1 as n from locked where delivery <> 'sent'
  union all
  select operation_id, 'cancelled', false, 1 from locked where delivery <> 'sent'`,
  '$4',
)}
)
select count(*) as found, count(*) filter (where delivery <> 'sent') as stopped,
  count(*) filter (where delivery <> 'sent' and claim is not null) as in_flight
from locked`;

export interface CancelOutcome {
  /** Vehicles whose trigger this call has stopped. */
  readonly stopped: number;
  /**
   * How many of these a sender had claimed at that moment. If the trigger was sent nevertheless, the vehicle is `sent` a
   * moment later, not `cancelled`.
   */
  readonly inFlight: number;
}

/** @throws OperationIsArchived */
export async function cancelOperation(
  database: Database,
  operationId: number,
  { shard, now, by }: ControlOptions,
): Promise<CancelOutcome> {
  // From here on nothing is claimed; a trigger being sent at this moment is recorded as sent.
  const auditId = await database.transaction(async (tx) => {
    const before = await setStatus(tx, operationId, 'cancelled');
    const detail = { changed: before !== 'cancelled' };
    return recordAction(tx, by, now, 'cancel', { operationId, detail });
  });
  return cancelDeliveries(database, operationId, { shard, now, auditId });
}

async function cancelDeliveries(
  database: Database,
  operationId: number,
  { shard, now, auditId }: { shard: number; now: number; auditId: number | null },
): Promise<CancelOutcome> {
  let stopped = 0;
  let inFlight = 0;
  for (;;) {
    const [chunk] = await database.query<{ found: number; stopped: number; in_flight: number }>(
      CANCEL_CHUNK,
      [operationId, CHUNK, new Date(now), shard, auditId],
    );
    stopped += chunk?.stopped ?? 0;
    inFlight += chunk?.in_flight ?? 0;
    if ((chunk?.found ?? 0) < CHUNK) return { stopped, inFlight };
  }
}

/** The number of vehicles to which a trigger was sent in any attempt, regardless of their current state. */
export async function countSent(database: Queryable, operationId: number): Promise<number> {
  const { sent } = only(
    await database.query<{ sent: number }>(
      `select count(*) as sent from deliveries where operation_id = $1
         and (sends > 0 or delivery = 'acknowledged' or earlier_trigger_ids is not null)`,
      [operationId],
    ),
  );
  return sent;
}

/** Completes cancels that a crash has interrupted between two chunks. */
export async function finishCancels(
  database: Database,
  { shard, now }: { shard: number; now: number },
): Promise<void> {
  const interrupted = await database.query<{ id: number; audit_id: number | null }>(
    `select o.id, (
       select max(a.id) from audit.entries a where a.operation_id = o.id and a.action = 'cancel'
     ) as audit_id
     from operations o where o.status = 'cancelled' and exists (
       select from deliveries d where d.operation_id = o.id and d.due_at is not null
     )`,
  );
  for (const { id, audit_id: auditId } of interrupted) {
    await cancelDeliveries(database, id, { shard, now, auditId });
  }
}
