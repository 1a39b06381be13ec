/** The CarOTA Server's vehicles: model, tags, and each ECU's installed version. */
import { type VehicleFacts } from '../../contract/carota-api/index.js';
import { type Scopes } from '../../contract/index.js';
import { modelInScope, scopesParameter } from '../../service/access/index.js';
import { type Actor } from '../../service/audit/index.js';
import { type Queryable, textArray } from '../../service/database/index.js';
import { moveSystemIds, SystemIdForbidden, systemIdMoves } from './system-ids.js';

export interface VehicleRow {
  readonly vin: string;
  readonly system_id: string | null;
  readonly model: string;
  readonly tags: string[];
  readonly versions: Readonly<Record<string, string>>;
  readonly updated_at: Date;
}

/** The caller who stores vehicles. */
export interface StoringVehicles {
  readonly by: Actor;
  /** Whether the caller may set and change a `system_id`, the name in the vehicles' certificates. */
  readonly mayAssignSystemIds: boolean;
}

/**
 * Stores vehicles, replacing all facts except versions of ECUs not listed and a system_id not given.
 *
 * @param now ms
 * @throws SystemIdForbidden; DatabaseError with code 23505 where another vehicle has the system_id
 */
export async function storeVehicles(
  tx: Queryable,
  vehicles: readonly ({ readonly vin: string } & VehicleFacts)[],
  { by, mayAssignSystemIds }: StoringVehicles,
  now: number,
): Promise<void> {
  await tx.query(
    `insert into vehicles as v (vin, model, tags, updated_at)
     select vin, model, array(select json_array_elements_text(tags::json)), $4
     from unnest($1::text[], $2::text[], $3::text[]) as given (vin, model, tags)
     on conflict (vin) do update
       set model = excluded.model, tags = excluded.tags, updated_at = excluded.updated_at`,
    [
      textArray(vehicles.map(({ vin }) => vin)),
      textArray(vehicles.map(({ model }) => model)),
      textArray(vehicles.map(({ tags = [] }) => JSON.stringify(tags))),
      new Date(now),
    ],
  );
  // Their rows are locked now.
  const moves = await systemIdMoves(tx, vehicles);
  if (moves.length > 0 && !mayAssignSystemIds) {
    throw new SystemIdForbidden(moves.map(({ vin }) => vin));
  }
  await moveSystemIds(tx, moves, by, now);
  const installed = vehicles.flatMap(({ vin, versions = {} }) =>
    Object.entries(versions).map(([ecu, version]) => ({ vin, ecu, version })),
  );
  await storeVersions(tx, installed, null, now);
}

export interface InstalledVersion {
  readonly vin: string;
  readonly ecu: string;
  readonly version: string;
}

/** @param installed each ECU of a vehicle at most once @param refId the schedule that installed them; null: imported */
export async function storeVersions(
  tx: Queryable,
  installed: readonly InstalledVersion[],
  refId: string | null,
  now: number,
): Promise<void> {
  if (installed.length === 0) return;
  await tx.query(
    `insert into installed_versions (vin, ecu, version, ref_id, since)
     select vin, ecu, version, $4, $5
     from unnest($1::text[], $2::text[], $3::text[]) as given (vin, ecu, version)
     on conflict (vin, ecu) do update
       set version = excluded.version, ref_id = excluded.ref_id, since = excluded.since
       where installed_versions.version <> excluded.version`,
    [
      textArray(installed.map(({ vin }) => vin)),
      textArray(installed.map(({ ecu }) => ecu)),
      textArray(installed.map(({ version }) => version)),
      refId,
      new Date(now),
    ],
  );
}

const COLUMNS = `v.vin, v.system_id, v.model, v.tags, v.updated_at, coalesce(
  (select json_object_agg(ecu, version order by ecu) from installed_versions i where i.vin = v.vin),
  '{}'::json) as versions`;

export async function findVehicle(
  database: Queryable,
  vin: string,
): Promise<VehicleRow | undefined> {
  const rows = await database.query<VehicleRow>(
    `select ${COLUMNS} from vehicles v where v.vin = $1`,
    [vin],
  );
  return rows[0];
}

/** The vehicle whose client certificate has this name. @returns its VIN */
export async function findBySystemId(
  database: Queryable,
  systemId: string,
): Promise<string | undefined> {
  const [row] = await database.query<{ vin: string }>(
    'select vin from vehicles where system_id = $1',
    [systemId],
    'find-by-system-id',
  );
  return row?.vin;
}

export interface VehiclePage {
  readonly after: string;
  readonly limit: number;
  readonly model?: string | undefined;
  readonly tag?: string | undefined;
  /** Only vehicles of these models. */
  readonly scopes?: Scopes;
}

export const listVehicles = (
  database: Queryable,
  { after, limit, model, tag, scopes = null }: VehiclePage,
): Promise<VehicleRow[]> =>
  database.query<VehicleRow>(
    `select ${COLUMNS} from vehicles v
     where v.vin > $1 and ($3::text is null or v.model = $3) and ($4::text is null or $4 = any(v.tags))
       and ${modelInScope('v.model', '$5')}
     order by v.vin limit $2`,
    [after, limit, model ?? null, tag ?? null, scopesParameter(scopes)],
  );
