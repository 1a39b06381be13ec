/** Texts for the driver: plain words for each phase of an update. Pure. */
import { type DailyWindow, type Preconditions } from '../../update-script/index.js';
import { type Phase } from '../update/machine.js';

/** A headline and its meaning for the driver. */
export interface Words {
  readonly headline: string;
  readonly meaning: string;
}

export const IDLE: Words = {
  headline: 'No update in progress',
  meaning: 'When there is new software for your vehicle, it appears here.',
};
export const PAUSED: Words = {
  headline: 'Update paused',
  meaning: 'Your vehicle works as before. Press Continue to resume the update.',
};

export const WORDS: Readonly<Record<Phase, Words>> = {
  fetching: {
    headline: 'Checking the update',
    meaning: 'Your vehicle works as before.',
  },
  consent: {
    headline: 'Update available',
    meaning: 'Your vehicle works as before.',
  },
  conditions: {
    headline: 'Waiting to start',
    meaning: 'The update starts when your vehicle is ready. It works as before.',
  },
  admission: {
    headline: 'Waiting to start',
    meaning: 'Other vehicles come first. Yours works as before.',
  },
  downloading: {
    headline: 'Downloading',
    meaning: 'You can use your vehicle as usual. The download continues automatically.',
  },
  verifying: {
    headline: 'Checking the download',
    meaning: 'You can use your vehicle as usual.',
  },
  waiting: {
    headline: 'Ready to install',
    meaning: 'The installation starts when your vehicle is ready. It works as before.',
  },
  installing: {
    headline: 'Installing',
    meaning: 'Then your vehicle’s computers restart. Please do not start a journey now.',
  },
  rebooting: {
    headline: 'Restarting',
    meaning: 'Please leave your vehicle parked.',
  },
  checking: {
    headline: 'Checking the new software',
    meaning: 'Please leave your vehicle parked. This screen says when you can go.',
  },
  rolling_back: {
    headline: 'Going back to the previous software',
    meaning: 'Please leave your vehicle parked. Nothing is left for you to do.',
  },
};

/** The conditions for which the vehicle waits, one phrase each. */
export function conditionsInWords(
  { battery, gear, ignition }: Preconditions = {},
  window?: Pick<DailyWindow, 'from' | 'to'>,
): string[] {
  return [
    gear === undefined ? '' : 'parked',
    ignition === undefined ? '' : `ignition ${ignition}`,
    battery === undefined ? '' : `battery at ${battery} % or more`,
    window === undefined ? '' : `between ${window.from} and ${window.to}`,
  ].filter((phrase) => phrase !== '');
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

/** A size as a driver reads it: three digits at most. */
export function sizeInWords(bytes: number): string {
  let [size, unit] = [bytes, 0];
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1_000;
    unit += 1;
  }
  const digits = unit > 0 && size < 9.95 ? 1 : 0;
  return `${size.toFixed(digits)} ${UNITS[unit]}`;
}

/** @param at ms @param timeZone IANA name; undefined: the system's */
export const timeInWords = (at: number, timeZone: string | undefined): string =>
  new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    timeZone,
  }).format(at);
