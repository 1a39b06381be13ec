/** Timestamps as people and programs write them: RFC 3339. Pure. */
import Type from '../typebox.js';

/** A moment with its offset; read it with {@link parseTimestamp}. */
export const Timestamp = (description: string) =>
  Type.String({
    format: 'date-time',
    maxLength: 64,
    description: `${description} RFC 3339.`,
    examples: ['2026-12-01T23:00:00+01:00'],
  });

const EARLIEST = Date.parse('0001-01-01T00:00:00Z');
const LATEST = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * A leap second, `23:59:60` in UTC, is the second after it, as in POSIX time. Times before the year 1 or after the year 9999
 * (an offset can lead there) become the first or last moment in between: databases and JSON end there, and no stored time is
 * that early or late.
 *
 * @param text valid by {@link Timestamp}
 * @returns ms
 */
export function parseTimestamp(text: string): number {
  const isLeap = text.slice(17, 19) === '60';
  const ms = isLeap
    ? Math.floor(Date.parse(`${text.slice(0, 17)}59${text.slice(19)}`) / 1000) * 1000 + 1000
    : Date.parse(text);
  return Math.min(Math.max(ms, EARLIEST), LATEST);
}

/** A Unix time that we keep: of the years 1970 to 9999. */
export const StorableUnixTime = (description: string) =>
  Type.Number({
    minimum: 0,
    maximum: LATEST,
    description: `${description} Unix time; values from 10^11 are read as ms.`,
  });

/** The end of the year 9999, Unix time. */
export const MAX_UNIX_SECONDS = Math.floor(LATEST / 1000);
