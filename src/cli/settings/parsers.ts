/**
 * How the texts of settings, options and arguments are read. A parser throws InvalidArgumentError;
 * commander prints it with the name of the setting, option or argument.
 */
import { InvalidArgumentError } from 'commander';
import { addressGuard, isSigningSecret } from '../../service/outgoing/index.js';
import { presenceTopic } from '../../adapter/message-link/presence-topic.js';
import {
  isVehicleState,
  MAX_PRIORITY,
  MAX_RATE,
  MIN_PRIORITY,
  parseBrokerUrl,
  parseVin as readVin,
  topicTemplate,
  VEHICLE_STATES,
} from '../../contract/index.js';
import { databaseTarget } from '../../service/database/index.js';
import { parseSecretKey } from '../../service/secrets/secret-box.js';
import { isTimeZone } from '../../update-script/time-zone.js';

export type Parser<T> = (text: string) => T;

/** Plain decimal notation: no exponent, hexadecimal or white space, and never NaN. */
const DECIMAL = /^-?\d+(\.\d+)?$/;

const numberFrom =
  (what: string, isRight: (value: number) => boolean): Parser<number> =>
  (text) => {
    const value = Number(text);
    if (!DECIMAL.test(text) || !isRight(value)) throw new InvalidArgumentError(`must be ${what}.`);
    return value;
  };

const integer = (what: string, least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  numberFrom(what, (value) => Number.isSafeInteger(value) && value >= least && value <= most);

/** Returns the text if the check accepts it; otherwise throws the check's error. */
const checked =
  (check: (text: string) => unknown): Parser<string> =>
  (text) => {
    try {
      check(text);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
    return text;
  };

export const parsePort = integer('a port from 0 to 65535 (0: any free one)', 0, 65_535);

export const parseCount = integer('a whole number', 0);

/** For limits and sizes: at least one. */
export const parseAtLeastOne = integer('a whole number of at least 1', 1);

export const parsePositive = numberFrom('a number above 0', (value) => value > 0);

const DAY_SECONDS = 24 * 60 * 60;
/** A time limit, seconds: timers hold no more than 24 days. */
export const parseTimeLimit = numberFrom(
  `a number above 0 and at most ${DAY_SECONDS}`,
  (value) => value > 0 && value <= DAY_SECONDS,
);

/** Triggers per second. */
export const parseRate = numberFrom(
  `a number above 0 and at most ${MAX_RATE}`,
  (value) => value > 0 && value <= MAX_RATE,
);

/** null: no limit. */
export const parseRateOrNone: Parser<number | null> = (text) => {
  if (text === 'none') return null;
  if (DECIMAL.test(text)) return parseRate(text);
  throw new InvalidArgumentError('must be a number of triggers per second, or none.');
};

export const parseFactor = numberFrom(
  'a number from 1 to 100',
  (value) => value >= 1 && value <= 100,
);

export const parsePriority = integer(
  `a whole number from ${MIN_PRIORITY} to ${MAX_PRIORITY}`,
  MIN_PRIORITY,
  MAX_PRIORITY,
);

export const parseUrl =
  (...protocols: string[]): Parser<string> =>
  (text) => {
    if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
      throw new InvalidArgumentError(`must be a URL with ${protocols.join('// or ')}//`);
    }
    return text;
  };

/** Of an MQTT broker, with one host or several. */
export const parseBroker: Parser<string> = (text) => {
  try {
    parseBrokerUrl(text);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
  return text;
};

/** One host or several, see `databaseTarget`. */
export const parseDatabaseUrl: Parser<string> = (text) => {
  try {
    databaseTarget(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
  return text;
};

export const parseInstance: Parser<string> = (text) => {
  if (!/^[\w.-]{1,100}$/.test(text)) {
    throw new InvalidArgumentError(
      'must be 1 to 100 letters, digits, dots, hyphens or underscores.',
    );
  }
  return text;
};

/** Seconds, -1 for never. */
export const parseTtl = integer('a whole number of seconds, or -1 for never', -1, 999_999_999);

export const parseFlag: Parser<boolean> = (text) => {
  if (text !== '0' && text !== '1') throw new InvalidArgumentError('must be 0 or 1.');
  return text === '1';
};

export const parseRatio = numberFrom('a number from 0 to 1', (value) => value >= 0 && value <= 1);

/** Comma-separated. */
const parseList: Parser<string[]> = (text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

export const parseVin: Parser<string> = (text) => {
  const vin = readVin(text);
  if (vin === undefined)
    throw new InvalidArgumentError('must be 17 characters of A-H J-N P R-Z 0-9.');
  return vin;
};

export const parseTimeZone: Parser<string> = (text) => {
  if (!isTimeZone(text)) {
    throw new InvalidArgumentError('must be an IANA time zone, e.g. Europe/Berlin.');
  }
  return text;
};

/** A state of a vehicle in an operation. */
export const parseState: Parser<string> = (text) => {
  if (!isVehicleState(text)) {
    throw new InvalidArgumentError(`must be one of ${VEHICLE_STATES.join(', ')}.`);
  }
  return text;
};

/** RFC 3339, e.g. `2026-11-24T08:00:00Z`. */
export const parseTime: Parser<string> = (text) => {
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(text);
  if (!isTime || Number.isNaN(Date.parse(text))) {
    throw new InvalidArgumentError('must be a time such as 2026-11-24T08:00:00Z.');
  }
  return text;
};

export const parseTopic = checked(topicTemplate);
export const parsePresenceTopic = checked(presenceTopic);

/** Comma-separated networks in CIDR notation. */
export const parseNetworks: Parser<string[]> = (text) => {
  const networks = parseList(text);
  checked(() => addressGuard(networks))(text);
  return networks;
};

/** Comma-separated, or one a line in a file. */
export const parseSecretKeys: Parser<string[]> = (text) => {
  const keys = text.split(/[\s,]+/).filter((key) => key !== '');
  if (keys.length === 0 || !keys.every((key) => parseSecretKey(key))) {
    throw new InvalidArgumentError('must be 32 bytes in base64.');
  }
  return keys;
};

/** Comma-separated. */
export const parseSigningSecrets: Parser<string[]> = (text) => {
  const secrets = parseList(text);
  if (secrets.length === 0 || !secrets.every(isSigningSecret)) {
    throw new InvalidArgumentError('must be whsec_ and base64 of 24 to 64 bytes.');
  }
  return secrets;
};
