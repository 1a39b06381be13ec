/**
 * Archives operations that finished long ago: their vehicles, with digests, history and log, are deleted in chunks; the
 * operation itself is kept, with its counters.
 */
import { DELIVERY_ENDED, FINISHED } from '../../contract/index.js';
import {
  type Database,
  nameList,
  only,
  type Queryable,
  textArray,
} from '../../service/database/index.js';

export interface ArchiveOptions {
  /** ms; operations active since then are not archived. */
  readonly before: number;
  /** ms */
  readonly now: number;
  /** Stops between two chunks; the next call continues. */
  readonly signal?: AbortSignal;
}

export interface ArchiveOutcome {
  /** Operations archived. */
  readonly operations: number;
  /** Vehicles deleted, including those of operations archived earlier. */
  readonly vehicles: number;
}

/** @throws DatabaseError; earlier deletions stand, and the next call continues */
export async function archiveOperations(
  database: Database,
  options: ArchiveOptions,
): Promise<ArchiveOutcome> {
  let operations = 0;
  for (const id of await candidates(database, options)) {
    if (options.signal?.aborted) break;
    if (await archive(database, id, options)) operations += 1;
  }
  let vehicles = 0;
  for (const id of await archivedWithDeliveries(database)) {
    vehicles += await deleteVehicles(database, id, options);
  }
  return { operations, vehicles };
}

const ended = nameList([...FINISHED, ...DELIVERY_ENDED]);

/** The operation is cancelled, or no vehicle is open. */
const IS_FINISHED = `(o.status = 'cancelled' or not exists (
  select from operation_counters c
  where c.operation_id = o.id and c.state not in (${ended})
    and (c.state <> 'sent' or o.ack_required)
  group by c.state having sum(c.vehicles) > 0
))`;

/** Operations whose last known activity is old enough; {@link archive} updates it. */
async function candidates(database: Queryable, { before }: ArchiveOptions): Promise<number[]> {
  const rows = await database.query<{ id: number }>(
    `select o.id from operations o
     where o.archived_at is null and coalesce(o.active_at, o.created_at) < $1 and ${IS_FINISHED}
     order by o.id`,
    [new Date(before)],
  );
  return rows.map(({ id }) => id);
}

/**
 * After its commit, no vehicle is added and no message accepted. A message being stored at this moment may still be
 * applied: its vehicle is then newer than `before` and is deleted later.
 */
function archive(database: Database, id: number, { before, now }: ArchiveOptions) {
  return database.transaction(async (tx) => {
    // Adding vehicles locks this row too, so the next statements see all of them.
    await tx.query('select from operations where id = $1 for update', [id]);
    const { active_at: activeAt } = only(
      await tx.query<{ active_at: Date }>(
        `select coalesce(
           (select max(updated_at) from deliveries where operation_id = o.id), o.created_at
         ) as active_at from operations o where id = $1`,
        [id],
      ),
    );
    const isOver = activeAt.getTime() < before;
    const archived = await tx.query(
      `update operations o set active_at = $2, archived_at = $3
       where id = $1 and archived_at is null and ${IS_FINISHED} returning archived_at`,
      [id, activeAt, isOver ? new Date(now) : null],
    );
    return isOver && archived.length > 0;
  });
}

async function archivedWithDeliveries(database: Queryable): Promise<number[]> {
  const rows = await database.query<{ id: number }>(
    `select o.id from operations o where o.archived_at is not null
       and exists (select from deliveries d where d.operation_id = o.id)
     order by o.id`,
  );
  return rows.map(({ id }) => id);
}

/** Vehicles per transaction, few enough that no other transaction waits long. */
const CHUNK = 500;

async function deleteVehicles(
  database: Database,
  operationId: number,
  { before, signal }: ArchiveOptions,
): Promise<number> {
  let deleted = 0;
  for (let after = ''; !signal?.aborted;) {
    const vins = await database.transaction((tx) => deleteChunk(tx, operationId, after, before));
    deleted += vins.length;
    const last = vins.at(-1);
    if (last === undefined) break;
    after = last;
  }
  return deleted;
}

/** @returns VINs of the deleted vehicles, in order */
async function deleteChunk(
  tx: Queryable,
  operationId: number,
  after: string,
  before: number,
): Promise<string[]> {
  const rows = await tx.query<{ vin: string }>(
    `select vin from deliveries where operation_id = $1 and vin > $2 and updated_at < $3
     order by operation_id, vin limit ${CHUNK} for update skip locked`,
    [operationId, after, new Date(before)],
  );
  const vins = rows.map(({ vin }) => vin);
  // Large tables, some without statistics: force the use of the keys, regardless of the planner's estimates.
  await tx.script('set local enable_seqscan = off');
  for (const table of ['delivery_digests', 'messages', 'delivery_log', 'deliveries']) {
    await tx.query(`delete from ${table} where operation_id = $1 and vin = any ($2::text[])`, [
      operationId,
      textArray(vins),
    ]);
  }
  return vins;
}
