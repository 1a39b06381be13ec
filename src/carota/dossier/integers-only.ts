/** JSON as a hash chain takes it: numbers that are no safe integers become text. Pure. */
import { type PlainJson } from '../../uptane/json/canonical-json.js';

/** @param value parsed JSON */
export function integersOnly(value: unknown): PlainJson {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : String(value);
  // A column of type json holds halves of surrogate pairs, which UTF-8 does not.
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map(integersOnly);
  if (typeof value !== 'object' || value === null) return null;
  return Object.fromEntries(
    Object.entries(value).map(([name, of]) => [name.toWellFormed(), integersOnly(of)]),
  );
}
