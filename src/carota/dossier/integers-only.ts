/** Converts JSON for a hash chain: numbers that are not safe integers become text. Pure. */
import { type PlainJson } from '../../uptane/json/canonical-json.js';

/** @param value parsed JSON */
export function integersOnly(value: unknown): PlainJson {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : String(value);
  // A column of type json can contain lone surrogates, UTF-8 cannot.
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map(integersOnly);
  if (typeof value !== 'object' || value === null) return null;
  return Object.fromEntries(
    Object.entries(value).map(([name, of]) => [name.toWellFormed(), integersOnly(of)]),
  );
}
