/** An entry of the audit log in a dossier, with its place in the log's own chain. Pure. */
import { type RecordOf } from '../../contract/carota-api/index.js';
import { type ChainedRow } from '../../service/audit/index.js';
import { integersOnly } from './integers-only.js';

export const auditRecord = (row: ChainedRow): RecordOf<'audit'> => ({
  type: 'audit',
  id: row.id,
  at: row.at.toISOString(),
  by: { id: row.token_id, name: row.token_name },
  address: row.address,
  action: row.action,
  outcome: row.outcome,
  errorCode: row.error_code,
  vin: row.vin,
  subject: row.subject,
  reason: row.reason,
  detail: integersOnly(row.detail) as object,
  position: row.position,
  chainHash: row.hash,
});
