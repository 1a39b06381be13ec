/** When a part of the day begins and ends in a time zone, also on days of 23 and 25 hours: pure. */
import { DateTime } from 'luxon';
import { type DailyWindow } from '../contract/update-script/index.js';

/**
 * When the window is open next.
 *
 * @param zone name in the IANA time zone database, e.g. `Europe/Berlin`
 * @param now ms
 * @returns ms: `now` itself where it is open
 */
export function nextOpening(window: DailyWindow, zone: string, now: number): number {
  return Math.max(now, current(window, zone, now).opens);
}

/**
 * When the window opens or closes next.
 *
 * @returns ms, after `now`
 */
export function nextChange(window: DailyWindow, zone: string, now: number): number {
  const { opens, closes } = current(window, zone, now);
  return opens > now ? opens : closes;
}

/** The one that is open, or comes next, ms. */
function current(window: DailyWindow, zone: string, now: number) {
  const here = DateTime.fromMillis(now, { zone });
  // Yesterday's may still be open over midnight.
  for (let days = -1; ; days++) {
    const day = here.plus({ days });
    const opens = atClock(day, window.from);
    const closes = atClock(window.to <= window.from ? day.plus({ days: 1 }) : day, window.to);
    if (now < closes) return { opens, closes };
  }
}

/** On a day without this time (the clock is put forward over it), the first moment after. */
function atClock(day: DateTime, clock: string): number {
  const [hour = 0, minute = 0] = clock.split(':').map(Number);
  return day.set({ hour, minute, second: 0, millisecond: 0 }).toMillis();
}
