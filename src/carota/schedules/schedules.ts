/** Schedules: creation, lists, and people's actions. */
import {
  type ExposureResult,
  type ScheduleAction,
  type SchedulePlan,
  type ScheduleStatus,
  type ScheduleVehicle,
} from '../../contract/carota-api/index.js';
import { type FieldError, parseTimestamp, type Scopes } from '../../contract/index.js';
import { modelInScope, scopesParameter, vehicleInScope } from '../../service/access/index.js';
import { recordRequest } from '../../service/audit/index.js';
import { type Database, type Queryable, textArray } from '../../service/database/index.js';
import { selectVehicles } from '../vehicles/index.js';
import { contentOf } from './approval-digest.js';
import { ScheduleConflict } from './conflict.js';
import { noteDecision } from './decisions.js';
import { type GuardState } from './exposure.js';
import { scriptOf } from './preview.js';
import { type ScheduleRecord } from './schedule-record.js';
import { lockSchedule, saveSchedule } from './stored-schedule.js';

export interface ScheduleRow extends GuardState {
  readonly ref_id: string;
  readonly script_ref_id: string;
  readonly model: string;
  readonly status: ScheduleStatus;
  readonly reason: string;
  readonly created_at: Date;
  readonly approved_at: Date | null;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
}

const COLUMNS =
  'id, ref_id, script_ref_id, model, plan, status, reason, test_number, test_from, passed, created_at, approved_at, started_at, ended_at';

/** Whether a schedule needs approval before it starts, and whose. */
export type ApprovalRule = 'none' | 'anyone' | 'second-person';

/** A token's identity. */
interface Person {
  readonly id: string;
  readonly name: string;
}

/**
 * Stores a schedule with its vehicles. It starts at its start time, or once it is approved.
 *
 * @returns fields of the plan that refer to something that does not exist
 * @throws ScheduleConflict
 */
export async function createSchedule(
  database: Database,
  plan: SchedulePlan,
  { by, approval }: { readonly by: Person; readonly approval: ApprovalRule },
  now: number,
): Promise<readonly FieldError[]> {
  const { 'ref-id': refId, 'script-ref-id': scriptRefId, model, vins = [], ...rest } = plan;
  return database.transaction(async (tx) => {
    const script = await scriptOf(tx, plan);
    if ('message' in script) return [script];
    const stored = JSON.stringify({
      'ref-id': refId,
      'script-ref-id': scriptRefId,
      model,
      ...rest,
    });
    const isFree = approval === 'none';
    const due = rest.start === undefined ? now : parseTimestamp(rest.start);
    const [made] = await tx.query<{ id: number }>(
      `insert into schedules (ref_id, script_ref_id, model, plan, status, due_at, created_at, created_by)
       values ($1, $2, $3, $4, $8, $5, $6, $7) on conflict (ref_id) do nothing returning id`,
      [
        refId,
        scriptRefId,
        model,
        stored,
        isFree ? new Date(due) : null,
        new Date(now),
        by.id,
        isFree ? 'planned' : 'proposed',
      ],
    );
    if (!made) {
      throw new ScheduleConflict('SCHEDULE_EXISTS', `schedule '${refId}' already exists`);
    }
    await addVins(tx, made.id, vins);
    await recordRequest(tx, now, { refId, detail: { model, 'script-ref-id': scriptRefId } });
    if (!isFree) {
      // Fixed now: an approval covers a list of vehicles, regardless of later changes to their tags.
      if (plan.filter) await selectVehicles(tx, made.id, model, plan.filter);
      const proposal = { decision: 'propose', reason: '', actor: by.name } as const;
      await noteDecision(tx, made.id, proposal, now);
    }
    return [];
  });
}

async function addVins(tx: Queryable, id: number, vins: readonly string[]): Promise<void> {
  const CHUNK = 50_000;
  for (let start = 0; start < vins.length; start += CHUNK) {
    await tx.query(
      `insert into schedule_vehicles (schedule_id, vin) select distinct $1::bigint, vin
       from unnest($2::text[]) as given (vin) on conflict do nothing`,
      [id, textArray(vins.slice(start, start + CHUNK).map((vin) => vin.toUpperCase()))],
    );
  }
}

/** Adds vehicles to a schedule that has neither started nor been approved. @throws ScheduleConflict */
export async function addVehicles(
  database: Database,
  refId: string,
  vins: readonly string[],
  now: number,
): Promise<void> {
  await database.transaction(async (tx) => {
    const schedule = await lockSchedule(tx, { refId });
    if (!schedule) throw noSchedule(refId);
    if (schedule.approval) {
      throw new ScheduleConflict(
        'SCHEDULE_APPROVED',
        'no vehicles can be added after the approval',
      );
    }
    if (schedule.status !== 'planned' && schedule.status !== 'proposed') {
      throw new ScheduleConflict('SCHEDULE_STATUS', 'no vehicles can be added after the start');
    }
    await addVins(tx, schedule.id, vins);
    await recordRequest(tx, now, { detail: { vehicles: vins.length } });
  });
}

/** Actor, reason and approval rule of an action. */
interface ActOptions {
  readonly by: Person;
  readonly reason: string;
  readonly approval: ApprovalRule;
  /** For an approval: the digest to be approved. */
  readonly digest?: string | undefined;
}

/**
 * A person's action on a schedule.
 *
 * @param now ms
 * @throws ScheduleConflict
 */
export async function act(
  database: Database,
  refId: string,
  action: ScheduleAction,
  { by, reason, approval, digest }: ActOptions,
  now: number,
): Promise<void> {
  await database.transaction(async (tx) => {
    const schedule = await lockSchedule(tx, { refId });
    if (!schedule) throw noSchedule(refId);
    if (action === 'approve') await approve(tx, schedule, { by, approval, digest }, now);
    else if (!schedule.apply(action, now, reason)) return;
    const decision = { decision: action, reason, actor: by.name, wave: schedule.current?.number };
    await noteDecision(tx, schedule.id, decision, now);
    await saveSchedule(tx, schedule, now);
    await recordRequest(tx, now, { detail: digest === undefined ? {} : { digest } });
  });
}

/** @throws ScheduleConflict, also if a second person is required and the actor is the proposer */
async function approve(
  tx: Queryable,
  schedule: ScheduleRecord,
  { by, approval, digest }: Omit<ActOptions, 'reason'>,
  now: number,
): Promise<void> {
  if (approval === 'second-person' && schedule.createdBy === by.id) {
    const message = 'the proposer cannot approve the schedule: a second person must';
    throw new ScheduleConflict('SECOND_PERSON_NEEDED', message);
  }
  const content = await contentOf(tx, schedule.id);
  if (approval !== 'none' && !content.isScriptApproved) {
    const message = `update script '${schedule.scriptRefId}' is not approved`;
    throw new ScheduleConflict('SCRIPT_NOT_APPROVED', message);
  }
  if (content.digest !== digest) {
    const message = `the schedule's digest is ${content.digest}, not ${digest}`;
    throw new ScheduleConflict('DIGEST_MISMATCH', message);
  }
  schedule.approve({ by: by.id, digest: content.digest, script: content.scriptSha256 }, now);
}

const noSchedule = (refId: string) =>
  new ScheduleConflict('SCHEDULE_NOT_FOUND', `there is no schedule '${refId}'`);

export async function findSchedule(
  database: Queryable,
  refId: string,
): Promise<ScheduleRow | undefined> {
  const rows = await database.query<ScheduleRow>(
    `select ${COLUMNS} from schedules where ref_id = $1`,
    [refId],
  );
  return rows[0];
}

export interface SchedulePage {
  /** Id of the previous page's last schedule. */
  readonly before: number | undefined;
  readonly limit: number;
  /** Only schedules of these models. */
  readonly scopes: Scopes;
}

/** Newest first. */
export const listSchedules = (
  database: Queryable,
  { before, limit, scopes }: SchedulePage,
): Promise<ScheduleRow[]> =>
  database.query<ScheduleRow>(
    `select ${COLUMNS} from schedules
     where ($1::bigint is null or id < $1) and ${modelInScope('model', '$3')}
     order by id desc limit $2`,
    [before ?? null, limit, scopesParameter(scopes)],
  );

/** A vehicle without reports is `triggered` once its wave is. */
const STATE = `case when v.state = 'waiting' and w.state in ('running', 'passed', 'stopped') then 'triggered'
  else v.state end`;
const OF_SCHEDULE = `from schedule_vehicles v
  left join waves w on w.schedule_id = v.schedule_id and w.number = v.wave`;

/** The number of vehicles by state. */
export async function countStates(
  database: Queryable,
  id: number,
): Promise<Record<string, number>> {
  const rows = await database.query<{ state: string; count: number }>(
    `select ${STATE} as state, count(*) as count ${OF_SCHEDULE} where v.schedule_id = $1
     group by 1 order by 1`,
    [id],
  );
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

export interface ScheduleVehicleRow extends Pick<
  ScheduleVehicle,
  'vin' | 'wave' | 'state' | 'reason' | 'place' | 'result' | 'tries'
> {
  readonly asked_at: Date | null;
  readonly exposed_at: Date | null;
  readonly decides_at: Date | null;
  readonly retry_at: Date | null;
  readonly silent_at: Date | null;
}

export const listScheduleVehicles = (
  database: Queryable,
  id: number,
  page: {
    readonly after: string;
    readonly limit: number;
    readonly state?: string | undefined;
    readonly wave?: number | undefined;
    readonly result?: ExposureResult | undefined;
    /** Only vehicles of these models. */
    readonly scopes?: Scopes;
  },
): Promise<ScheduleVehicleRow[]> =>
  database.query<ScheduleVehicleRow>(
    `select v.vin, v.wave, ${STATE} as state, v.reason, v.asked_at, v.place, v.exposed_at, v.result, v.decides_at,
       v.tries, v.retry_at, v.silent_at
     ${OF_SCHEDULE}
     where v.schedule_id = $1 and v.vin > $2 and ($4::text is null or ${STATE} = $4)
       and ($5::integer is null or v.wave = $5) and ($6::text is null or v.result = $6)
       and ${vehicleInScope('v.vin', '$7')}
     order by v.vin limit $3`,
    [
      id,
      page.after,
      page.limit,
      page.state ?? null,
      page.wave ?? null,
      page.result ?? null,
      scopesParameter(page.scopes ?? null),
    ],
  );
