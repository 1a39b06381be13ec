/** Certificates that were issued here, so that whoever revokes one finds its serial number. */
import { type Queryable, textArray } from '../../service/database/index.js';

export interface IssuedCertificate {
  readonly serial: string;
  readonly system_id: string;
  readonly issued_at: Date;
  readonly expires_at: Date;
  readonly revoked_at: Date | null;
}

export async function recordIssued(
  database: Queryable,
  issued: {
    readonly serial: string;
    readonly systemId: string;
    readonly at: number;
    readonly until: number;
  },
): Promise<void> {
  await database.query(
    `insert into issued_certificates (serial, system_id, issued_at, expires_at) values ($1, $2, $3, $4)
     on conflict do nothing`,
    [issued.serial, issued.systemId, new Date(issued.at), new Date(issued.until)],
  );
}

/** The latest ones for this system_id. */
export const listIssued = (
  database: Queryable,
  systemId: string,
  limit: number,
): Promise<IssuedCertificate[]> =>
  database.query<IssuedCertificate>(
    `select i.serial, i.system_id, i.issued_at, i.expires_at, r.revoked_at
     from issued_certificates i left join revoked_certificates r on r.serial = i.serial
     where i.system_id = $1 order by i.issued_at desc, i.serial limit $2`,
    [systemId, limit],
  );

/**
 * Revokes what was issued for these names and has not expired: they are no longer those of the same vehicle.
 *
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
}

/** Those that a list has to name: revoked, and not expired by themselves. */
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
