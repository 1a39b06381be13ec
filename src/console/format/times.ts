/** Times in the user's time zone, and in UTC. */
const DAY_AND_TIME = new Intl.DateTimeFormat(undefined, {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const TIME = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const PRECISE = new Intl.DateTimeFormat(undefined, {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});

export type TimeStyle = 'full' | 'time' | 'precise';

const FORMATS = { full: DAY_AND_TIME, time: TIME, precise: PRECISE } as const;

export const local = (moment: Date, style: TimeStyle = 'full'): string =>
  FORMATS[style].format(moment);

export const utc = (moment: Date): string =>
  `${moment.toISOString().replace('T', ' ').replace('Z', '')} UTC`;

/** The user's time zone, e.g. `Europe/Berlin`. */
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
