/**
 * Pseudonyms of vehicles. Each vehicle has its own random key in the database. With the key, a pseudonym can be recognised
 * as the vehicle's; once the key is erased it cannot, even with all archives.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { bytesArray, type Queryable, textArray } from '../../service/database/index.js';

const KEY_BYTES = 32;
/** Hexadecimal digits of a pseudonym: 128 bits. */
const DIGITS = 32;

/** An arbitrary number, not used for another advisory lock in this database. */
const LOCK = 0x07a0_0b9;

/** Locks out other transactions until this one ends: otherwise a vehicle that is being erased could get a new key. */
export async function keepKeys(tx: Queryable): Promise<void> {
  await tx.query('select pg_advisory_xact_lock($1)', [LOCK]);
}

/**
 * The key of each of these vehicles; one without a key gets one. For a VIN without a stored vehicle, e.g. one just
 * erased, nothing is stored: its key is derived from the spare one.
 *
 * @param tx a transaction that does not use an older snapshot
 * @param vins in upper case
 * @param spare random, kept for one archive only
 */
export async function vinKeys(
  tx: Queryable,
  vins: readonly string[],
  spare: Uint8Array = spareKey(),
): Promise<ReadonlyMap<string, Uint8Array>> {
  // Always in the same order, so that two concurrent dossiers cannot deadlock.
  const distinct = [...new Set(vins)].sort();
  if (distinct.length === 0) return new Map();
  await tx.query('select pg_advisory_xact_lock_shared($1)', [LOCK]);
  await tx.query(
    `insert into vin_keys (vin, key)
     select vin, key from unnest($1::text[], $2::bytea[]) as given (vin, key)
     where exists (select from vehicles v where v.vin = given.vin)
       or exists (select from schedule_vehicles v where v.vin = given.vin)
     on conflict do nothing`,
    [textArray(distinct), bytesArray(distinct.map(() => randomBytes(KEY_BYTES)))],
  );
  const rows = await tx.query<{ vin: string; key: Uint8Array }>(
    'select vin, key from vin_keys where vin = any($1::text[])',
    [textArray(distinct)],
  );
  const stored = new Map(rows.map(({ vin, key }) => [vin, key]));
  return new Map(
    distinct.map((vin) => [
      vin,
      stored.get(vin) ?? createHmac('sha256', spare).update(vin).digest(),
    ]),
  );
}

export const spareKey = (): Uint8Array => randomBytes(KEY_BYTES);

/** `vin-` or `ecu-` and 32 hexadecimal digits. @param kind keeps a serial number apart from a VIN that is spelt the same */
export const pseudonymOf = (kind: 'vin' | 'ecu', name: string, key: Uint8Array): string =>
  `${kind}-${createHmac('sha256', key).update(`${kind}\n${name}`).digest('hex').slice(0, DIGITS)}`;
