/** Stores events and applies their consequences for vehicle, wave and schedule: each event once. */
import {
  type CallbackEvent,
  checkOf,
  FINISHED,
  lifecycleRank,
  parseVin,
  reasonOf,
  statusName,
} from '../../contract/index.js';
import { numberArray, type Queryable, textArray, timeArray } from '../../service/database/index.js';
import { type UpdateScript, Version } from '../../update-script/index.js';
import { PathNotes, verdictOf } from '../guard/index.js';
import { advance, lockSchedule, saveSchedule, type ScheduleRecord } from '../schedules/index.js';
import { storeVersions } from '../vehicles/index.js';

/** @param tx a transaction @param now ms @returns the number of new events */
export async function applyEvents(
  tx: Queryable,
  events: readonly CallbackEvent[],
  now: number,
): Promise<number> {
  const fresh = await storeEvents(tx, events);
  // Always in the same order, so that two concurrent call-backs cannot deadlock.
  const refIds = [...new Set(fresh.map((event) => event['ref-id']))].sort();
  for (const refId of refIds) {
    const schedule = await lockSchedule(tx, { refId });
    const ofSchedule = fresh.filter((event) => event['ref-id'] === refId);
    if (schedule) await applyToSchedule(tx, schedule, ofSchedule, now);
  }
  return fresh.length;
}

/** @returns the new events, in their order */
async function storeEvents(
  tx: Queryable,
  events: readonly CallbackEvent[],
): Promise<CallbackEvent[]> {
  const byId = new Map<string, CallbackEvent>();
  for (const event of events) if (!byId.has(event['event-id'])) byId.set(event['event-id'], event);
  const distinct = [...byId.values()];
  const inserted = await tx.query<{ event_id: string }>(
    `insert into events (event_id, ref_id, vin, status, status_name, meta, at, received_at)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::jsonb[],
       $7::timestamptz[], $8::timestamptz[])
     on conflict do nothing returning event_id`,
    [
      textArray(distinct.map((event) => event['event-id'])),
      textArray(distinct.map((event) => event['ref-id'])),
      textArray(distinct.map(vinOf)),
      numberArray(distinct.map(({ status }) => status)),
      textArray(distinct.map(({ status }) => statusName(status))),
      textArray(distinct.map(({ meta }) => JSON.stringify(meta))),
      timeArray(distinct.map(({ timestamp }) => timestamp)),
      timeArray(distinct.map((event) => event['received-at'])),
    ],
  );
  const isNew = new Set(inserted.map(({ event_id }) => event_id));
  return distinct.filter((event) => isNew.has(event['event-id']));
}

const vinOf = ({ vin }: CallbackEvent) => parseVin(vin) ?? vin;

interface Vehicle {
  readonly vin: string;
  readonly wave: number;
  state: string;
  reason: string | null;
  /** Of the newest event. */
  at: Date | null;
  rank: number | null;
  id: string | null;
}

async function applyToSchedule(
  tx: Queryable,
  schedule: ScheduleRecord,
  events: readonly CallbackEvent[],
  now: number,
): Promise<void> {
  const vehicles = await readVehicles(tx, schedule.id, events);
  const changed = new Set<Vehicle>();
  const path = new PathNotes();
  // Checking too early does no harm.
  let due: number | undefined;
  const advanceNow = async () => {
    const next = await advance(tx, schedule, now);
    if (next !== undefined) due = Math.min(due ?? next, next);
  };
  for (const event of events) {
    const vehicle = vehicles.get(vinOf(event));
    if (!vehicle || !isNewer(event, vehicle)) continue;
    const before = standingOf(vehicle.state);
    take(event, vehicle);
    changed.add(vehicle);
    const after = standingOf(vehicle.state);
    if (before.verdict === after.verdict && before.finished === after.finished) continue;
    schedule.move(vehicle.wave, before, after);
    const figures = schedule.state(now).judgement?.figures;
    if (figures) path.note(schedule.testFromWave, figures);
    // After each vehicle, so that the test stops the schedule, or lets the next wave start, as early as possible.
    await advanceNow();
  }
  await saveVehicles(tx, schedule.id, [...changed]);
  await path.save(tx, schedule.id, now);
  await saveInstalled(tx, schedule, events, now);
  await advanceNow();
  await saveSchedule(tx, schedule, due);
}

async function readVehicles(
  tx: Queryable,
  scheduleId: number,
  events: readonly CallbackEvent[],
): Promise<Map<string, Vehicle>> {
  const rows = await tx.query<Vehicle>(
    `select vin, wave, state, reason, (newest).at, (newest).rank, (newest).id
     from schedule_vehicles where schedule_id = $1 and vin = any($2::text[])`,
    [scheduleId, textArray([...new Set(events.map(vinOf))])],
  );
  return new Map(rows.map((row) => [row.vin, row]));
}

/** By time, then by lifecycle rank (contract section 5.2). */
function isNewer(event: CallbackEvent, { at, rank, id }: Vehicle): boolean {
  if (at === null) return true;
  const order =
    event.timestamp - at.getTime() ||
    lifecycleRank(event.status) - (rank ?? 0) ||
    (event['event-id'] > (id ?? '') ? 1 : -1);
  return order > 0;
}

function take(event: CallbackEvent, vehicle: Vehicle): void {
  vehicle.at = new Date(event.timestamp);
  vehicle.rank = lifecycleRank(event.status);
  vehicle.id = event['event-id'];
  vehicle.state = statusName(event.status);
  vehicle.reason = reasonOf(event.meta);
}

const standingOf = (state: string) => ({
  verdict: verdictOf(state),
  finished: FINISHED.has(state),
  rollbackFailed: state === 'rollback_fail',
});

async function saveVehicles(
  tx: Queryable,
  scheduleId: number,
  vehicles: readonly Vehicle[],
): Promise<void> {
  if (vehicles.length === 0) return;
  await tx.query(
    `update schedule_vehicles v
     set state = n.state, reason = n.reason, newest = (n.at, n.rank, n.id, n.state)::event_position
     from unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::smallint[], $7::text[])
       as n (vin, state, reason, at, rank, id)
     where v.schedule_id = $1 and v.vin = n.vin`,
    [
      scheduleId,
      textArray(vehicles.map(({ vin }) => vin)),
      textArray(vehicles.map(({ state }) => state)),
      textArray(vehicles.map(({ reason }) => reason)),
      timeArray(vehicles.map(({ at }) => at?.getTime() ?? null)),
      numberArray(vehicles.map(({ rank }) => rank)),
      textArray(vehicles.map(({ id }) => id)),
    ],
  );
}

const version = checkOf(Version);

/** Stores the installed versions: those that the vehicle reports (`version:<ecu>`), otherwise those of the script. */
async function saveInstalled(
  tx: Queryable,
  schedule: ScheduleRecord,
  events: readonly CallbackEvent[],
  now: number,
): Promise<void> {
  const succeeded = events.filter(({ status }) => statusName(status) === 'success');
  if (succeeded.length === 0) return;
  const [row] = await tx.query<{ script: UpdateScript }>(
    'select script from update_scripts where script_ref_id = $1',
    [schedule.scriptRefId],
  );
  const byScript = (row?.script.ecus ?? []).map(({ ecu, version }) => ({ ecu, version }));
  const installed = new Map<string, { vin: string; ecu: string; version: string }>();
  for (const event of succeeded) {
    const reported = event.meta.flatMap(({ key, value }) => {
      const [, ecu] = /^version:([A-Za-z0-9][\w-]{0,63})$/.exec(key) ?? [];
      return ecu === undefined ? [] : [{ ecu, version: value }];
    });
    for (const software of reported.length > 0 ? reported : byScript) {
      if (!version.matches(software.version)) continue;
      const vin = vinOf(event);
      installed.set(`${vin} ${software.ecu}`, { vin, ...software });
    }
  }
  await storeVersions(tx, [...installed.values()], schedule.refId, now);
}
