/** The inventory of ECUs (Uptane, "Inventory Database"). */
import { type EcuRegistration } from '../../contract/carota-api/index.js';
import { type Actor } from '../../service/audit/index.js';
import { DatabaseError, type Queryable, textArray } from '../../service/database/index.js';
import { keyIdOfListed } from '../../uptane/signing/signer.js';
import { recordActions } from '../audit.js';

/** Another ECU has the key. */
export class EcuConflict extends Error {
  override readonly name = 'EcuConflict';
}

/** The vehicle, or its ECU, does not exist. */
export class NoSuchEcu extends Error {
  override readonly name = 'NoSuchEcu';

  constructor(
    readonly what: 'vehicle' | 'ecu',
    message: string,
  ) {
    super(message);
  }
}

export interface VehicleWithEcus {
  readonly vin: string;
  readonly ecus: readonly EcuRegistration[];
  readonly by: Actor;
}

const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';

/**
 * Registers the ECUs of vehicles, replacing their previous ones.
 *
 * @param tx a transaction
 * @param now ms
 * @throws EcuConflict, NoSuchEcu; the transaction must then be rolled back
 */
export async function storeEcus(
  tx: Queryable,
  vehicles: readonly VehicleWithEcus[],
  now: number,
): Promise<void> {
  const vins = textArray(vehicles.map(({ vin }) => vin));
  await lockVehicles(tx, vins);
  const before = await tx.query<{ vin: string; serial: string; key_id: string; since: Date }>(
    `delete from ecus where vin = any($1::text[])
     returning vin, serial, key_id, registered_at as since`,
    [vins],
  );
  const sinceByKey = new Map(before.map(({ vin, key_id, since }) => [`${vin} ${key_id}`, since]));
  const rows = vehicles.flatMap(({ vin, ecus }) =>
    ecus.map((ecu) => {
      const keyId = keyIdOfListed(ecu.publicKey);
      return { vin, ...ecu, keyId, since: sinceByKey.get(`${vin} ${keyId}`) ?? new Date(now) };
    }),
  );
  const column = (of: (row: (typeof rows)[number]) => string) => textArray(rows.map(of));
  try {
    await tx.query(
      `insert into ecus (vin, serial, name, hardware_id, key, key_id, is_primary, registered_at)
       select vin, serial, name, hardware_id, key::json, key_id, is_primary::boolean, since::timestamptz
       from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
         $8::text[]) as given (vin, serial, name, hardware_id, key, key_id, is_primary, since)`,
      [
        column(({ vin }) => vin),
        column(({ serial }) => serial),
        column(({ name }) => name),
        column(({ hardwareId }) => hardwareId),
        column(({ publicKey }) => JSON.stringify(publicKey)),
        column(({ keyId }) => keyId),
        column(({ isPrimary }) => String(isPrimary)),
        column(({ since }) => since.toISOString()),
      ],
    );
  } catch (error) {
    throw refusalOf(error);
  }
  await writeInventories(tx, vins);
  const serialsBefore = new Map<string, string[]>();
  for (const { vin, serial } of before) {
    serialsBefore.set(vin, [...(serialsBefore.get(vin) ?? []), serial]);
  }
  const entries = vehicles.map(({ vin, ecus, by }) => ({
    vin,
    by,
    detail: { before: serialsBefore.get(vin) ?? [], now: ecus.map(({ serial }) => serial) },
  }));
  await recordActions(tx, 'register-ecus', entries, now);
}

/**
 * Replaces an ECU by another one.
 *
 * @param tx a transaction
 * @param now ms
 * @throws EcuConflict, NoSuchEcu
 */
export async function replaceEcu(
  tx: Queryable,
  vin: string,
  serial: string,
  ecu: Pick<EcuRegistration, 'serial' | 'hardwareId' | 'publicKey'>,
  by: Actor,
  now: number,
): Promise<void> {
  const keyId = keyIdOfListed(ecu.publicKey);
  const vins = textArray([vin]);
  await lockVehicles(tx, vins);
  let replaced: { name: string; key_id: string }[];
  try {
    replaced = await tx.query<{ name: string; key_id: string }>(
      `update ecus e
       set serial = $3, hardware_id = $4, key = $5, key_id = $6, registered_at = $7
       from (select * from ecus where vin = $1 and serial = $2 for update) old
       where e.vin = old.vin and e.serial = old.serial
       returning old.name, old.key_id`,
      [
        vin,
        serial,
        ecu.serial,
        ecu.hardwareId,
        JSON.stringify(ecu.publicKey),
        keyId,
        new Date(now),
      ],
    );
  } catch (error) {
    throw refusalOf(error);
  }
  const [old] = replaced;
  if (!old) throw new NoSuchEcu('ecu', `vehicle ${vin} has no ECU ${serial}`);
  await writeInventories(tx, vins);
  const detail = {
    name: old.name,
    before: { serial, keyId: old.key_id },
    now: { serial: ecu.serial, hardwareId: ecu.hardwareId, keyId },
  };
  await recordActions(tx, 'replace-ecu', [{ vin, by, detail }], now);
}

/** Serializes changes of a vehicle's ECUs; always in the same order. */
const lockVehicles = (tx: Queryable, vins: string) =>
  tx.query('select from vehicles where vin = any($1::text[]) order by vin for no key update', [
    vins,
  ]);

/** @param vins of vehicles that are locked */
const writeInventories = (tx: Queryable, vins: string) =>
  tx.query(
    `insert into inventories (vin, ecus)
     select vin, json_agg(json_build_object('ecuId', serial, 'name', name, 'hardwareId', hardware_id,
       'key', key, 'keyId', key_id, 'isPrimary', is_primary, 'registeredAt', registered_at)
       order by is_primary desc, serial)
     from ecus where vin = any($1::text[]) group by vin
     on conflict (vin) do update set ecus = excluded.ecus`,
    [vins],
  );

function refusalOf(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) return error;
  if (error.code === FOREIGN_KEY_VIOLATION)
    return new NoSuchEcu('vehicle', 'there is no such vehicle');
  if (error.code !== UNIQUE_VIOLATION) return error;
  return new EcuConflict(
    error.message.includes('key_id')
      ? 'another ECU has this public key: every ECU must have its own'
      : 'the vehicle already has an ECU with this serial number',
  );
}
