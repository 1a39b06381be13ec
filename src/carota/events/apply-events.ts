/** Stores events and applies their consequences for vehicle, wave and schedule: each event once. */
import { type ReceivedEvent } from '../../contract/carota-api/index.js';
import { checkOf, parseVin, statusName } from '../../contract/index.js';
import { numberArray, type Queryable, textArray, timeArray } from '../../service/database/index.js';
import { type UpdateScript, Version } from '../../update-script/index.js';
import {
  advance,
  keepConfigurations,
  lockSchedule,
  readScheduleVehicles,
  saveSchedule,
  type ScheduleRecord,
  saveScheduleVehicles,
  type TrackedVehicle,
} from '../schedules/index.js';
import { storeVersions } from '../vehicles/index.js';
import { applyReport } from './apply-report.js';

/** @param tx a transaction @param now ms @returns the number of new events */
export async function applyEvents(
  tx: Queryable,
  events: readonly ReceivedEvent[],
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
  events: readonly ReceivedEvent[],
): Promise<ReceivedEvent[]> {
  const byId = new Map<string, ReceivedEvent>();
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

const vinOf = ({ vin }: ReceivedEvent) => parseVin(vin) ?? vin;

async function applyToSchedule(
  tx: Queryable,
  schedule: ScheduleRecord,
  events: readonly ReceivedEvent[],
  now: number,
): Promise<void> {
  const vins = [...new Set(events.map(vinOf))];
  const vehicles = await readScheduleVehicles(tx, schedule.id, vins);
  const wasExposed = new Set([...vehicles.values()].filter(({ exposure }) => exposure));
  const changed = new Set<TrackedVehicle>();
  for (const event of events) {
    const vehicle = vehicles.get(vinOf(event));
    if (vehicle && applyReport(schedule, vehicle, event, now)) changed.add(vehicle);
  }
  await saveScheduleVehicles(tx, schedule.id, [...changed], now);
  const exposed = [...changed].filter((one) => one.exposure && !wasExposed.has(one));
  await keepConfigurations(
    tx,
    schedule.id,
    exposed.map(({ vin }) => vin),
    now,
  );
  await saveInstalled(tx, schedule, events, now);
  // A due time is never postponed: a decided stop that was not carried out yet does not wait for a deadline.
  const due = Math.min((await advance(tx, schedule, now)) ?? Infinity, schedule.dueAt ?? Infinity);
  await saveSchedule(tx, schedule, due === Infinity ? undefined : due);
}

const version = checkOf(Version);

/** Stores the installed versions: those that the vehicle reports (`version:<ecu>`), otherwise those of the script. */
async function saveInstalled(
  tx: Queryable,
  schedule: ScheduleRecord,
  events: readonly ReceivedEvent[],
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
