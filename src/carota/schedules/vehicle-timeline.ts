/** The guard's part of a vehicle's timeline: exposure, results, retries and deadlines, from the database. */
import {
  type ExposureResult,
  type SchedulePlan,
  type ScheduleStatus,
  type VehicleTimelineEntry,
} from '../../contract/carota-api/index.js';
import { type Queryable } from '../../service/database/index.js';
import { type Served } from '../../service/http/index.js';
import { dueOf } from '../guard/index.js';
import { deadlinesOf } from './schedule-record.js';
import { isEnded } from './transitions.js';

type Entry = Served<VehicleTimelineEntry>;
/** The same limit as for a vehicle's reports. The plan bounds retries, so there are seldom more than a few steps. */
const MAX_STEPS = 1_000;

interface Standing {
  readonly ref_id: string;
  readonly plan: SchedulePlan;
  readonly status: ScheduleStatus;
  readonly state: string;
  readonly asked_at: Date | null;
  readonly place: number | null;
  readonly exposed_at: Date | null;
  readonly decides_at: Date | null;
  readonly retry_at: Date | null;
}

interface Step {
  readonly ref_id: string;
  readonly at: Date;
  readonly step: ExposureResult | 'retried';
}

/**
 * Not sorted. @param refId limits the steps to this schedule
 *
 * @returns undefined: the vehicle is in no schedule
 */
export async function readVehicleSteps(
  database: Queryable,
  vin: string,
  refId?: string,
): Promise<Entry[] | undefined> {
  const parameters = [vin, refId ?? null];
  const standings = await database.query<Standing>(
    `select s.ref_id, s.plan, s.status, v.state, v.asked_at, v.place, v.exposed_at, v.decides_at, v.retry_at
     from schedule_vehicles v join schedules s on s.id = v.schedule_id
     where v.vin = $1 and ($2::text is null or s.ref_id = $2)
     order by s.id desc limit ${MAX_STEPS}`,
    parameters,
  );
  if (standings.length === 0) return undefined;
  const steps = await database.query<Step>(
    `select s.ref_id, v.at, v.step from vehicle_steps v join schedules s on s.id = v.schedule_id
     where v.vin = $1 and ($2::text is null or s.ref_id = $2)
     order by v.id desc limit ${MAX_STEPS}`,
    parameters,
  );
  return [...standings.flatMap(entriesOf), ...steps.map(stepEntry)];
}

const stepEntry = ({ ref_id: refId, at, step }: Step): Entry =>
  step === 'retried'
    ? { kind: 'retried', at, 'ref-id': refId }
    : { kind: 'result', at, 'ref-id': refId, result: step };

function entriesOf(standing: Standing): Entry[] {
  const { ref_id, asked_at, exposed_at, place } = standing;
  const ofSchedule = { 'ref-id': ref_id };
  return [
    ...(asked_at ? [{ kind: 'asked' as const, at: asked_at, ...ofSchedule }] : []),
    ...(exposed_at && place !== null
      ? [{ kind: 'exposed' as const, at: exposed_at, ...ofSchedule, place }]
      : []),
    ...dueEntries(standing).map((due) => ({ kind: 'due' as const, ...ofSchedule, ...due })),
  ];
}

function dueEntries({ plan, status, state, exposed_at, decides_at, retry_at }: Standing) {
  const deadline = exposed_at &&
    decides_at && {
      at: decides_at,
      ...dueOf(
        { state, at: exposed_at.getTime(), decidesAt: decides_at.getTime() },
        deadlinesOf(plan),
      ),
    };
  const retry = retry_at && {
    at: retry_at,
    becomes: 'retried' as const,
    because: `the plan retries ${state}`,
    unless:
      status === 'running' || isEnded(status)
        ? 'it reports something first, or the schedule ends'
        : `the schedule is still ${status} then`,
  };
  return [deadline, retry].filter((due) => due !== null);
}
