/**
 * The send budgets in the database, of the group and of each operation. Lock the group's before changing any of them, so
 * that the limits hold for all adapters together.
 */
import {
  type Database,
  numberArray,
  only,
  type Queryable,
  timeArray,
} from '../../service/database/index.js';
import { type Portions, type SendBudget } from './share-out.js';

export async function lockGroup(
  tx: Queryable,
): Promise<{ rate: number | null; budget: SendBudget }> {
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

export async function saveBudgets(tx: Queryable, { group, budgets }: Portions): Promise<void> {
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

/** Returns the tokens of triggers that were not sent after all. @param triggers their number by operation */
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
