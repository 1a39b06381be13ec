/** A schedule's vehicles while their results change: read and written under the lock of the schedule. */
import { type ExposureResult } from '../../contract/carota-api/index.js';
import { numberArray, type Queryable, textArray, timeArray } from '../../service/database/index.js';
import { type Exposure } from '../guard/index.js';

export interface TrackedVehicle {
  readonly vin: string;
  readonly wave: number;
  state: string;
  reason: string | null;
  /** Time of the newest event. */
  at: Date | null;
  rank: number | null;
  id: string | null;
  hasConsented: boolean;
  /** Place in the order of exposure, from 1. */
  place: number | null;
  /** Undefined until the vehicle is exposed. */
  exposure: Exposure | undefined;
  /** When the exposure cap first deferred its admission, ms. */
  askedAt: number | undefined;
  /** Number of retries so far. */
  tries: number;
  /** When its failure is retried, ms. */
  retryAt: number | undefined;
  /** The attempt that this retry follows, stored once the retry is in progress; see `Retries`. */
  readonly retryFrom: number | undefined;
}

interface Row extends Pick<
  TrackedVehicle,
  'vin' | 'wave' | 'state' | 'reason' | 'at' | 'rank' | 'id' | 'place' | 'tries'
> {
  readonly has_consented: boolean;
  readonly asked_at: Date | null;
  readonly exposed_at: Date | null;
  readonly result: ExposureResult | null;
  readonly decides_at: Date | null;
  readonly silent_at: Date | null;
  readonly retry_at: Date | null;
  readonly retry_from: number | null;
}

export async function readScheduleVehicles(
  tx: Queryable,
  scheduleId: number,
  vins: readonly string[],
): Promise<Map<string, TrackedVehicle>> {
  const rows = await tx.query<Row>(
    `select vin, wave, state, reason, (newest).at, (newest).rank, (newest).id, has_consented, asked_at, place,
       exposed_at, result, decides_at, silent_at, tries, retry_at, retry_from
     from schedule_vehicles where schedule_id = $1 and vin = any($2::text[])`,
    [scheduleId, textArray(vins)],
  );
  return new Map(rows.map((row) => [row.vin, vehicleOf(row)]));
}

function vehicleOf(row: Row): TrackedVehicle {
  const { vin, wave, state, reason, at, rank, id, place, tries } = row;
  const { has_consented: hasConsented, asked_at, exposed_at, result, decides_at, silent_at } = row;
  const exposure = exposed_at &&
    result && {
      result,
      at: exposed_at.getTime(),
      decidesAt: decides_at?.getTime(),
      silentAt: silent_at?.getTime(),
    };
  return {
    ...{ vin, wave, state, reason, at, rank, id, place, hasConsented, tries },
    exposure: exposure ?? undefined,
    askedAt: asked_at?.getTime(),
    retryAt: row.retry_at?.getTime(),
    retryFrom: row.retry_from ?? undefined,
  };
}

/**
 * A changed time means a new retry, so the attempt that it follows is cleared. Changed results become steps of the vehicle's
 * timeline.
 *
 * @param now ms
 */
export async function saveScheduleVehicles(
  tx: Queryable,
  scheduleId: number,
  vehicles: readonly TrackedVehicle[],
  now: number,
): Promise<void> {
  if (vehicles.length === 0) return;
  const texts = (of: (vehicle: TrackedVehicle) => string | null) => textArray(vehicles.map(of));
  const times = (of: (vehicle: TrackedVehicle) => number | undefined) =>
    timeArray(vehicles.map((vehicle) => of(vehicle) ?? null));
  await noteResults(tx, scheduleId, vehicles, now);
  await tx.query(
    `update schedule_vehicles v
     set state = n.state, reason = n.reason,
       newest = case when n.at is null then v.newest else (n.at, n.rank, n.id, n.state)::event_position end,
       has_consented = n.has_consented, asked_at = n.asked_at, place = n.place, exposed_at = n.exposed_at,
       result = n.result, decides_at = n.decides_at, silent_at = n.silent_at, tries = n.tries, retry_at = n.retry_at,
       retry_from = case when n.retry_at is not distinct from v.retry_at then v.retry_from end
     from unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::smallint[], $7::text[], $8::boolean[],
       $9::timestamptz[], $10::int[], $11::timestamptz[], $12::text[], $13::timestamptz[], $14::timestamptz[],
       $15::int[], $16::timestamptz[])
       as n (vin, state, reason, at, rank, id, has_consented, asked_at, place, exposed_at, result, decides_at, silent_at,
         tries, retry_at)
     where v.schedule_id = $1 and v.vin = n.vin`,
    [
      scheduleId,
      texts(({ vin }) => vin),
      texts(({ state }) => state),
      texts(({ reason }) => reason),
      times(({ at }) => at?.getTime()),
      numberArray(vehicles.map(({ rank }) => rank)),
      texts(({ id }) => id),
      texts(({ hasConsented }) => String(hasConsented)),
      times(({ askedAt }) => askedAt),
      numberArray(vehicles.map(({ place }) => place)),
      times(({ exposure }) => exposure?.at),
      texts(({ exposure }) => exposure?.result ?? null),
      times(({ exposure }) => exposure?.decidesAt),
      times(({ exposure }) => exposure?.silentAt),
      numberArray(vehicles.map(({ tries }) => tries)),
      times(({ retryAt }) => retryAt),
    ],
  );
}

/** Call before saving. Exposure itself is not a result. */
async function noteResults(
  tx: Queryable,
  scheduleId: number,
  vehicles: readonly TrackedVehicle[],
  now: number,
): Promise<void> {
  await tx.query(
    `insert into vehicle_steps (schedule_id, vin, at, step)
     select $1, v.vin, $4, n.result
     from unnest($2::text[], $3::text[]) as n (vin, result)
     join schedule_vehicles v on v.schedule_id = $1 and v.vin = n.vin
     where n.result <> coalesce(v.result, 'undecided')`,
    [
      scheduleId,
      textArray(vehicles.map(({ vin }) => vin)),
      textArray(vehicles.map(({ exposure }) => exposure?.result ?? null)),
      new Date(now),
    ],
  );
}
