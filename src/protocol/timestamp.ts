/** Timestamps as people and programs write them: RFC 3339. Pure. */
import { Pattern } from './pattern.js';

const YEAR = '(?:[0-9]{3}[1-9]|[0-9]{2}[1-9][0-9]|[0-9][1-9][0-9]{2}|[1-9][0-9]{3})';

const WORDS = 'must be a time with its offset, such as 2026-12-01T22:00:00+01:00';

/** A moment of the years 1 to 9999, with its offset; read it with {@link parseTimestamp}. */
export const Timestamp = (description: string) =>
  Pattern(`^${YEAR}-[^.]{14}(?:\\.[0-9]{1,30})?(?:[Zz]|[+-][0-9:]{5})$`, WORDS, {
    // It has no year 0, and an end to fractions.
    format: 'date-time',
    description: `${description} RFC 3339, years 0001 to 9999.`,
    examples: ['2026-12-01T22:00:00+01:00'],
  });

const EARLIEST = Date.parse('0001-01-01T00:00:00Z');
const LATEST = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * A leap second, `23:59:60` in UTC, is the second after it, as in POSIX time. An offset that leads out of the years 1 to
 * 9999 gives the first or the last moment of them: databases and JSON end there.
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

/** The end of the year 9999, Unix time. */
export const MAX_UNIX_SECONDS = Math.floor(LATEST / 1000);
