/** Claims due triggers for one sender, under a lease and within the rate limits. */
import { randomUUID } from 'node:crypto';
import { type Database, numberArray, type Queryable } from '../../service/database/index.js';
import { lockGroup, saveBudgets } from './budgets.js';
import { contender, contenders, firstDueLater } from './contenders.js';
import { type Portions, shareOut } from './share-out.js';

/** A trigger that only this sender may send until the lease expires. */
export interface ClaimedTrigger {
  readonly operation_id: number;
  readonly vin: string;
  readonly trigger_id: string;
  readonly triggered_at: Date;
  readonly sends: number;
  /** Sends prompted by the vehicle coming online. */
  readonly prompted: number;
  readonly ref_id: string;
  readonly model: string;
  readonly script_ref_id: string;
  readonly ttl: number;
  readonly ack_required: boolean;
  readonly trace_parent: string | null;
  /** null if the vehicle is not registered. */
  readonly system_id: string | null;
  readonly device_id: string | null;
  readonly ecu_type: string | null;
}

export interface Claim {
  readonly id: string;
  /** Expiry of the lease, ms. */
  readonly until: number;
  readonly triggers: ClaimedTrigger[];
  /** When to check again, ms; undefined: there are no triggers to send. */
  readonly nextAt: number | undefined;
}

/**
 * `due_at` moves to the expiry of the lease: if this process dies, the triggers become due again by themselves. Rows
 * locked by another process are skipped.
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
 * @param leaseMs how long no other sender can claim them
 * @param limit maximum number of triggers
 */
export async function claimDueTriggers(
  database: Database,
  now: number,
  leaseMs: number,
  limit: number,
): Promise<Claim> {
  const id = randomUUID();
  const until = now + leaseMs;
  // Most checks find nothing due, and need no lock.
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

/** Returns the tokens for rows that were skipped because another process had locked them. */
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
