/**
 * Pseudonyms of vehicles. Each vehicle has a random key of its own in the database; with the key anyone can tell which
 * pseudonym is the vehicle's, and once it is erased nobody can, whatever archives they have.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { bytesArray, type Queryable, textArray } from '../../service/database/index.js';

const KEY_BYTES = 32;
/** Hexadecimal digits of a pseudonym: 128 bits. */
const DIGITS = 32;

/** The key of each of these vehicles; who has none gets one. @param vins in upper case */
export async function vinKeys(
  database: Queryable,
  vins: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  // In one order everywhere, so that two dossiers at once cannot deadlock.
  const distinct = [...new Set(vins)].sort();
  if (distinct.length === 0) return new Map();
  await database.query(
    `insert into vin_keys (vin, key) select * from unnest($1::text[], $2::bytea[]) on conflict do nothing`,
    [textArray(distinct), bytesArray(distinct.map(() => randomBytes(KEY_BYTES)))],
  );
  const rows = await database.query<{ vin: string; key: Uint8Array }>(
    'select vin, key from vin_keys where vin = any($1::text[])',
    [textArray(distinct)],
  );
  return new Map(rows.map(({ vin, key }) => [vin, key]));
}

/** `vin-` or `ecu-` and 32 hexadecimal digits. @param kind keeps a serial number apart from a VIN that is spelt the same */
export const pseudonymOf = (kind: 'vin' | 'ecu', name: string, key: Uint8Array): string =>
  `${kind}-${createHmac('sha256', key).update(`${kind}\n${name}`).digest('hex').slice(0, DIGITS)}`;
