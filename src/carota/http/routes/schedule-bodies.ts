/** Schedules in answers of the HTTP interface. */
import {
  type Decision,
  type GuardTest,
  type Schedule,
  type SchedulePlan,
  type Wave,
} from '../../../contract/carota-api/index.js';
import { Problem, type Served } from '../../../service/http/index.js';
import { figuresOf, forOneOf, type PathPoint } from '../../guard/index.js';
import {
  type DecisionRow,
  findSchedule,
  mostWaves,
  type ScheduleRow,
  type WaveRow,
} from '../../schedules/index.js';
import { type CarotaContext } from '../context.js';

export async function scheduleOf({ database }: CarotaContext, refId: string): Promise<ScheduleRow> {
  const schedule = await findSchedule(database, refId);
  if (!schedule) throw new Problem('SCHEDULE_NOT_FOUND', `there is no schedule '${refId}'`);
  return schedule;
}

export const scheduleBody = (row: ScheduleRow): Served<Schedule> => ({
  'ref-id': row.ref_id,
  'script-ref-id': row.script_ref_id,
  model: row.model,
  status: row.status,
  reason: row.reason,
  plan: row.plan,
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
  succeeded: row.succeeded,
  failed: row.failed,
  rollbackFailed: row.rollback_failed,
  postedAt: row.posted_at,
  passedAt: row.passed_at,
});

export const decisionBody = (row: DecisionRow): Served<Decision> => row;

/** The test's bounds, and the course of the evidence. */
export function guardTestOf(
  plan: SchedulePlan,
  path: readonly PathPoint[],
): Served<GuardTest> | null {
  const test = plan.guard?.test;
  if (!test) return null;
  const { stopAt, goAt } = figuresOf(forOneOf(test, mostWaves(plan)), 0, 0);
  return {
    stopAt,
    goAt,
    path: path.map(({ from_wave, ...point }) => ({ ...point, fromWave: from_wave })),
  };
}
