/**
 * Erases the personal data of one vehicle (GDPR, article 17): data that concerns only the vehicle is deleted, and in records
 * that must be kept its VIN is replaced by its pseudonym, whose key is deleted too. Counts and results of schedules stay.
 */
import { type SchedulePlan } from '../../contract/carota-api/index.js';
import { type Actor } from '../../service/audit/index.js';
import { type Database, type Queryable, textArray } from '../../service/database/index.js';
import { recordActions } from '../audit.js';
import { revokeIssued } from '../enrolment/index.js';
import { planWithout } from './plan-without.js';
import { keepKeys, pseudonymOf, vinKeys } from './pseudonyms.js';

/** The vehicle is in a schedule that has not ended. */
export class VehicleInSchedule extends Error {
  override readonly name = 'VehicleInSchedule';
}

/** Tables with a foreign key come before the table to which it refers. */
const ONLY_OF_VEHICLE = [
  'installed_versions',
  'ecus',
  'inventories',
  'vehicles',
  'manifests',
  'manifest_refusals',
  'attack_reports',
  'director_files',
  'tokens',
  'vin_keys',
] as const;

/**
 * @param vin in upper case
 * @param now ms
 * @returns false: nothing is stored about it
 * @throws VehicleInSchedule
 */
export async function eraseVehicle(
  database: Database,
  vin: string,
  by: Actor,
  now: number,
): Promise<boolean> {
  return database.transaction(async (tx) => {
    if (!(await isStored(tx, vin))) return false;
    const schedules = await lockSchedules(tx, vin);
    const open = schedules.find(({ status }) => status !== 'stopped' && status !== 'completed');
    if (open) {
      throw new VehicleInSchedule(
        `${vin} is in schedule '${open.ref_id}', which is ${open.status}`,
      );
    }
    await keepKeys(tx);
    const key = (await vinKeys(tx, [vin])).get(vin);
    if (!key) throw new Error('a VIN has no key');
    const pseudonym = pseudonymOf('vin', vin, key);
    await revokeCertificates(tx, { vin, pseudonym }, by, now);
    await putInPlace(tx, vin, pseudonym);
    for (const table of ONLY_OF_VEHICLE)
      await tx.query(`delete from ${table} where vin = $1`, [vin]);
    const detail = { pseudonym, schedules: schedules.length };
    await recordActions(tx, 'erase-vehicle', [{ vin: null, subject: '', by, detail }], now);
    return true;
  });
}

/** A holder of the vehicle's certificate could keep renewing it. Issuing one waits for the lock. */
async function revokeCertificates(
  tx: Queryable,
  { vin, pseudonym }: { readonly vin: string; readonly pseudonym: string },
  by: Actor,
  now: number,
): Promise<void> {
  const rows = await tx.query<{ system_id: string | null }>(
    'select system_id from vehicles where vin = $1 for update',
    [vin],
  );
  const names = rows.flatMap(({ system_id: name }) => (name === null ? [] : [name]));
  await revokeIssued(tx, names, { by: by.name, reason: 'the vehicle was erased' }, now);
  // A system_id often contains the VIN; the list of revoked certificates needs the serial numbers only.
  await tx.query(
    'update issued_certificates set system_id = $2 where system_id = any($1::text[])',
    [textArray(names), pseudonym],
  );
}

async function isStored(tx: Queryable, vin: string): Promise<boolean> {
  const rows = await tx.query(
    `select 1 as stored where exists (select from vehicles where vin = $1)
       or exists (select from schedule_vehicles where vin = $1)
       or exists (select from events where vin = $1) or exists (select from vin_keys where vin = $1)`,
    [vin],
  );
  return rows.length > 0;
}

/**
 * Locks the schedules that contain the vehicle, and those that only name it; all at once and in the same order as
 * applying events does, so that the two cannot deadlock.
 */
async function lockSchedules(tx: Queryable, vin: string) {
  const locked = await tx.query<{ ref_id: string; status: string; has_vehicle: boolean }>(
    `select ref_id, status,
       id in (select schedule_id from schedule_vehicles where vin = $1) as has_vehicle
     from schedules
     where id in (select schedule_id from schedule_vehicles where vin = $1)
       or plan::text ~* $1 or reason ~* $1
     order by ref_id for update`,
    [vin],
  );
  return locked.filter(({ has_vehicle: hasVehicle }) => hasVehicle);
}

/**
 * A VIN contains only letters and digits, so it can be used as a regular expression; people may have written it in lower
 * case.
 */
async function putInPlace(tx: Queryable, vin: string, pseudonym: string): Promise<void> {
  const names = [vin, pseudonym];
  await tx.query(
    `update schedule_vehicles set vin = $2, reason = regexp_replace(reason, $1, $2, 'gi') where vin = $1`,
    names,
  );
  await tx.query('update vehicle_steps set vin = $2 where vin = $1', names);
  // The manifest names the vehicle and its ECUs by signed words, which cannot be changed.
  await tx.query(
    'update exposed_configurations set vin = $2, manifest = null where vin = $1',
    names,
  );
  await tx.query(
    `update events set vin = $2, meta = regexp_replace(meta::text, $1, $2, 'gi')::jsonb where vin = $1`,
    names,
  );
  await tx.query(`delete from refused_events where vin = $1 or event ~* $1`, [vin]);
  await tx.query(
    `update schedules set reason = regexp_replace(reason, $1, $2, 'gi') where reason ~* $1`,
    names,
  );
  const plans = await tx.query<{ id: number; plan: SchedulePlan }>(
    'select id, plan from schedules where plan::text ~* $1',
    [vin],
  );
  for (const { id, plan } of plans) {
    const changed = JSON.stringify(planWithout(plan, vin, pseudonym));
    await tx.query('update schedules set plan = $2 where id = $1', [id, changed]);
  }
  await tx.query(
    `update notifications set summary = regexp_replace(summary, $1, $2, 'gi'), key = regexp_replace(key, $1, $2, 'gi')
     where summary ~* $1 or key ~* $1`,
    names,
  );
  await tx.query(
    `update decisions set reason = regexp_replace(reason, $1, $2, 'gi') where reason ~* $1`,
    names,
  );
}
