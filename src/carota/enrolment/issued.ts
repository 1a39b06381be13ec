/** Certificates issued here, with the serial numbers needed to revoke them. */
import { only, type Queryable, textArray } from '../../service/database/index.js';
import { revokeBootstrap } from './bootstrap.js';

export interface IssuedCertificate {
  readonly serial: string;
  readonly system_id: string;
  readonly issued_at: Date;
  readonly expires_at: Date;
  readonly revoked_at: Date | null;
}

/** The holder of a certificate. */
export interface CertificateHolder {
  readonly vin: string;
  readonly systemId: string;
}

/** Maximum number of valid certificates per vehicle: it needs two, and answers may be lost. */
const MOST_VALID = 20;

/** The holder may not get another certificate. */
export class HolderRefused extends Error {
  override readonly name = 'HolderRefused';
  readonly code: 'unknown' | 'too many';

  constructor(code: 'unknown' | 'too many', message: string) {
    super(message);
    this.code = code;
  }
}

/** @param lock makes concurrent changes of the vehicle wait for the transaction @throws HolderRefused */
export async function checkHolder(
  database: Queryable,
  { vin, systemId }: CertificateHolder,
  now: number,
  lock: 'for update' | '' = '',
): Promise<void> {
  const rows = await database.query(
    `select vin from vehicles where vin = $1 and system_id = $2 ${lock}`,
    [vin, systemId],
  );
  if (rows.length === 0) {
    throw new HolderRefused('unknown', `no vehicle has the system_id ${systemId} any longer`);
  }
  const { valid } = only(
    await database.query<{ valid: number }>(
      `select count(*) as valid from issued_certificates i where i.system_id = $1 and i.expires_at > $2
       and not exists (select from revoked_certificates r where r.serial = i.serial)`,
      [systemId, new Date(now)],
    ),
  );
  if (valid >= MOST_VALID) {
    throw new HolderRefused('too many', `${systemId} already has ${valid} valid certificates`);
  }
}

/** @param tx has the vehicle locked by {@link checkHolder} @param issued times in ms */
export async function recordIssued(
  tx: Queryable,
  issued: {
    readonly serial: string;
    readonly systemId: string;
    readonly at: number;
    readonly until: number;
  },
): Promise<void> {
  await tx.query(
    `insert into issued_certificates (serial, system_id, issued_at, expires_at) values ($1, $2, $3, $4)
     on conflict do nothing`,
    [issued.serial, issued.systemId, new Date(issued.at), new Date(issued.until)],
  );
}

/** Valid ones first, and the latest ones of these first: however many are revoked, a valid one can be found. */
export const listIssued = (
  database: Queryable,
  systemId: string,
  now: number,
  limit: number,
): Promise<IssuedCertificate[]> =>
  database.query<IssuedCertificate>(
    `select i.serial, i.system_id, i.issued_at, i.expires_at, r.revoked_at
     from issued_certificates i left join revoked_certificates r on r.serial = i.serial
     where i.system_id = $1
     order by r.serial is null and i.expires_at > $2 desc, i.issued_at desc, i.serial limit $3`,
    [systemId, new Date(now), limit],
  );

/**
 * Revokes unexpired certificates issued for these names, and those of the factory: the names no longer belong to the same
 * vehicle. The factory's serial numbers are not stored as revoked, because they belong to another authority, which may have
 * assigned them to other vehicles than ours.
 *
 * @param tx has their vehicles locked
 * @param now ms
 */
export async function revokeIssued(
  tx: Queryable,
  systemIds: readonly string[],
  { by, reason }: { readonly by: string; readonly reason: string },
  now: number,
): Promise<void> {
  if (systemIds.length === 0) return;
  await tx.query(
    `insert into revoked_certificates (serial, revoked_at, revoked_by, reason)
     select serial, $2, $3, $4 from issued_certificates
     where system_id = any($1::text[]) and expires_at > $2
     on conflict do nothing`,
    [textArray(systemIds), new Date(now), by, reason],
  );
  await revokeBootstrap(tx, systemIds, now);
}

/** The entries of a revocation list: revoked, and not expired. */
export async function listRevocations(
  database: Queryable,
  now: number,
): Promise<{ readonly serial: string; readonly at: number }[]> {
  const rows = await database.query<{ serial: string; revoked_at: Date }>(
    `select i.serial, r.revoked_at from issued_certificates i
     join revoked_certificates r on r.serial = i.serial where i.expires_at > $1`,
    [new Date(now)],
  );
  return rows.map(({ serial, revoked_at: at }) => ({ serial, at: at.getTime() }));
}
