/**
 * Archives what has been finished for long: an operation's vehicles, their digests, their history and
 * their log are deleted, piece by piece; the operation itself stays, with its counters.
 */
import { FINISHED } from '../../contract/index.js';
import { type Database, only, type Queryable, textArray } from '../../service/database/index.js';
import { ENDED_UNSENT } from './progress.js';

export interface ArchiveOptions {
  /** ms; what was active since is not archived. */
  readonly before: number;
  /** ms */
  readonly now: number;
  /** Ends it between two pieces; the next call goes on. */
  readonly signal?: AbortSignal;
}

export interface ArchiveOutcome {
  /** Operations that were archived. */
  readonly operations: number;
  /** Vehicles that were deleted, also those of operations that were archived before. */
  readonly vehicles: number;
}

/** @throws DatabaseError; what was deleted before stays so, and the next call goes on */
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
  for (const id of await notEmptied(database)) {
    vehicles += await deleteVehicles(database, id, options);
  }
  return { operations, vehicles };
}

const ended = [...FINISHED, ...ENDED_UNSENT].map((state) => `'${state}'`).join(', ');

/** Cancelled, or nothing is still to come from any vehicle or to be sent to it (`open` is 0). */
const IS_FINISHED = `(o.status = 'cancelled' or not exists (
  select from operation_counters c
  where c.operation_id = o.id and c.state not in (${ended})
    and (c.state <> 'sent' or o.ack_required)
  group by c.state having sum(c.vehicles) > 0
))`;

/** Looked at only once while there is no reason to believe that the time has come. */
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
 * From its commit on, no vehicle is added and no message taken. A message that is being stored at this
 * moment may still be: then its vehicle is newer than `before`, and stays until its time has come too.
 */
function archive(database: Database, id: number, { before, now }: ArchiveOptions) {
  return database.transaction(async (tx) => {
    // Whoever adds vehicles holds this row; the next statements see what they have added.
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

async function notEmptied(database: Queryable): Promise<number[]> {
  const rows = await database.query<{ id: number }>(
    `select o.id from operations o where o.archived_at is not null
       and exists (select from deliveries d where d.operation_id = o.id)
     order by o.id`,
  );
  return rows.map(({ id }) => id);
}

/** Vehicles in one transaction: short enough that nobody waits for it. */
const PIECE = 500;

async function deleteVehicles(
  database: Database,
  operationId: number,
  { before, signal }: ArchiveOptions,
): Promise<number> {
  let deleted = 0;
  for (let after = ''; !signal?.aborted;) {
    const vins = await database.transaction((tx) => deletePiece(tx, operationId, after, before));
    deleted += vins.length;
    const last = vins.at(-1);
    if (last === undefined) break;
    after = last;
  }
  return deleted;
}

/** @returns VINs of the vehicles that were deleted, in order */
async function deletePiece(
  tx: Queryable,
  operationId: number,
  after: string,
  before: number,
): Promise<string[]> {
  const rows = await tx.query<{ vin: string }>(
    `select vin from deliveries where operation_id = $1 and vin > $2 and updated_at < $3
     order by operation_id, vin limit ${PIECE} for update skip locked`,
    [operationId, after, new Date(before)],
  );
  const vins = rows.map(({ vin }) => vin);
  // These are large tables, some without statistics: by key, whatever the planner believes.
  await tx.script('set local enable_seqscan = off');
  for (const table of ['delivery_digests', 'messages', 'delivery_log', 'deliveries']) {
    await tx.query(`delete from ${table} where operation_id = $1 and vin = any ($2::text[])`, [
      operationId,
      textArray(vins),
    ]);
  }
  return vins;
}
