/**
 * Gives committed batches of events their place in the event stream. Ids of batches are drawn before
 * the commit, so they may become visible out of order; a place is given afterwards, under a lock, to
 * what is visible by then. So whoever reads up to a place has missed nothing before it.
 */
import { type Database, only } from '../../service/database/index.js';

/** Batches that get their place in one transaction. */
const LIMIT = 5_000;

const PLACE = /* sql */ `
with waiting as materialized (
  select id, events from event_batches where position is null order by id limit ${LIMIT}
),
placed as materialized (
  select id, $1::bigint + sum(events) over (order by id) as position from waiting
),
updated as (
  update event_batches b set position = p.position from placed p where b.id = p.id
)
update event_stream set position = (select max(position) from placed)
where exists (select from placed)
returning position`;

/** @returns the number of the newest event that has its place */
export function placeEvents(database: Database): Promise<number> {
  return database.transaction(async (tx) => {
    // Two statements: the second one's snapshot has what the last holder of the lock has written.
    const { position } = only(
      await tx.query<{ position: number }>('select position from event_stream for update'),
    );
    const [placed] = await tx.query<{ position: number }>(PLACE, [position]);
    return placed?.position ?? position;
  });
}

/** Where the stream has come to, and whether there are events without a place. */
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
