/** A lease on each receiver's row: one adapter at a time delivers to it, which keeps the order of events. */
import { type Queryable } from '../../service/database/index.js';

/** A receiver held by this adapter. */
export interface HeldReceiver {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly secret: string;
  readonly old_secret: string | null;
  readonly old_until: Date | null;
  readonly position: number;
  /** Number of times a person has moved it. */
  readonly moves: number;
  readonly batch_to: number | null;
  /** Maximum number of events per batch; null: the setting. */
  readonly batch_limit: number | null;
  readonly failures: number;
  readonly due_at: Date;
}

/** A dead adapter's receivers are taken over after this time. */
export const LEASE_SECONDS = 20;

const HELD =
  'id, name, url, secret, old_secret, old_until, position, moves, batch_to, batch_limit, failures, due_at';
const LEASE = `lease_until = now() + interval '${LEASE_SECONDS} seconds'`;

/** Takes all receivers without a holder. @returns their ids */
export async function takeReceivers(database: Queryable, holder: string): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    `update callbacks set holder = $1, ${LEASE}
     where enabled and coalesce(lease_until < now(), true)
     returning id`,
    [holder],
  );
  return rows.map(({ id }) => id);
}

/** @returns undefined if it was removed, disabled or taken over by another adapter */
export async function renewReceiver(
  database: Queryable,
  id: string,
  holder: string,
): Promise<HeldReceiver | undefined> {
  const rows = await database.query<HeldReceiver>(
    `update callbacks set ${LEASE} where id = $1 and holder = $2 and enabled returning ${HELD}`,
    [id, holder],
  );
  return rows[0];
}

export async function leaveReceiver(
  database: Queryable,
  id: string,
  holder: string,
): Promise<void> {
  await database.query(
    'update callbacks set holder = null, lease_until = null where id = $1 and holder = $2',
    [id, holder],
  );
}

/**
 * Records a settled batch: the receiver's position moves to its end, unless a person has moved it in the meantime.
 *
 * @returns the receiver's new state; undefined: this process no longer holds it
 */
export async function settleBatch(
  database: Queryable,
  { id, position, moves, failures }: HeldReceiver,
  holder: string,
  { upto, limit }: { upto: number; limit: number | null },
  now: number,
): Promise<HeldReceiver | undefined> {
  const [moved] = await database.query<HeldReceiver>(
    `with moved as (
       update callbacks set position = $4, batch_to = null, batch_limit = $7, failures = 0, failure = null,
         failed_at = null, settled_at = $5, ${LEASE}
       where id = $1 and holder = $2 and position = $3 and moves = $8 and enabled
       returning ${HELD}
     ),
     logged as (
       insert into callback_log (settled_at, callback_id, after, upto, tries)
       select $5, id, $3, $4, $6 from moved
       on conflict do nothing
     )
     select * from moved`,
    [id, holder, position, upto, new Date(now), failures + 1, limit, moves],
  );
  return moved ?? renewReceiver(database, id, holder);
}

/**
 * Records a batch that was not settled, and when it is retried.
 *
 * @param failed `upto`: end of the batch, which is repeated unchanged; null: a new batch is made of at most `limit` events
 */
export async function failBatch(
  database: Queryable,
  { id, position, moves }: HeldReceiver,
  holder: string,
  failed: { upto: number | null; limit: number | null; failure: string; dueAt: number },
  now: number,
): Promise<void> {
  await database.query(
    `update callbacks set batch_to = $4, failures = failures + 1, failure = $5, failed_at = $6,
       due_at = $7, batch_limit = $8, ${LEASE}
     where id = $1 and holder = $2 and position = $3 and moves = $9`,
    [
      id,
      holder,
      position,
      failed.upto,
      failed.failure,
      new Date(now),
      new Date(failed.dueAt),
      failed.limit,
      moves,
    ],
  );
}
