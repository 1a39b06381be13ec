/**
 * Every setting has a flag and an `OTAOPS_…` variable (contract section 7). An unknown or bad one
 * stops the start with a message that names it.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';

const ENV_PREFIX = 'OTAOPS_';

/** A setting was given that is not one, or has a wrong value. */
export class BadSetting extends Error {
  override readonly name = 'BadSetting';
}

type Parser<T> = (text: string) => T;

const parsePort: Parser<number> = (text) => {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new InvalidArgumentError('must be a port from 0 to 65535 (0: any free one).');
  }
  return port;
};

const parseCount: Parser<number> = (text) => {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count)) {
    throw new InvalidArgumentError('must be a whole number.');
  }
  return count;
};

const parsePositive: Parser<number> = (text) => {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) {
    throw new InvalidArgumentError('must be a number above 0.');
  }
  return value;
};

const parseUrl =
  (...protocols: string[]): Parser<string> =>
  (text) => {
    if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
      throw new InvalidArgumentError(`must be a URL with ${protocols.join('// or ')}//`);
    }
    return text;
  };

const parseInstance: Parser<string> = (text) => {
  if (!/^[\w.-]{1,100}$/.test(text)) {
    throw new InvalidArgumentError('must be 1 to 100 of letters, digits, dot, minus, underscore.');
  }
  return text;
};

export interface Setting<T> {
  /** e.g. `--http-port <port>` */
  readonly flag: string;
  readonly description: string;
  readonly default?: T;
  readonly parse?: Parser<T>;
  readonly choices?: readonly string[];
}

/** The variable of a flag: `--http-port <port>` is `OTAOPS_HTTP_PORT`. */
function variableOf(flag: string): string {
  const name = flag.split(' ')[0]?.replace(/^--/, '') ?? flag;
  return ENV_PREFIX + name.toUpperCase().replaceAll('-', '_');
}

const known = new Set<string>();

/** Adds settings to a command, each with its variable. */
export function addSettings(command: Command, settings: readonly Setting<unknown>[]): Command {
  for (const setting of settings) {
    const variable = variableOf(setting.flag);
    known.add(variable);
    const option = new Option(setting.flag, setting.description).env(variable);
    if (setting.default !== undefined) option.default(setting.default);
    if (setting.choices) option.choices(setting.choices);
    const { parse } = setting;
    if (parse) option.argParser((text) => parse(text));
    command.addOption(option);
  }
  return command;
}

/** @throws BadSetting if an `OTAOPS_…` variable is set that no command has */
export function refuseUnknownVariables(environment: NodeJS.ProcessEnv): void {
  const unknown = Object.keys(environment).filter(
    (name) => name.startsWith(ENV_PREFIX) && !known.has(name),
  );
  if (unknown.length > 0) {
    throw new BadSetting(
      `unknown setting ${unknown.join(', ')}; known are ${[...known].sort().join(', ')}`,
    );
  }
}

export const HOST: Setting<string> = {
  flag: '--host <address>',
  description: 'address to listen on',
  default: '127.0.0.1',
};
export const HTTP_PORT: Setting<number> = {
  flag: '--http-port <port>',
  description: 'port of the HTTP interface',
  default: 8080,
  parse: parsePort,
};
export const MQTT_PORT: Setting<number> = {
  flag: '--mqtt-port <port>',
  description: 'port of the embedded MQTT broker',
  default: 1883,
  parse: parsePort,
};
export const DATA_DIR: Setting<string> = {
  flag: '--data-dir <folder>',
  description: 'where the embedded database and the first token are',
  default: './.otaops',
};
export const DATABASE_URL: Setting<string> = {
  flag: '--database-url <url>',
  description: 'PostgreSQL 14 or newer, postgres://… (default: the embedded database)',
  parse: parseUrl('postgres:', 'postgresql:'),
};
export const BROKER_URL: Setting<string> = {
  flag: '--mqtt-url <url>',
  description: 'MQTT broker, mqtt://, mqtts://, ws:// or wss:// (default: the embedded broker)',
  parse: parseUrl('mqtt:', 'mqtts:', 'ws:', 'wss:'),
};
export const MQTT_CA: Setting<string> = {
  flag: '--mqtt-ca <file>',
  description: 'PEM file of the authority that the MQTT broker’s certificate is from',
};
export const MQTT_CERT: Setting<string> = {
  flag: '--mqtt-cert <file>',
  description: 'PEM file of our own certificate for the MQTT broker',
};
export const MQTT_KEY: Setting<string> = {
  flag: '--mqtt-key <file>',
  description: 'PEM file of its key',
};
export const MQTT_SESSION_EXPIRY: Setting<number> = {
  flag: '--mqtt-session-expiry <seconds>',
  description: 'how long the MQTT broker keeps messages while no adapter runs',
  default: 7 * 24 * 60 * 60,
  parse: parseCount,
};
export const INSTANCE: Setting<string> = {
  flag: '--instance <name>',
  description: 'name of this adapter on the MQTT broker (default: host name and HTTP port)',
  parse: parseInstance,
};
export const HISTORY_DAYS: Setting<number> = {
  flag: '--history-days <days>',
  description: 'how long messages stay in the history, in whole weeks (default: for ever)',
  parse: parsePositive,
};
export const LOG_LEVEL: Setting<string> = {
  flag: '--log-level <level>',
  description: 'least severity that is logged',
  default: 'info',
  choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
};
export const C2D_TOPIC: Setting<string> = {
  flag: '--c2d-topic <template>',
  description: 'topic to a vehicle',
  default: 'c2d/{system_id}',
};
export const D2C_TOPIC: Setting<string> = {
  flag: '--d2c-topic <template>',
  description: 'topic from a vehicle',
  default: 'd2c/{system_id}',
};
export const URL_SETTING: Setting<string> = {
  flag: '--url <url>',
  description: 'HTTP interface of the adapter',
  default: 'http://127.0.0.1:8080',
};
export const TOKEN: Setting<string> = {
  flag: '--token <token>',
  description: 'token for it (default: the one in the data directory)',
};
export const SEED: Setting<number> = {
  flag: '--seed <number>',
  description: 'decides what happens to each simulated vehicle; the same seed, the same fleet',
  default: 1,
  parse: parseCount,
};
export const SPEED: Setting<number> = {
  flag: '--speed <factor>',
  description: 'simulated seconds in a real one',
  default: 30,
  parse: parsePositive,
};
export const vehiclesSetting = (number: number): Setting<number> => ({
  flag: '--vehicles <number>',
  description: 'size of the simulated fleet',
  default: number,
  parse: parseCount,
});
export const MQTT_URL: Setting<string> = {
  flag: '--mqtt-url <url>',
  description: 'MQTT broker of the vehicles',
  default: 'mqtt://127.0.0.1:1883',
};
