/** All settings of the commands, each in one place. */
import {
  parseCount,
  parseFlag,
  parseInstance,
  parseList,
  parsePort,
  parsePositive,
  parseRatio,
  parseTtl,
  parseUrl,
} from './parsers.js';
import { type Setting } from './settings.js';

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

export const MQTT_PRESENCE_TOPIC: Setting<string> = {
  flag: '--mqtt-presence-topic <template>',
  description:
    'topic on which the MQTT broker tells which vehicles have connected, with {system_id} and +',
};
export const RETRY_FIRST: Setting<number> = {
  flag: '--retry-first <seconds>',
  description: 'pause before an unacknowledged trigger is repeated; it doubles each time',
  default: 30,
  parse: parsePositive,
};
export const RETRY_LONGEST: Setting<number> = {
  flag: '--retry-longest <seconds>',
  description: 'the pause grows no longer than this',
  default: 6 * 60 * 60,
  parse: parsePositive,
};
export const RETRY_SENDS: Setting<number> = {
  flag: '--retry-sends <number>',
  description: 'sends without acknowledgement until a vehicle is undelivered',
  default: 20,
  parse: parseCount,
};
export const TRIGGER_TTL: Setting<number> = {
  flag: '--trigger-ttl <seconds>',
  description:
    'until an unacknowledged trigger is EXPIRED, where the event does not say; -1 = never',
  default: -1,
  parse: parseTtl,
};
export const ACK_REQUIRED: Setting<boolean> = {
  flag: '--ack-required <0|1>',
  description: 'whether vehicles acknowledge triggers, where the event does not say',
  default: true,
  parse: parseFlag,
};
export const DEAD_LETTER_DAYS: Setting<number> = {
  flag: '--dead-letter-days <days>',
  description: 'how long dead letters are kept (default: for ever)',
  parse: parsePositive,
};
export const CALLBACK_URL: Setting<string> = {
  flag: '--callback-url <url>',
  description: 'event call-back of the CarOTA Server; more receivers by otaops callbacks',
  parse: parseUrl('https:', 'http:'),
};
export const CALLBACK_SECRET: Setting<string> = {
  flag: '--callback-secret <whsec_…>',
  description: 'secret that its requests are signed with (Standard Webhooks)',
};
export const CALLBACK_ALLOW: Setting<string[]> = {
  flag: '--callback-allow <networks>',
  description:
    'loopback, link-local or private networks that call-backs may go to, e.g. 10.1.0.0/16',
  parse: parseList,
};
export const CALLBACK_BATCH: Setting<number> = {
  flag: '--callback-batch <events>',
  description: 'events in one call-back request at most',
  default: 500,
  parse: parseCount,
};
export const OTLP_URL: Setting<string> = {
  flag: '--otlp-url <url>',
  description: 'where traces are sent, e.g. http://collector:4318/v1/traces (default: no traces)',
  parse: parseUrl('http:', 'https:'),
};
export const TRACE_RATIO: Setting<number> = {
  flag: '--trace-ratio <fraction>',
  description: 'of how many vehicles the sending is traced, from 0 to 1',
  default: 1,
  parse: parseRatio,
};
