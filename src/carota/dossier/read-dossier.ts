/** Reads everything stored about a schedule, page by page. Run it in one transaction with a single snapshot. */
import {
  type ExposureResult,
  type Figures,
  type ScheduleStatus,
} from '../../contract/carota-api/index.js';
import { type ScheduleVehicleStateName } from '../../contract/index.js';
import { AUDIT_COLUMNS, type ChainedRow } from '../../service/audit/index.js';
import { type Queryable, textArray } from '../../service/database/index.js';
import { type UpdateScript } from '../../update-script/index.js';
import { type EventRow } from '../events/index.js';

export interface CampaignRow {
  readonly id: number;
  readonly ref_id: string;
  readonly script_ref_id: string;
  readonly model: string;
  readonly plan: object;
  readonly status: ScheduleStatus;
  readonly reason: string;
  readonly created_at: Date;
  readonly created_by: string;
  readonly approved_at: Date | null;
  readonly approved_by: string | null;
  readonly approved_digest: string | null;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
  readonly vehicles: number;
  readonly script: UpdateScript;
  readonly script_created_at: Date;
  readonly script_created_by: string;
  readonly script_approved_at: Date | null;
  readonly script_approved_by: string | null;
  readonly script_approved_sha256: string | null;
}

export async function readCampaign(tx: Queryable, refId: string): Promise<CampaignRow | undefined> {
  const [row] = await tx.query<CampaignRow>(
    `select s.id, s.ref_id, s.script_ref_id, s.model, s.plan, s.status, s.reason, s.created_at, s.created_by,
       s.approved_at, s.approved_by, s.approved_digest, s.started_at, s.ended_at,
       (select count(*) from schedule_vehicles v where v.schedule_id = s.id) as vehicles,
       u.script, u.created_at as script_created_at, u.created_by as script_created_by,
       u.approved_at as script_approved_at, u.approved_by as script_approved_by,
       u.approved_sha256 as script_approved_sha256
     from schedules s join update_scripts u on u.script_ref_id = s.script_ref_id
     where s.ref_id = $1`,
    [refId],
  );
  return row;
}

/** Names of tokens, by id. */
export async function readNames(
  tx: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await tx.query<{ id: string; name: string }>(
    'select id, name from tokens where id = any($1::text[])',
    [textArray(ids)],
  );
  return new Map(rows.map(({ id, name }) => [id, name]));
}

export interface TestRow {
  readonly number: number;
  readonly at: Date;
  readonly decision: 'stop' | 'go';
  readonly figures: Figures;
}

export const readTests = (tx: Queryable, scheduleId: number): Promise<TestRow[]> =>
  tx.query<TestRow>(
    'select number, at, decision, figures from guard_tests where schedule_id = $1 order by number',
    [scheduleId],
  );

export interface DossierVehicleRow {
  readonly vin: string;
  readonly wave: number;
  readonly state: ScheduleVehicleStateName;
  readonly reason: string | null;
  readonly place: number | null;
  readonly exposed_at: Date | null;
  readonly result: ExposureResult | null;
  readonly silent_at: Date | null;
  readonly configured_at: Date | null;
  readonly versions: Readonly<Record<string, string>> | null;
  readonly manifest_at: Date | null;
  readonly manifest: Uint8Array | null;
}

/** In the order of their VINs, after the given one. */
export const readVehicles = (
  tx: Queryable,
  scheduleId: number,
  after: string,
  limit: number,
): Promise<DossierVehicleRow[]> =>
  tx.query<DossierVehicleRow>(
    `select v.vin, v.wave, v.state, v.reason, v.place, v.exposed_at, v.result, v.silent_at,
       c.at as configured_at, c.versions, c.manifest_at, c.manifest
     from schedule_vehicles v
     left join exposed_configurations c on c.schedule_id = v.schedule_id and c.vin = v.vin
     where v.schedule_id = $1 and v.vin > $2 order by v.vin limit $3`,
    [scheduleId, after, limit],
  );

export interface DossierEventRow extends EventRow {
  readonly vin: string;
}

/** All events of these vehicles in the schedule. */
export const readEvents = (
  tx: Queryable,
  refId: string,
  vins: readonly string[],
): Promise<DossierEventRow[]> =>
  tx.query<DossierEventRow>(
    `select vin, event_id, ref_id, status, status_name, meta, at, received_at from events
     where vin = any($2::text[]) and ref_id = $1 order by vin, at, event_id`,
    [refId, textArray(vins)],
  );

/** Entries about the schedule and no single vehicle, after the given one. */
export const readScheduleAudit = (
  tx: Queryable,
  refId: string,
  after: number,
  limit: number,
): Promise<ChainedRow[]> =>
  tx.query<ChainedRow>(
    `select ${AUDIT_COLUMNS}, c.position, c.hash
     from audit.entries e left join audit.chain c on c.entry_id = e.id
     where e.ref_id = $1 and e.vin is null and e.id > $2 order by e.id limit $3`,
    [refId, after, limit],
  );

/** Entries about these vehicles in the schedule, and all others about them in its time. */
export const readVehicleAudit = (
  tx: Queryable,
  refId: string,
  vins: readonly string[],
  from: Date,
  to: Date,
): Promise<ChainedRow[]> =>
  tx.query<ChainedRow>(
    `select ${AUDIT_COLUMNS}, c.position, c.hash
     from audit.entries e left join audit.chain c on c.entry_id = e.id
     where e.vin = any($1::text[]) and (e.ref_id = $2 or e.at between $3 and $4)
     order by e.vin, e.id`,
    [textArray(vins), refId, from, to],
  );
