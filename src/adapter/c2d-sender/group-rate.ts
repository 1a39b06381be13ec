/** The global rate limit, shared by all adapters on one database, triggers per second. */
import { only, type Queryable } from '../../service/database/index.js';

/** @returns null: no limit */
export async function groupRate(database: Queryable): Promise<number | null> {
  const { rate } = only(
    await database.query<{ rate: number | null }>('select trigger_rate as rate from adapter_group'),
  );
  return rate;
}

/** @returns the previous limit */
export async function setGroupRate(tx: Queryable, rate: number | null): Promise<number | null> {
  const before = await groupRate(tx);
  await tx.query('update adapter_group set trigger_rate = $1', [rate]);
  return before;
}
