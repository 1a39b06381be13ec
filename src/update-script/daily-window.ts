/** When a part of the day begins and ends in a time zone, also on days of 23 and 25 hours: pure. */
import { DateTime } from 'luxon';
import { type DailyWindow } from './update-script.js';

/**
 * When the window is open next.
 *
 * @param now ms
 * @returns ms: `now` itself where it is open
 */
export function nextOpening(window: DailyWindow, zone: string, now: number): number {
  const here = DateTime.fromMillis(now, { zone });
  // Yesterday's may still be open over midnight.
  for (const days of [-1, 0, 1, 2]) {
    const day = here.plus({ days });
    const opens = atClock(day, window.from);
    const closes = atClock(window.to <= window.from ? day.plus({ days: 1 }) : day, window.to);
    if (now < closes) return Math.max(now, opens);
  }
  return now;
}

/** On a day without this time (the clock is put forward over it), the first moment after. */
function atClock(day: DateTime, clock: string): number {
  const [hour = 0, minute = 0] = clock.split(':').map(Number);
  return day.set({ hour, minute, second: 0, millisecond: 0 }).toMillis();
}
