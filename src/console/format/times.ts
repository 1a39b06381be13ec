/** Times in the user's time zone, and in UTC. */
const DAY = { year: 'numeric', month: 'short', day: 'numeric' } as const;
const TIME = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;

const FORMATS = {
  full: new Intl.DateTimeFormat(undefined, { ...DAY, ...TIME }),
  time: new Intl.DateTimeFormat(undefined, TIME),
  precise: new Intl.DateTimeFormat(undefined, { ...DAY, ...TIME, fractionalSecondDigits: 3 }),
};

export type TimeStyle = keyof typeof FORMATS;

export const local = (moment: Date, style: TimeStyle = 'full'): string =>
  FORMATS[style].format(moment);

export const utc = (moment: Date): string =>
  `${moment.toISOString().replace('T', ' ').replace('Z', '')} UTC`;

/** The user's time zone, e.g. `Europe/Berlin`. */
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
