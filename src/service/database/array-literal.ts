/**
 * Array parameters, written as PostgreSQL array literals. `join` makes one flat string: concatenation would leave thousands
 * of small objects, which at full load are most of the garbage collector's work.
 */

const SPECIAL = /["\\]/g;

/**
 * The literal of a one-dimensional array (PostgreSQL 8.15.2), e.g. `{"a","b",NULL}`; cast it in
 * the statement: `$1::text[]`. Text must not hold U+0000.
 */
export function textArray(values: readonly (string | null)[]): string {
  if (values.length === 0) return '{}';
  if (values.includes(null)) return `{${values.map(element).join(',')}}`;
  const texts = values as readonly string[];
  return `{"${(hasSpecial(texts.join('')) ? texts.map(escaped) : texts).join('","')}"}`;
}

const element = (value: string | null) => (value === null ? 'NULL' : `"${escaped(value)}"`);

/** Plain searches are much faster than the expression, and usually sufficient. */
const hasSpecial = (text: string) => text.includes('"') || text.includes('\\');

const escaped = (text: string) => (hasSpecial(text) ? text.replace(SPECIAL, '\\$&') : text);

/** The same for numbers; `$1::bigint[]`, `$1::float8[]`, `$1::smallint[]`. */
export function numberArray(values: readonly (number | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}

/** The same for times in ms; `$1::timestamptz[]`. */
export function timeArray(values: readonly (number | null)[]): string {
  return `{${values.map((ms) => (ms === null ? 'NULL' : new Date(ms).toISOString())).join(',')}}`;
}

/** The same for bytes; `$1::bytea[]`. */
export function bytesArray(values: readonly (Uint8Array | null)[]): string {
  const hex = (bytes: Uint8Array) => `"\\\\x${Buffer.from(bytes).toString('hex')}"`;
  return `{${values.map((bytes) => (bytes === null ? 'NULL' : hex(bytes))).join(',')}}`;
}
