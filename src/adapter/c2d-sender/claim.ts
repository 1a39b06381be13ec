/** Takes due triggers for one sender, for the time of a lease, within the limits of the group. */
import { randomUUID } from 'node:crypto';
import { type TriggerRate } from '../../protocol/index.js';
import {
  type Database,
  numberArray,
  only,
  type Queryable,
  textArray,
  timeArray,
} from '../database/index.js';
import { currentRate } from './rate.js';
import { type Contender, type Portions, type SendBudget, shareOut } from './share-out.js';

/** A trigger that this sender alone may send until the lease ends. */
export interface ClaimedTrigger {
  readonly operation_id: number;
  readonly vin: string;
  readonly trigger_id: string;
  readonly triggered_at: Date;
  readonly sends: number;
  /** Sends that the vehicle's appearance has prompted. */
  readonly prompted: number;
  readonly ref_id: string;
  readonly model: string;
  readonly script_ref_id: string;
  readonly ttl: number;
  readonly ack_required: boolean;
  readonly trace_parent: string | null;
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
  /** When to look again, ms; undefined: nothing waits. */
  readonly nextAt: number | undefined;
}

/**
 * The operations that have something to send, now or later. Walks along the index from operation to
 * operation, so that a thousand that have ended cost nothing.
 */
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
      and state not in ('pending', 'device_not_found', 'expired', 'cancelled')
  ), 0) else 0 end as notified,
  case when o.rate is not null then coalesce((
    select sum(vehicles)::bigint from operation_counters c
    where c.operation_id = o.id and state = 'success'
  ), 0) else 0 end as succeeded
from waiting w
join operations o on o.id = w.operation_id
left join send_budgets b on b.operation_id = o.id
where o.status = 'active'`;

interface ContenderRow {
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

/**
 * `due_at` is moved to the end of the lease: if this process is lost, the triggers become due again
 * by themselves. Rows that another one is just writing are passed over.
 */
const CLAIM = /* sql */ `
with due as materialized (
  select d.operation_id, d.vin
  from unnest($4::bigint[], $5::integer[]) as share (operation_id, triggers)
  join operations o on o.id = share.operation_id and o.status = 'active'
  cross join lateral (
    select x.operation_id, x.vin from deliveries x
    where x.operation_id = o.id and x.due_at <= $1
    order by x.due_at
    limit share.triggers
    for update skip locked
  ) d
),
claimed as (
  update deliveries d set due_at = $2, claim = $3
  from due where d.operation_id = due.operation_id and d.vin = due.vin
  returning d.operation_id, d.vin, d.trigger_id, d.triggered_at, d.sends, d.prompted
)
select c.*, o.ref_id, o.model, o.script_ref_id, o.ttl, o.ack_required, o.trace_parent,
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
  database: Database,
  now: number,
  leaseMs: number,
  limit: number,
): Promise<Claim> {
  const id = randomUUID();
  const until = now + leaseMs;
  // Most looks find nothing, and need no lock for it.
  const seen = await contenders(database, now, limit);
  if (seen.every(({ due }) => due === 0)) {
    return { id, until, triggers: [], nextAt: firstDueLater(seen) };
  }
  return database.transaction(async (tx) => {
    const group = await lockGroup(tx);
    const rows = await contenders(tx, now, limit);
    const portions = shareOut(limit, group, rows.filter(({ due }) => due > 0).map(contender), now);
    const triggers = await claim(tx, portions, { id, now, until });
    await saveBudgets(tx, withUnclaimed(portions, triggers));
    const times = [portions.nextAt, firstDueLater(rows)].filter((time) => time !== undefined);
    return { id, until, triggers, nextAt: times.length > 0 ? Math.min(...times) : undefined };
  });
}

function contenders(database: Queryable, now: number, limit: number): Promise<ContenderRow[]> {
  return database.query<ContenderRow>(CONTENDERS, [new Date(now), limit]);
}

/** When the first of those that have nothing due has, ms. */
function firstDueLater(rows: readonly ContenderRow[]): number | undefined {
  const later = rows.filter(({ due }) => due === 0).map(({ first_due_at: at }) => at.getTime());
  return later.length > 0 ? Math.min(...later) : undefined;
}

function contender(row: ContenderRow): Contender {
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

async function lockGroup(tx: Queryable): Promise<{ rate: number | null; budget: SendBudget }> {
  const row = only(
    await tx.query<{ tokens: number; refilled_at: Date; pass: number; rate: number | null }>(
      `select b.tokens, b.refilled_at, b.pass,
         (select trigger_rate from adapter_group) as rate
       from send_budgets b where b.operation_id = 0 for update`,
    ),
  );
  const { tokens, refilled_at: refilledAt, pass, rate } = row;
  return { rate, budget: { tokens, refilledAt: refilledAt.getTime(), pass } };
}

async function claim(
  tx: Queryable,
  { shares }: Portions,
  { id, now, until }: { id: string; now: number; until: number },
): Promise<ClaimedTrigger[]> {
  if (shares.length === 0) return [];
  return tx.query<ClaimedTrigger>(CLAIM, [
    new Date(now),
    new Date(until),
    id,
    numberArray(shares.map(({ operationId }) => operationId)),
    numberArray(shares.map(({ triggers }) => triggers)),
  ]);
}

/** What others were just writing was passed over: its share is not used up. */
function withUnclaimed(portions: Portions, triggers: readonly ClaimedTrigger[]): Portions {
  const left = new Map(portions.shares.map((share) => [share.operationId, share.triggers]));
  for (const { operation_id: id } of triggers) left.set(id, (left.get(id) ?? 0) - 1);
  const sum = [...left.values()].reduce((total, n) => total + n, 0);
  if (sum === 0) return portions;
  return {
    ...portions,
    group: { ...portions.group, tokens: portions.group.tokens + sum },
    budgets: portions.budgets.map((budget) => ({
      ...budget,
      tokens: budget.tokens + (left.get(budget.operationId) ?? 0),
    })),
  };
}

async function saveBudgets(tx: Queryable, { group, budgets }: Portions): Promise<void> {
  const all = [{ operationId: 0, ...group }, ...budgets];
  await tx.query(
    `insert into send_budgets (operation_id, tokens, refilled_at, pass)
     select * from unnest($1::bigint[], $2::float8[], $3::timestamptz[], $4::float8[])
     on conflict (operation_id) do update set
       tokens = excluded.tokens, refilled_at = excluded.refilled_at, pass = excluded.pass`,
    [
      numberArray(all.map(({ operationId }) => operationId)),
      numberArray(all.map(({ tokens }) => tokens)),
      timeArray(all.map(({ refilledAt }) => refilledAt)),
      numberArray(all.map(({ pass }) => pass)),
    ],
  );
}

/** Gives back what was taken for triggers that were not sent after all, by operation. */
export async function giveBack(
  database: Database,
  triggers: ReadonlyMap<number, number>,
): Promise<void> {
  const sum = [...triggers.values()].reduce((total, n) => total + n, 0);
  if (sum === 0) return;
  await database.transaction(async (tx) => {
    await lockGroup(tx);
    await tx.query(
      `update send_budgets b set tokens = b.tokens + g.triggers
       from unnest($1::bigint[], $2::bigint[]) as g (operation_id, triggers)
       where b.operation_id = g.operation_id`,
      [numberArray([0, ...triggers.keys()]), numberArray([sum, ...triggers.values()])],
    );
  });
}

/**
 * What is not acknowledged by vehicles that have just appeared becomes due at once.
 *
 * @param sentBefore ms; what was sent later is probably on its way still, and waits for its turn
 */
export async function makeDue(
  database: Queryable,
  systemIds: readonly string[],
  now: number,
  sentBefore: number,
): Promise<number> {
  const rows = await database.query(
    `with locked as materialized (
       select d.operation_id, d.vin from unnest($1::text[]) as s (system_id)
       join vehicles v on v.system_id = s.system_id
       join deliveries d on d.vin = v.vin
       where d.due_at is not null and d.delivery = 'sent' and d.due_at > $2
         and d.last_sent_at <= $3
       order by d.operation_id, d.vin
       for update of d
     )
     update deliveries d set due_at = $2, claim = null, prompted = d.prompted + 1
     from locked l where d.operation_id = l.operation_id and d.vin = l.vin
     returning d.vin`,
    [textArray(systemIds), new Date(now), new Date(sentBefore)],
  );
  return rows.length;
}

/** How many operations have something to send, and since when the oldest is due, ms. */
export async function overdueTriggers(
  database: Queryable,
  now: number,
): Promise<{ operations: number; oldest: number | undefined }> {
  const rows = await contenders(database, now, 1);
  const due = rows.filter((row) => row.due > 0).map((row) => row.first_due_at.getTime());
  return { operations: rows.length, oldest: due.length > 0 ? Math.min(...due) : undefined };
}
