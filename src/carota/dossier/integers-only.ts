/** JSON as a hash chain takes it: numbers that are no safe integers become text. Pure. */
import { type PlainJson } from '../../uptane/json/canonical-json.js';

/** @param value parsed JSON */
export function integersOnly(value: unknown): PlainJson {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : String(value);
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map(integersOnly);
  if (typeof value !== 'object' || value === null) return null;
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, integersOnly(of)]));
}
