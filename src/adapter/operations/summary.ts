/**
 * Summary of an operation beyond its counters: funnel, failure reasons, durations of phases, throughput and expected
 * completion. It reads all vehicles of the operation, so the result is cached, longer the more it cost.
 */
import {
  type Estimate,
  type FailureReason,
  type Summary,
} from '../../contract/adapter-api/index.js';
import {
  DELIVERY_ENDED,
  EVENT_STATUS,
  EVENT_STATUS_NAMES,
  FINISHED,
  reachedMask,
  type Scopes,
  STAGES,
  UNSUCCESSFUL,
} from '../../contract/index.js';
import { scopesParameter, vehicleInScope } from '../../service/access/index.js';
import { nameList, only, type Queryable, textArray } from '../../service/database/index.js';
import { type Served } from '../../service/http/index.js';
import { phaseDurations, type VehicleTimes } from './phases.js';
import { type OperationSummary } from './progress.js';

const MAX_REASONS = 100;
const SAMPLE = 5_000;
/** The throughput is measured over the shortest of these in which enough vehicles have finished. */
const WINDOWS_SECONDS = [300, 3_600, 86_400] as const;
const ENOUGH = 30;

export async function summarise(
  database: Queryable,
  operation: OperationSummary,
  now: number,
  scopes: Scopes = null,
): Promise<Served<Summary>> {
  const counts = await scan(database, operation.id, now);
  const sample = await sampleTimes(database, operation.id, counts.acknowledged);
  return {
    at: new Date(now),
    states: operation.progress.states,
    funnel: [
      { stage: 'triggered', vehicles: counts.vehicles },
      { stage: 'sent', vehicles: counts.sent },
      { stage: 'acknowledged', vehicles: counts.acknowledged },
      ...STAGES.map((stage) => ({ stage, vehicles: counts[`reached_${stage}`] ?? 0 })),
    ],
    failureReasons: await failureReasons(database, operation.id, scopes),
    phases: phaseDurations(sample),
    sampledVehicles: sample.length,
    sends: counts.sends,
    estimate: estimate(operation.progress.open, counts, {
      now,
      start: operation.created_at.getTime(),
      isPaused: operation.status === 'paused',
    }),
  };
}

type Counts = Readonly<Record<string, number>> & {
  readonly vehicles: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly sends: number;
};

const ended = nameList([...FINISHED, ...DELIVERY_ENDED]);

/** One pass over the operation's vehicles. */
const SCAN = /* sql */ `
select count(*) as vehicles,
  count(*) filter (where sends > 0 or delivery = 'acknowledged') as sent,
  count(*) filter (where acknowledged_at is not null) as acknowledged,
  coalesce(sum(sends), 0)::bigint as sends,
  ${STAGES.map(
    (stage) =>
      `count(*) filter (where reached & ${reachedMask(EVENT_STATUS[stage])} <> 0) as reached_${stage}`,
  ).join(',\n  ')},
  ${WINDOWS_SECONDS.map(
    (seconds) =>
      `count(*) filter (where state in (${ended}) and updated_at > $2::timestamptz - interval '${seconds} seconds') as finished_${seconds}`,
  ).join(',\n  ')}
from deliveries where operation_id = $1`;

async function scan(database: Queryable, operationId: number, now: number): Promise<Counts> {
  return only(await database.query<Counts>(SCAN, [operationId, new Date(now)]));
}

/** In the words of vehicles of these models. */
function failureReasons(
  database: Queryable,
  operationId: number,
  scopes: Scopes,
): Promise<FailureReason[]> {
  return database.query<FailureReason>(
    `select state, coalesce(reason, '') as reason, count(*) as vehicles from deliveries
     where operation_id = $1 and state = any ($2::text[]) and ${vehicleInScope('deliveries.vin', '$3')}
     group by 1, 2 order by vehicles desc, state, reason limit ${MAX_REASONS}`,
    [operationId, textArray([...UNSUCCESSFUL]), scopesParameter(scopes)],
  );
}

/** Throughput and expected completion. @param open number of open vehicles @param finished counts by window */
export function estimate(
  open: number,
  finished: Readonly<Record<string, number>>,
  {
    now,
    start,
    isPaused = false,
  }: { readonly now: number; readonly start: number; readonly isPaused?: boolean },
): Served<Estimate> {
  const window =
    WINDOWS_SECONDS.find((seconds) => (finished[`finished_${seconds}`] ?? 0) >= ENOUGH) ??
    WINDOWS_SECONDS[1];
  // No vehicle can have finished before the start.
  const windowSeconds = Math.min(window, Math.max(1, Math.ceil((now - start) / 1000)));
  // Without open vehicles the rate is 0, however many have finished lately.
  const finishedPerMinute =
    open === 0 ? 0 : ((finished[`finished_${window}`] ?? 0) / windowSeconds) * 60;
  const minutes = open === 0 ? 0 : isPaused ? Infinity : open / finishedPerMinute;
  return {
    finishedPerMinute,
    windowSeconds,
    completionAt: Number.isFinite(minutes) ? new Date(now + minutes * 60_000) : null,
  };
}

interface TimesRow {
  readonly triggered_at: Date;
  readonly acknowledged_at: Date | null;
  readonly events: Readonly<Record<string, number>> | null;
}

const SAMPLE_TIMES = /* sql */ `
select d.triggered_at, d.acknowledged_at, (
    select json_object_agg(status, at) from (
      select status, min(extract(epoch from event_at) * 1000)::bigint as at from messages m
      where m.operation_id = $1 and m.vin = d.vin and m.attempt = d.attempt and status is not null
      group by status
    ) first
  ) as events
from (
  select vin, attempt, triggered_at, acknowledged_at from deliveries
  where operation_id = $1 and acknowledged_at is not null
    and (hashtext(vin) & 2147483647) % $2 = 0
  limit ${SAMPLE}
) d`;

/** Always the same vehicles, chosen by a hash of their VIN. */
async function sampleTimes(
  database: Queryable,
  operationId: number,
  acknowledged: number,
): Promise<VehicleTimes[]> {
  const oneOf = Math.max(1, Math.ceil(acknowledged / SAMPLE));
  const rows = await database.query<TimesRow>(SAMPLE_TIMES, [operationId, oneOf]);
  return rows.map(({ triggered_at, acknowledged_at, events }) => ({
    triggered: triggered_at.getTime(),
    acknowledged: acknowledged_at?.getTime(),
    events: new Map(
      Object.entries(events ?? {}).flatMap(([status, at]) => {
        const name = NAME_OF.get(status);
        return name === undefined ? [] : [[name, at]];
      }),
    ),
  }));
}

const NAME_OF = new Map(EVENT_STATUS_NAMES.map((name) => [String(EVENT_STATUS[name]), name]));
