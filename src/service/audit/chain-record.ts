/** An entry of the audit log as its hash covers it, and as a line of an export or copy has it. Pure. */
import { type AuditExportEntry } from '../../contract/index.js';
import { type PlainJson } from '../../uptane/json/canonical-json.js';
import { type AuditRow, entryFields } from './audit.js';
import { type ChainedRow } from './list-entries.js';

/** What the hash covers. */
type ChainRecord = Readonly<
  Omit<AuditExportEntry, 'hash' | 'detail'> & { detail: Readonly<Record<string, PlainJson>> }
>;

/** @param position in the chain, from 1 */
export const chainRecord = (position: number, row: AuditRow): ChainRecord => ({
  ...entryFields(row),
  position,
  detail: hashableMembers(row.detail),
});

/** @param row of an entry that is in the chain */
export const exportEntry = (row: ChainedRow): ChainRecord & { readonly hash: string } => ({
  ...chainRecord(row.position ?? 0, row),
  hash: row.hash ?? '',
});

/** Fractions and numbers beyond ±(2^53-1) become text, as canonical JSON has no form for them. */
function hashable(value: unknown): PlainJson {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : String(value);
  if (value === null || typeof value !== 'object')
    return value === true || value === false ? value : null;
  if (Array.isArray(value)) return value.map(hashable);
  return hashableMembers(value);
}

function hashableMembers(value: object): Readonly<Record<string, PlainJson>> {
  const members = Object.entries(value).map(([name, member]): [string, PlainJson] => [
    name.toWellFormed(),
    hashable(member),
  ]);
  return Object.fromEntries(members);
}
