/** Schedules in answers of the HTTP interface. */
import {
  type Decision,
  type Exposure,
  type Schedule,
  type ScheduleVehicle,
  type Wave,
} from '../../../contract/carota-api/index.js';
import { type Scopes } from '../../../contract/index.js';
import { type Served } from '../../../service/http/index.js';
import {
  type DecisionRow,
  capOf,
  findSchedule,
  type ScheduleRow,
  type ScheduleVehicleRow,
  type Waiting,
  type WaveRow,
} from '../../schedules/index.js';
import { type CarotaContext } from '../context.js';
import { planFor } from '../plan-scope.js';
import { unknownSchedule } from '../unknown.js';

/** Position in a list of a schedule's vehicles: a VIN, or the pseudonym of a vehicle that was erased. */
export const LISTED_VEHICLE = /^(?:[A-HJ-NPR-Z0-9]{17}|vin-[0-9a-f]{32})$/;

export async function scheduleOf({ database }: CarotaContext, refId: string): Promise<ScheduleRow> {
  const schedule = await findSchedule(database, refId);
  if (!schedule) throw unknownSchedule(refId);
  return schedule;
}

/** @param scopes of the caller */
export const scheduleBody = (row: ScheduleRow, scopes: Scopes): Served<Schedule> => ({
  'ref-id': row.ref_id,
  'script-ref-id': row.script_ref_id,
  model: row.model,
  status: row.status,
  reason: row.reason,
  plan: planFor(row.plan, scopes),
  createdAt: row.created_at,
  approvedAt: row.approved_at,
  startedAt: row.started_at,
  endedAt: row.ended_at,
});

export const waveBody = (row: WaveRow): Served<Wave> => ({
  number: row.number,
  state: row.state,
  vehicles: row.vehicles,
  rejected: row.rejected,
  finished: row.finished,
  exposed: row.exposed,
  undecided: row.undecided,
  succeeded: row.succeeded,
  failed: row.failed,
  silent: row.silent,
  withdrawn: row.withdrawn,
  failedEarly: row.failed_early,
  rollbackFailed: row.rollback_failed,
  postedAt: row.posted_at,
  passedAt: row.passed_at,
});

export const decisionBody = (row: DecisionRow): Served<Decision> => row;

export const scheduleVehicleBody = ({
  asked_at,
  exposed_at,
  decides_at,
  retry_at,
  silent_at,
  ...row
}: ScheduleVehicleRow): Served<ScheduleVehicle> => ({
  ...row,
  askedAt: asked_at,
  exposedAt: exposed_at,
  decidesAt: decides_at,
  retryAt: retry_at,
  silentAt: silent_at,
});

/** The guard's view of the vehicles of all waves. */
export function exposureOf(
  schedule: ScheduleRow,
  waves: readonly WaveRow[],
  { waiting, retrying, next_deadline: nextDeadline }: Waiting,
): Served<Exposure> {
  const sum = (of: (wave: WaveRow) => number) => waves.reduce((all, wave) => all + of(wave), 0);
  return {
    exposed: sum(({ exposed }) => exposed),
    undecided: sum(({ undecided }) => undecided),
    succeeded: sum(({ succeeded }) => succeeded),
    failed: sum(({ failed }) => failed),
    silent: sum(({ silent }) => silent),
    withdrawn: sum(({ withdrawn }) => withdrawn),
    failedEarly: sum((wave) => wave.failed_early),
    cap: capOf(schedule),
    waiting,
    retrying,
    nextDeadline,
  };
}
