/** One adapter at a time delivers to a receiver, so that order is kept: a lease on its row. */
import { type Queryable } from '../../service/database/index.js';

/** A receiver as the adapter that delivers to it sees it. */
export interface HeldReceiver {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly secret: string;
  readonly old_secret: string | null;
  readonly old_until: Date | null;
  readonly position: number;
  /** How often a person has moved it. */
  readonly moves: number;
  readonly batch_to: number | null;
  /** Events in a batch at most; null: as many as the settings say. */
  readonly batch_limit: number | null;
  readonly failures: number;
  readonly due_at: Date;
}

/** A lost adapter's receivers are taken over after this time. */
export const LEASE_SECONDS = 20;

const HELD =
  'id, name, url, secret, old_secret, old_until, position, moves, batch_to, batch_limit, failures, due_at';
const LEASE = `lease_until = now() + interval '${LEASE_SECONDS} seconds'`;

/** Takes the receivers that nobody holds. @returns their ids */
export async function takeReceivers(database: Queryable, holder: string): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    `update callbacks set holder = $1, ${LEASE}
     where enabled and coalesce(lease_until < now(), true)
     returning id`,
    [holder],
  );
  return rows.map(({ id }) => id);
}

/** @returns undefined where it was removed, disabled, or has gone to another adapter */
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
 * The batch was settled: the receiver is at its end, unless it was moved meanwhile.
 *
 * @returns how it stands now; undefined where it is not ours any more
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
 * The batch was not settled: it is tried again at the given time, as it was.
 *
 * @param failed `upto`: where the batch ends; null: it is made anew, with `limit` events at most
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
