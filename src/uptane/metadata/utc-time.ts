/** Times in metadata: real dates as `YYYY-MM-DDTHH:MM:SSZ`, and nothing else (POUF, section 3). */

const FORM = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})Z$/;

/** @returns `undefined` for any other text, including February 30 or 24:00:00 */
export function parseUtcTime(text: string): Date | undefined {
  if (!FORM.test(text) || text.startsWith('0000')) return undefined;
  const time = new Date(text);
  // `Date` reads February 30 as March 1 or 2.
  return !Number.isNaN(time.getTime()) && time.toISOString() === `${text.slice(0, -1)}.000Z`
    ? time
    : undefined;
}

/** In the same format; truncates to whole seconds. */
export const formatUtcTime = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;
