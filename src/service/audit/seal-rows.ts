/** Seals and their keys as the database has them. */
import { type AuditExportKey } from '../../contract/index.js';
import { type Seal } from '../chain/index.js';
import { type Queryable } from '../database/index.js';

export interface SealRow {
  readonly id: number;
  readonly from_position: number;
  readonly to_position: number;
  readonly hash: string;
  readonly signed_at_ms: number;
  readonly keyid: string;
  readonly signature: string;
}

export const sealOf = (row: SealRow): Seal => ({
  from: row.from_position,
  to: row.to_position,
  count: row.to_position - row.from_position + 1,
  hash: row.hash,
  time: row.signed_at_ms,
  keyid: row.keyid,
  signature: row.signature,
});

const COLUMNS = 'id, from_position, to_position, hash, signed_at_ms, keyid, signature';

/** In the order in which they were made. */
export const listSeals = (
  database: Queryable,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<SealRow[]> =>
  database.query<SealRow>(`select ${COLUMNS} from audit.seals where id > $1 order by id limit $2`, [
    after,
    limit,
  ]);

export async function lastSeal(database: Queryable): Promise<SealRow | undefined> {
  const [row] = await database.query<SealRow>(
    `select ${COLUMNS} from audit.seals order by id desc limit 1`,
  );
  return row;
}

/** Keys that have sealed this log. */
export async function listKeys(database: Queryable): Promise<AuditExportKey['key'][]> {
  const rows = await database.query<AuditExportKey>('select key from audit.keys order by keyid');
  return rows.map(({ key }) => key);
}
