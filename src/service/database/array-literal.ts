/** Array parameters, written as PostgreSQL array literals so that both drivers pass them through. */

const NEEDS_QUOTES = /["\\]/;

/**
 * The literal of a one-dimensional array (PostgreSQL 8.15.2), e.g. `{"a","b",NULL}`; cast it in
 * the statement: `$1::text[]`. Text must not hold U+0000.
 */
export function textArray(values: readonly (string | null)[]): string {
  let literal = '{';
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as string | null;
    if (i > 0) literal += ',';
    if (value === null) literal += 'NULL';
    else if (NEEDS_QUOTES.test(value)) literal += `"${value.replace(/["\\]/g, '\\$&')}"`;
    else literal += `"${value}"`;
  }
  return literal + '}';
}

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
