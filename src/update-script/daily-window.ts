/** When a daily window opens and closes in a time zone, even on days with 23 or 25 hours. Pure. */
import { DateTime } from 'luxon';
import { type DailyWindow } from '../contract/update-script/index.js';

/**
 * The next moment at which the window is open.
 *
 * @param zone name in the IANA time zone database, e.g. `Europe/Berlin`
 * @param now ms
 * @returns ms; `now` itself if it is open
 * @throws RangeError if the zone is unknown, or `now` is no time
 */
export function nextOpening(window: DailyWindow, zone: string, now: number): number {
  return Math.max(now, current(window, zone, now).opens);
}

/**
 * The next moment at which the window opens or closes.
 *
 * @param zone name in the IANA time zone database
 * @param now ms
 * @returns ms, after `now`
 * @throws RangeError if the zone is unknown, or `now` is no time
 */
export function nextChange(window: DailyWindow, zone: string, now: number): number {
  const { opens, closes } = current(window, zone, now);
  return opens > now ? opens : closes;
}

/** The current window or, between windows, the next one, ms. */
function current(window: DailyWindow, zone: string, now: number) {
  const here = Number.isFinite(now) ? DateTime.fromMillis(now, { zone }) : undefined;
  if (!here?.isValid) throw new RangeError(`there is no time ${now} in the zone ${zone}`);
  // Yesterday's window may extend past midnight.
  for (let days = -1; ; days++) {
    const day = here.plus({ days });
    const opens = atClock(day, window.from);
    const closes = atClock(window.to <= window.from ? day.plus({ days: 1 }) : day, window.to);
    if (now < closes) return { opens, closes };
  }
}

/** On a day without this time (the clock skips it), the first moment after the gap. */
function atClock(day: DateTime, clock: string): number {
  const [hour = 0, minute = 0] = clock.split(':').map(Number);
  return day.set({ hour, minute, second: 0, millisecond: 0 }).toMillis();
}
