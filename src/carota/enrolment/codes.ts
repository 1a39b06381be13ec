/** One-time codes, with which a vehicle enrols for the first time. */
import { createHash, randomInt } from 'node:crypto';
import { type Queryable } from '../../service/database/index.js';

/** Without easily confused characters. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
/** 120 random bits. */
const GROUPS = 6;
const GROUP = 4;

function newCode(): string {
  const character = () => ALPHABET[randomInt(ALPHABET.length)] ?? '';
  const group = () => Array.from({ length: GROUP }, character).join('');
  return Array.from({ length: GROUPS }, group).join('-');
}

const hashOf = (code: string): Buffer =>
  createHash('sha256').update(code.trim().toUpperCase()).digest();

/** Creates a new code; the previous one becomes void. @param times in ms @returns the code, which is not stored */
export async function createCode(
  database: Queryable,
  {
    vin,
    by,
    now,
    until,
  }: { readonly vin: string; readonly by: string; readonly now: number; readonly until: number },
): Promise<string> {
  const code = newCode();
  await database.query(
    `insert into enrolment_codes (vin, hash, created_at, created_by, expires_at) values ($1, $2, $3, $4, $5)
     on conflict (vin) do update set hash = excluded.hash, created_at = excluded.created_at,
       created_by = excluded.created_by, expires_at = excluded.expires_at, key_hash = null`,
    [vin, hashOf(code), new Date(now), by, new Date(until)],
  );
  return code;
}

/**
 * Uses the code of the vehicle with this system_id for this key. From then on no other key can use it. The same key may
 * ask again, since the answer may have been lost, but not after a certificate issued since was revoked.
 *
 * @param publicKeyInfo in DER
 * @returns the vehicle's VIN; undefined: the code is not valid
 */
export async function useCode(
  database: Queryable,
  {
    systemId,
    code,
    publicKeyInfo,
    now,
  }: {
    readonly systemId: string;
    readonly code: string;
    readonly publicKeyInfo: Uint8Array;
    readonly now: number;
  },
): Promise<string | undefined> {
  const [row] = await database.query<{ vin: string }>(
    `update enrolment_codes c set key_hash = $3
     where vin = (select vin from vehicles where system_id = $1)
       and hash = $2 and expires_at > $4 and (key_hash is null or key_hash = $3)
       and not exists (
         select from issued_certificates i join revoked_certificates r on r.serial = i.serial
         where i.system_id = $1 and i.issued_at >= c.created_at)
     returning vin`,
    [systemId, hashOf(code), createHash('sha256').update(publicKeyInfo).digest(), new Date(now)],
  );
  return row?.vin;
}
