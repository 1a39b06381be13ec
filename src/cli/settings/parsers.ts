/** How the texts of settings are read; what is wrong is told by commander with the setting's name. */
import { InvalidArgumentError } from 'commander';
import { parseVin as readVin } from '../../protocol/index.js';
import { isTimeZone } from '../../update-script/time-zone.js';

export type Parser<T> = (text: string) => T;

export const parsePort: Parser<number> = (text) => {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new InvalidArgumentError('must be a port from 0 to 65535 (0: any free one).');
  }
  return port;
};

export const parseCount: Parser<number> = (text) => {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count)) {
    throw new InvalidArgumentError('must be a whole number.');
  }
  return count;
};

export const parsePositive: Parser<number> = (text) => {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) {
    throw new InvalidArgumentError('must be a number above 0.');
  }
  return value;
};

export const parseUrl =
  (...protocols: string[]): Parser<string> =>
  (text) => {
    if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
      throw new InvalidArgumentError(`must be a URL with ${protocols.join('// or ')}//`);
    }
    return text;
  };

export const parseInstance: Parser<string> = (text) => {
  if (!/^[\w.-]{1,100}$/.test(text)) {
    throw new InvalidArgumentError('must be 1 to 100 of letters, digits, dot, minus, underscore.');
  }
  return text;
};

/** Seconds, -1 for never. */
export const parseTtl: Parser<number> = (text) => {
  if (!/^(-1|\d{1,9})$/.test(text)) {
    throw new InvalidArgumentError('must be a whole number of seconds, or -1 for never.');
  }
  return Number(text);
};

export const parseFlag: Parser<boolean> = (text) => {
  if (text !== '0' && text !== '1') throw new InvalidArgumentError('must be 0 or 1.');
  return text === '1';
};

export const parseRatio: Parser<number> = (text) => {
  const ratio = Number(text);
  if (text === '' || !(ratio >= 0 && ratio <= 1)) {
    throw new InvalidArgumentError('must be a number from 0 to 1.');
  }
  return ratio;
};

/** Comma-separated. */
export const parseList: Parser<string[]> = (text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

export const parseVin: Parser<string> = (text) => {
  const vin = readVin(text);
  if (vin === undefined) throw new InvalidArgumentError('must be 17 of A-H J-N P R-Z 0-9.');
  return vin;
};

export const parseTimeZone: Parser<string> = (text) => {
  if (!isTimeZone(text)) {
    throw new InvalidArgumentError('must be a name of the IANA time zones, as Europe/Berlin.');
  }
  return text;
};

export interface EcuSetting {
  readonly ecu: string;
  readonly version: string;
}

/** `HU=1.0.0,TCU=2.1` */
export const parseEcus: Parser<EcuSetting[]> = (text) =>
  parseList(text).map((item) => {
    const [, ecu, version] =
      /^([A-Za-z0-9][\w-]{0,63})=([A-Za-z0-9][\w.+-]{0,63})$/.exec(item) ?? [];
    if (ecu === undefined || version === undefined) {
      throw new InvalidArgumentError(`must be as HU=1.0.0,TCU=2.1; ${item} is not.`);
    }
    return { ecu, version };
  });
