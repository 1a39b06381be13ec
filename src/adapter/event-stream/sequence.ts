/**
 * Assigns committed batches of events their positions in the event stream. Batch ids are generated before the commit and
 * may become visible out of order; positions are assigned afterwards, under a lock, to the batches visible by then. Thus a
 * consumer that has read up to a position has missed nothing before it.
 */
import { type Database, only } from '../../service/database/index.js';

/** Batches in one transaction. */
const LIMIT = 5_000;

const ASSIGN = /* sql */ `
with waiting as materialized (
  select id, events from event_batches where position is null order by id limit ${LIMIT}
),
assigned as materialized (
  select id, $1::bigint + sum(events) over (order by id) as position from waiting
),
updated as (
  update event_batches b set position = a.position from assigned a where b.id = a.id
)
update event_stream set position = (select max(position) from assigned)
where exists (select from assigned)
returning position`;

/** @returns the number of the newest event with a position */
export function assignPositions(database: Database): Promise<number> {
  return database.transaction(async (tx) => {
    // Two statements: the second one's snapshot includes the writes of the lock's previous holder.
    const { position } = only(
      await tx.query<{ position: number }>('select position from event_stream for update'),
    );
    const [assigned] = await tx.query<{ position: number }>(ASSIGN, [position]);
    return assigned?.position ?? position;
  });
}

/** The stream's last position, and whether batches wait for theirs. */
export async function streamState(
  database: Database,
): Promise<{ position: number; waiting: boolean }> {
  return only(
    await database.query<{ position: number; waiting: boolean }>(
      `select position, exists (select from event_batches where position is null) as waiting
       from event_stream`,
    ),
  );
}
