/** The operations with triggers to send, and their progress. */
import { currentRate, NOT_NOTIFIED, type TriggerRate } from '../../contract/index.js';
import { nameList, type Queryable } from '../../service/database/index.js';
import { type Contender } from './share-out.js';

/** Skips through the index from operation to operation, so that finished ones cost nothing. */
const CONTENDERS = /* sql */ `
with recursive waiting as (
  (
    select operation_id, due_at from deliveries where due_at is not null
    order by operation_id, due_at limit 1
  )
  union all
  select n.operation_id, n.due_at from waiting w
  cross join lateral (
    select operation_id, due_at from deliveries
    where due_at is not null and operation_id > w.operation_id
    order by operation_id, due_at limit 1
  ) n
)
select o.id as operation_id, o.priority, o.rate, w.due_at as first_due_at,
  b.tokens, b.refilled_at, b.pass,
  case when w.due_at <= $1 then (
    select count(*) from (
      select from deliveries d where d.operation_id = o.id and d.due_at <= $1 limit $2
    ) due
  ) else 0 end as due,
  case when o.rate is not null then coalesce((
    select sum(vehicles)::bigint from operation_counters c
    where c.operation_id = o.id
      and state not in (${nameList(NOT_NOTIFIED)})
  ), 0) else 0 end as notified,
  case when o.rate is not null then coalesce((
    select sum(vehicles)::bigint from operation_counters c
    where c.operation_id = o.id and state = 'success'
  ), 0) else 0 end as succeeded
from waiting w
join operations o on o.id = w.operation_id
left join send_budgets b on b.operation_id = o.id
where o.status = 'active'`;

export interface ContenderRow {
  readonly operation_id: number;
  readonly priority: number;
  readonly rate: TriggerRate | null;
  readonly first_due_at: Date;
  readonly tokens: number | null;
  readonly refilled_at: Date | null;
  readonly pass: number | null;
  readonly due: number;
  readonly notified: number;
  readonly succeeded: number;
}

export function contenders(
  database: Queryable,
  now: number,
  limit: number,
): Promise<ContenderRow[]> {
  return database.query<ContenderRow>(CONTENDERS, [new Date(now), limit]);
}

/** When the first trigger of the operations without due triggers becomes due, ms; undefined: never. */
export function firstDueLater(rows: readonly ContenderRow[]): number | undefined {
  const later = rows.filter(({ due }) => due === 0).map(({ first_due_at: at }) => at.getTime());
  return later.length > 0 ? Math.min(...later) : undefined;
}

export function contender(row: ContenderRow): Contender {
  const { tokens, refilled_at: refilledAt, pass } = row;
  return {
    operationId: row.operation_id,
    priority: row.priority,
    due: row.due,
    rate: row.rate === null ? null : currentRate(row.rate, row),
    budget:
      tokens === null || refilledAt === null || pass === null
        ? null
        : { tokens, refilledAt: refilledAt.getTime(), pass },
  };
}

/** How many operations have triggers to send, and since when the oldest trigger is due, ms. */
export async function overdueTriggers(
  database: Queryable,
  now: number,
): Promise<{ operations: number; oldest: number | undefined }> {
  const rows = await contenders(database, now, 1);
  const due = rows.filter((row) => row.due > 0).map((row) => row.first_due_at.getTime());
  return { operations: rows.length, oldest: due.length > 0 ? Math.min(...due) : undefined };
}
