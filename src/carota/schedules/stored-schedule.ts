/** Schedules and their waves in the database: read under a lock, changed as a record, and written back. */
import { numberArray, type Queryable, textArray, timeArray } from '../../service/database/index.js';
import { type LockedRow, ScheduleRecord, type WaveRow } from './schedule-record.js';
import { COUNTERS } from './wave-counts.js';

/** Locks a schedule until the transaction ends; undefined if it does not exist. */
export async function lockSchedule(
  tx: Queryable,
  by: { readonly id: number } | { readonly refId: string },
): Promise<ScheduleRecord | undefined> {
  const [column, key] = 'id' in by ? ['id', by.id] : ['ref_id', by.refId];
  const [row] = await tx.query<LockedRow>(
    `select id, ref_id, script_ref_id, model, plan, status, test_number, test_from, stop_place, grace_until, exposed, passed, gone_wave,
       operation, intended, intended_at, intended_tries, due_at, reason, created_by, approved_at, approved_by,
       approved_digest, approved_script,
       started_at, ended_at
     from schedules where ${column} = $1 for update`,
    [key],
  );
  return row && new ScheduleRecord(row, await readWaves(tx, row.id));
}

export const readWaves = (database: Queryable, scheduleId: number): Promise<WaveRow[]> =>
  database.query<WaveRow>(
    `select number, vehicles, state, posted_at, passed_at, rejected, ${COUNTERS.join(', ')}
     from waves where schedule_id = $1 order by number`,
    [scheduleId],
  );

/** Writes back all columns that can change. */
export async function saveSchedule(
  tx: Queryable,
  schedule: ScheduleRecord,
  dueAt: number | undefined,
): Promise<void> {
  const { intent } = schedule;
  await tx.query(
    `update schedules
     set status = $2, operation = $3, test_number = $4, test_from = $5, exposed = $6, passed = $7, gone_wave = $8,
       intended = $9, intended_at = $10, intended_tries = $11, due_at = $12, reason = $13, approved_at = $14,
       approved_by = $15, started_at = $16, ended_at = $17, approved_digest = $18, approved_script = $19, stop_place = $20
     where id = $1`,
    [
      schedule.id,
      schedule.status,
      schedule.operation,
      schedule.testNumber,
      schedule.testFrom,
      schedule.exposed,
      schedule.passed,
      schedule.goneWave,
      intent?.operation ?? null,
      intent?.since ?? null,
      intent?.tries ?? 0,
      dueAt === undefined ? null : new Date(dueAt),
      schedule.reason,
      schedule.approval?.at ?? null,
      schedule.approval?.by ?? null,
      schedule.startedAt,
      schedule.endedAt,
      schedule.approval?.digest ?? null,
      schedule.approval?.script ?? null,
      schedule.stopPlace ?? null,
    ],
  );
  await saveWaves(tx, schedule);
}

const COLUMNS = ['rejected', ...COUNTERS] as const;

async function saveWaves(tx: Queryable, { id, waves }: ScheduleRecord): Promise<void> {
  const times = (of: (wave: WaveRow) => Date | null) =>
    timeArray(waves.map((wave) => of(wave)?.getTime() ?? null));
  const columns = COLUMNS.map((name, n) => ({ name, array: `$${n + 6}::int[]` }));
  await tx.query(
    `update waves w
     set state = n.state, posted_at = n.posted_at, passed_at = n.passed_at,
       ${columns.map(({ name }) => `${name} = n.${name}`).join(', ')}
     from unnest($2::int[], $3::text[], $4::timestamptz[], $5::timestamptz[],
       ${columns.map(({ array }) => array).join(', ')})
       as n (number, state, posted_at, passed_at, ${COLUMNS.join(', ')})
     where w.schedule_id = $1 and w.number = n.number`,
    [
      id,
      numberArray(waves.map(({ number }) => number)),
      textArray(waves.map(({ state }) => state)),
      times(({ posted_at }) => posted_at),
      times(({ passed_at }) => passed_at),
      ...COLUMNS.map((name) => numberArray(waves.map((wave) => wave[name]))),
    ],
  );
}
