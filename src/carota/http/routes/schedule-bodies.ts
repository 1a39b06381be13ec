/** Schedules as the HTTP interface writes them. */
import Type from 'typebox';
import { Nullable, Time } from '../../../service/http/index.js';
import { figuresOf, forOneOf, type PathPoint } from '../../guard/index.js';
import {
  mostWaves,
  type readWaves,
  SchedulePlan,
  type ScheduleRow,
} from '../../schedules/index.js';

export const Schedule = Type.Object(
  {
    'ref-id': Type.String(),
    'script-ref-id': Type.String(),
    model: Type.String(),
    status: Type.Enum(['proposed', 'planned', 'running', 'paused', 'held', 'stopped', 'completed']),
    reason: Type.String({ description: 'Why it is held or stopped.' }),
    plan: SchedulePlan,
    createdAt: Time,
    approvedAt: Nullable(Time),
    startedAt: Nullable(Time),
    endedAt: Nullable(Time),
  },
  { title: 'Schedule' },
);
const Wave = Type.Object(
  {
    number: Type.Integer(),
    state: Type.String(),
    vehicles: Type.Integer(),
    rejected: Type.Integer({ description: 'That the adapter does not know.' }),
    finished: Type.Integer(),
    succeeded: Type.Integer(),
    failed: Type.Integer(),
    rollbackFailed: Type.Integer(),
    postedAt: Nullable(Time),
    passedAt: Nullable(Time),
  },
  { title: 'WaveProgress' },
);
const Decision = Type.Object(
  {
    at: Time,
    wave: Nullable(Type.Integer()),
    decision: Type.String(),
    reason: Type.String(),
    actor: Type.String({ description: 'guard, scheduler, or the name of a token.' }),
    figures: Type.Unknown({
      description: 'Of the test: succeeded, failed, evidence and its two bounds.',
    }),
  },
  { title: 'Decision' },
);
export const WholeSchedule = Type.Object({
  ...Schedule.properties,
  states: Type.Record(Type.String(), Type.Integer(), { description: 'Vehicles by state.' }),
  waves: Type.Array(Wave),
  decisions: Type.Array(Decision),
  guardTest: Nullable(
    Type.Object(
      {
        stopAt: Type.Number({ description: 'At this evidence or above it is stopped.' }),
        goAt: Type.Number({ description: 'At this or below it goes on.' }),
        path: Type.Array(
          Type.Object({
            at: Time,
            fromWave: Type.Integer({ description: 'The test counts from this wave on.' }),
            succeeded: Type.Integer(),
            failed: Type.Integer(),
            evidence: Type.Number({
              description: 'Logarithm of how many times likelier the intolerable rate is.',
            }),
          }),
          { description: 'After each failure and each call-back; the first 5,000.' },
        ),
      },
      { description: 'How the sequential test went; null: the guard has none.' },
    ),
  ),
});
export const ScheduleVehicle = Type.Object({
  vin: Type.String(),
  wave: Type.Integer({ description: '0: the schedule has not started.' }),
  state: Type.String(),
  reason: Nullable(Type.String()),
});
export const Preview = Type.Object(
  {
    vehicles: Type.Integer(),
    unknown: Type.Integer({ description: 'Of these: not known to this server.' }),
    waves: Type.Array(
      Type.Object({
        number: Type.Integer(),
        vehicles: Type.Integer(),
        vins: Type.Array(Type.String(), { description: 'The first of those that it names.' }),
        earliest: Nullable(
          Type.String({ format: 'date-time', description: 'null: after the one before it.' }),
        ),
      }),
    ),
    versions: Type.Array(
      Type.Object({
        ecu: Type.String(),
        version: Nullable(Type.String({ description: 'null: not known.' })),
        vehicles: Type.Integer(),
        accepted: Nullable(
          Type.Boolean({ description: 'Whether the script may start from it; null: not known.' }),
        ),
      }),
    ),
  },
  { title: 'SchedulePreview' },
);
export function scheduleBody(row: ScheduleRow) {
  const { ref_id, script_ref_id, model, status, reason, plan } = row;
  return {
    'ref-id': ref_id,
    'script-ref-id': script_ref_id,
    model,
    status,
    reason,
    plan,
    createdAt: row.created_at,
    approvedAt: row.approved_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

type WaveRow = Awaited<ReturnType<typeof readWaves>>[number];

export const waveBody = ({ posted_at, passed_at, rollback_failed, ...wave }: WaveRow) => ({
  ...wave,
  rollbackFailed: rollback_failed,
  postedAt: posted_at,
  passedAt: passed_at,
});

/** Its bounds, and how the evidence went. */
export function guardTestOf(plan: SchedulePlan, path: readonly PathPoint[]) {
  const test = plan.guard?.test;
  if (!test) return null;
  const { stopAt, goAt } = figuresOf(forOneOf(test, mostWaves(plan)), 0, 0);
  return {
    stopAt,
    goAt,
    path: path.map(({ from_wave, ...point }) => ({ ...point, fromWave: from_wave })),
  };
}
