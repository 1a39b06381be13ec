/** The first enrolment of a vehicle with a factory certificate. */
import { createHash } from 'node:crypto';
import { type Queryable, textArray } from '../../service/database/index.js';

/** A vehicle's use of its bootstrap certificate. */
interface BootstrapUse {
  readonly systemId: string;
  /** Of the bootstrap certificate. */
  readonly serial: string;
  /** The public key to be certified, in DER. */
  readonly publicKeyInfo: Uint8Array;
  /** ms */
  readonly now: number;
}

/** SQL for the stored form of a name. @param text SQL */
const systemIdHash = (text: string) => `sha256(convert_to(${text}, 'UTF8'))`;

/**
 * From now on these names need a code, whether they have enrolled or not: a certificate of the factory still names the
 * vehicle for which it was issued.
 *
 * @param tx has their vehicles locked
 * @param now ms
 */
export async function revokeBootstrap(
  tx: Queryable,
  systemIds: readonly string[],
  now: number,
): Promise<void> {
  await tx.query(
    `insert into bootstrap_enrolments (system_id_hash, revoked_at)
     select distinct ${systemIdHash('name')}, $2::timestamptz from unnest($1::text[]) as names (name)
     on conflict (system_id_hash) do update set revoked_at = excluded.revoked_at`,
    [textArray(systemIds), new Date(now)],
  );
}

/** `unknown`: no vehicle has this system_id; `used`: the vehicle has had a certificate before, for another key. */
type BootstrapOutcome =
  | { readonly outcome: 'accepted'; readonly vin: string }
  | { readonly outcome: 'unknown'; readonly vin?: undefined }
  | { readonly outcome: 'used'; readonly vin?: undefined };

/**
 * Uses it for this key: it is valid for a vehicle's first certificate only. The same key may ask again, since the
 * answer may have been lost, but not after a certificate issued since was revoked, or the name was removed from its
 * vehicle.
 *
 * @param tx a transaction
 */
export async function useBootstrap(
  tx: Queryable,
  { systemId, serial, publicKeyInfo, now }: BootstrapUse,
): Promise<BootstrapOutcome> {
  const [vehicle] = await tx.query<{ vin: string }>(
    'select vin from vehicles where system_id = $1 for update',
    [systemId],
  );
  if (!vehicle) return { outcome: 'unknown' };
  const keyHash = createHash('sha256').update(publicKeyInfo).digest();
  await tx.query(
    `insert into bootstrap_enrolments (system_id_hash, serial, key_hash, used_at)
     select ${systemIdHash('$1')}, $2, $3, $4 where not exists (select from issued_certificates where system_id = $1)
     on conflict do nothing`,
    [systemId, serial, keyHash, new Date(now)],
  );
  const accepted = await tx.query(
    `select from bootstrap_enrolments b
     where system_id_hash = ${systemIdHash('$1')} and serial = $2 and key_hash = $3 and revoked_at is null
       and not exists (
         select from issued_certificates i join revoked_certificates r on r.serial = i.serial
         where i.system_id = $1 and i.issued_at >= b.used_at)`,
    [systemId, serial, keyHash],
  );
  return accepted.length > 0 ? { outcome: 'accepted', vin: vehicle.vin } : { outcome: 'used' };
}
