/** An entry of the audit log as its hash covers it, and as an export has it. Pure. */
import { type PlainJson } from '../../uptane/json/canonical-json.js';
import { type AuditRow } from './audit.js';

/** @param position in the chain, from 1 */
export const chainRecord = (position: number, row: AuditRow): Record<string, PlainJson> => ({
  position,
  id: row.id,
  at: row.at.getTime(),
  tokenId: row.token_id,
  tokenName: row.token_name,
  address: row.address,
  action: row.action,
  outcome: row.outcome,
  errorCode: row.error_code,
  refId: row.ref_id,
  vin: row.vin,
  subject: row.subject,
  reason: row.reason,
  detail: hashable(row.detail),
});

/** Fractions and numbers beyond ±(2^53-1) become text, as canonical JSON has no form for them. */
function hashable(value: unknown): PlainJson {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : String(value);
  if (value === null || typeof value !== 'object')
    return value === true || value === false ? value : null;
  if (Array.isArray(value)) return value.map(hashable);
  const members = Object.entries(value).map(([name, member]) => [
    name.toWellFormed(),
    hashable(member),
  ]);
  return Object.fromEntries(members) as Record<string, PlainJson>;
}
