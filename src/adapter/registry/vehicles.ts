/** The registry: VIN to system_id, primary device and model (contract section 4). */
import { type Registration } from '../../contract/adapter-api/index.js';
import { credentialFault, type Scopes } from '../../contract/index.js';
import { modelInScope, scopesParameter } from '../../service/access/index.js';
import { bytesArray, type Queryable, textArray } from '../../service/database/index.js';
import { moveCounters } from '../operation-counters.js';
import { hashCredential } from './credential.js';

export interface VehicleRow {
  readonly vin: string;
  readonly system_id: string;
  readonly device_id: string;
  readonly ecu_type: string;
  readonly model: string;
  readonly registered_at: Date;
  readonly updated_at: Date;
  /** When it last sent more than its budget. */
  readonly flooded_at: Date | null;
}

export interface NewVehicle extends Registration {
  readonly vin: string;
}

/** @returns why the credential that the vehicle comes with is refused */
export const chosenCredentialFault = (vehicle: NewVehicle): string | undefined =>
  vehicle.credential === undefined
    ? undefined
    : credentialFault(vehicle.credential, [
        vehicle.vin,
        vehicle.system_id,
        vehicle.device_id ?? '',
        vehicle.model ?? '',
      ]);

export interface RegistrationOutcome {
  readonly vin: string;
  /** `conflict`: the system_id belongs to another vehicle; nothing was changed. */
  readonly outcome: 'created' | 'updated' | 'conflict';
}

const REGISTER = /* sql */ `
with input as materialized (
  select * from unnest(
    $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::bytea[]
  ) as i (vin, system_id, device_id, ecu_type, model, salt, hash)
),
conflicting as materialized (
  select i.vin from input i
  join vehicles v on v.system_id = i.system_id and v.vin <> i.vin
),
registered as (
  insert into vehicles as v (
    vin, system_id, device_id, ecu_type, model,
    credential_salt, credential_hash, registered_at, updated_at
  )
  select vin, system_id, device_id, ecu_type, model, salt, hash, $1, $1 from input i
  where not exists (select from conflicting c where c.vin = i.vin)
  order by vin
  on conflict (vin) do update set
    system_id = excluded.system_id, device_id = excluded.device_id,
    ecu_type = excluded.ecu_type, model = excluded.model,
    -- Without a new credential, the existing one is kept.
    credential_salt = coalesce(excluded.credential_salt, v.credential_salt),
    credential_hash = coalesce(excluded.credential_hash, v.credential_hash),
    identity = case
      when v.system_id = excluded.system_id and excluded.credential_hash is null then v.identity
      else excluded.identity
    end,
    updated_at = excluded.updated_at
  returning vin, (xmax = 0) as created
)
select vin, case when created then 'created' else 'updated' end as outcome from registered
union all
select vin, 'conflict' from conflicting`;

/** Deliveries of open operations that wait for these vehicles to be registered become due. */
const REVIVE = /* sql */ `
with locked as materialized (
  select d.operation_id, d.vin, d.attempt, d.state from deliveries d
  join operations o on o.id = d.operation_id
  where d.vin collate "POSIX" = any ($2::text[]) and d.delivery = 'device_not_found' and o.status <> 'cancelled'
  order by d.operation_id, d.vin
  for update of d
),
updated as (
  update deliveries d
  set delivery = 'pending', state = 'pending', due_at = $3::timestamptz, updated_at = $3::timestamptz
  from locked l where d.operation_id = l.operation_id and d.vin = l.vin
),
logged as (
  insert into delivery_log (at, operation_id, vin, attempt, what)
  select $3::timestamptz, operation_id, vin, attempt, 'registered' from locked
)
${moveCounters(
  `select operation_id, state, false as paused, -1 as n from locked
  union all
  select operation_id, 'pending', false, 1 from locked`,
  '$1',
)}`;

/**
 * Registers vehicles or changes their registrations, in the caller's transaction.
 *
 * @param shard counter shard of this writer
 * @param vehicles each VIN and each system_id at most once
 * @param now ms
 */
export async function registerVehicles(
  tx: Queryable,
  shard: number,
  vehicles: readonly NewVehicle[],
  now: number,
): Promise<RegistrationOutcome[]> {
  const secrets = vehicles.map(({ credential }) =>
    credential === undefined ? null : hashCredential(credential),
  );
  const vins = textArray(vehicles.map(({ vin }) => vin));
  const outcomes = await tx.query<RegistrationOutcome>(REGISTER, [
    new Date(now),
    vins,
    textArray(vehicles.map((vehicle) => vehicle.system_id)),
    textArray(vehicles.map((vehicle) => vehicle.device_id ?? '')),
    textArray(vehicles.map((vehicle) => vehicle.ecu_type ?? '')),
    textArray(vehicles.map((vehicle) => vehicle.model ?? '')),
    bytesArray(secrets.map((secret) => secret?.salt ?? null)),
    bytesArray(secrets.map((secret) => secret?.hash ?? null)),
  ]);
  await tx.query(REVIVE, [shard, vins, new Date(now)]);
  return outcomes;
}

const COLUMNS = `vin, system_id, device_id, ecu_type, model, registered_at, updated_at,
  (select last_at from message_floods f where f.vin = vehicles.vin) as flooded_at`;

export async function findVehicle(
  database: Queryable,
  vin: string,
): Promise<VehicleRow | undefined> {
  const rows = await database.query<VehicleRow>(`select ${COLUMNS} from vehicles where vin = $1`, [
    vin,
  ]);
  return rows[0];
}

export interface VehiclePage {
  /** Starts after this VIN. */
  readonly after: string;
  readonly limit: number;
  /** Only VINs with this prefix. */
  readonly prefix?: string;
  /** Only vehicles of these models. */
  readonly scopes: Scopes;
}

/** A page of the registry in VIN order. */
export function listVehicles(
  database: Queryable,
  { after, limit, prefix = '', scopes }: VehiclePage,
): Promise<VehicleRow[]> {
  // No VIN contains `~`, so it sorts after all VINs with the prefix.
  return database.query<VehicleRow>(
    `select ${COLUMNS} from vehicles
     where vin > $1 and vin >= $3 and vin < $3 || '~' and ${modelInScope('model', '$4')}
     order by vin limit $2`,
    [after, limit, prefix, scopesParameter(scopes)],
  );
}

/** @returns whether it was registered */
export async function deleteVehicle(database: Queryable, vin: string): Promise<boolean> {
  const rows = await database.query('delete from vehicles where vin = $1 returning vin', [vin]);
  return rows.length > 0;
}
