/** All settings of the commands. */
import {
  parseAtLeastOne,
  parseBroker,
  parseCount,
  parseDatabaseUrl,
  parseFlag,
  parseInstance,
  parseNetworks,
  parsePort,
  parsePositive,
  parsePresenceTopic,
  parseRatio,
  parseSecretKeys,
  parseSigningSecrets,
  parseTimeZone,
  parseTopic,
  parseTtl,
  parseUrl,
  parseVin,
} from './parsers.js';
import { DEFAULT_C2D_TOPIC, DEFAULT_D2C_TOPIC } from '../../contract/index.js';
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
export const MQTT_PLAIN: Setting<boolean> = {
  flag: '--mqtt-plain <0|1>',
  description: 'whether the embedded MQTT broker also listens without TLS, for trials',
  default: true,
  parse: parseFlag,
};
export const MQTTS_PORT: Setting<number> = {
  flag: '--mqtts-port <port>',
  description: 'port of the embedded MQTT broker for TLS with client certificates',
  default: 8883,
  parse: parsePort,
};
export const MQTT_TLS_CERT: Setting<string> = {
  flag: '--mqtt-tls-cert <file>',
  description:
    'PEM file of the embedded broker’s certificate and chain, read again when it changes (default: no TLS)',
};
export const MQTT_TLS_KEY: Setting<string> = {
  flag: '--mqtt-tls-key <file>',
  description: 'PEM file of its key',
};
export const VEHICLE_CA: Setting<string> = {
  flag: '--vehicle-ca <file>',
  description: 'PEM file of the authorities that issue the vehicles’ client certificates',
};
export const VEHICLE_CRL: Setting<string> = {
  flag: '--vehicle-crl <file>',
  description: 'PEM file of their revocation lists, read again when it changes',
};
export const VEHICLE_PORT: Setting<number> = {
  flag: '--vehicle-port <port>',
  description: 'port of the CarOTA Server on which vehicles call, with TLS and client certificates',
  default: 8443,
  parse: parsePort,
};
export const VEHICLE_TLS_CERT: Setting<string> = {
  flag: '--vehicle-tls-cert <file>',
  description:
    'PEM file of that port’s own certificate and chain, read again when it changes (default: no such port)',
};
export const VEHICLE_TLS_KEY: Setting<string> = {
  flag: '--vehicle-tls-key <file>',
  description: 'PEM file of its key',
};
export const VEHICLE_BOOTSTRAP_CA: Setting<string> = {
  flag: '--vehicle-bootstrap-ca <file>',
  description:
    'PEM file of the factory’s authorities, whose certificates are valid only for a vehicle’s first enrolment',
};
export const ENROLMENT_CA: Setting<string> = {
  flag: '--enrolment-ca <folder>',
  description:
    'enrol vehicles (EST) with a built-in authority in this folder, created at the first start; for trials and small fleets',
};
export const ENROLMENT_COMMAND: Setting<string> = {
  flag: '--enrolment-command <command>',
  description:
    'enrol vehicles (EST) with your own authority: gets the request (PEM) on standard input and OTAOPS_SYSTEM_ID, prints the certificate (PEM)',
};
export const CERTIFICATE_DAYS: Setting<number> = {
  flag: '--certificate-days <days>',
  description: 'validity of the certificates that the built-in authority issues',
  default: 90,
  parse: parsePositive,
};
export const CLIENT_CERT: Setting<string> = {
  flag: '--client-cert <file>',
  description:
    'PEM file of the vehicle’s client certificate, in place of --credential and --carota-token',
};
export const CLIENT_KEY: Setting<string> = {
  flag: '--client-key <file>',
  description: 'PEM file of its key',
};
export const BOOTSTRAP_CERT: Setting<string> = {
  flag: '--bootstrap-cert <file>',
  description:
    'PEM file of the factory’s certificate, with which the agent gets its own client certificate (EST) in place of a one-time code',
};
export const BOOTSTRAP_KEY: Setting<string> = {
  flag: '--bootstrap-key <file>',
  description: 'PEM file of its key',
};
export const ENROLMENT_CODE: Setting<string> = {
  flag: '--enrolment-code <code>',
  secret: true,
  description:
    'one-time code with which the agent gets its client certificate (EST), which it then renews itself',
};
export const DATA_DIR: Setting<string> = {
  flag: '--data-dir <folder>',
  description: 'directory of the embedded database and the initial admin token',
  default: './.otaops',
};
export const DATABASE_URL: Setting<string> = {
  flag: '--database-url <url>',
  secret: true,
  description:
    'PostgreSQL 14 or newer, postgres://…, with one or several hosts (default: the embedded database)',
  parse: parseDatabaseUrl,
};
const AUDIT_SYSLOG: Setting<string> = {
  flag: '--audit-syslog <url>',
  description: 'syslog receiver for a copy of the audit log: tcp://, tls:// or udp://host:port',
  parse: parseUrl('tcp:', 'tls:', 'udp:'),
};
const AUDIT_OTLP: Setting<string> = {
  flag: '--audit-otlp <url>',
  description:
    'receiver of OpenTelemetry logs (OTLP over HTTP) for a copy of the audit log: http:// or https://, usually with the path /v1/logs',
  parse: parseUrl('http:', 'https:'),
};
const AUDIT_OTLP_TOKEN: Setting<string> = {
  flag: '--audit-otlp-token <token>',
  secret: true,
  description: 'bearer token for --audit-otlp',
};
export const AUDIT_COPY_SETTINGS = [AUDIT_SYSLOG, AUDIT_OTLP, AUDIT_OTLP_TOKEN] as const;
export const AUDIT_KEY_FILE: Setting<string> = {
  flag: '--audit-key-file <file>',
  description:
    'Ed25519 key that seals the audit log, PEM (default: audit-key in the data directory, generated at the first start)',
};
/** An adapter on this machine: the default for commands without their own broker. */
export const LOCAL_BROKER = 'mqtt://127.0.0.1:1883';
export const MQTT_URL: Setting<string> = {
  flag: '--mqtt-url <url>',
  secret: true,
  description:
    'MQTT broker, mqtt://, mqtts://, ws:// or wss://; hosts of a cluster as a:1883,b:1883',
  parse: parseBroker,
};
export const MQTT_SHARED: Setting<boolean> = {
  flag: '--mqtt-shared <0|1>',
  description:
    'all adapters read, through a shared subscription; only for brokers that persist it across restarts',
  default: false,
  parse: parseFlag,
};
export const MQTT_CA: Setting<string> = {
  flag: '--mqtt-ca <file>',
  description: 'PEM file of the CA that issued the MQTT broker’s certificate',
};
export const MQTT_CERT: Setting<string> = {
  flag: '--mqtt-cert <file>',
  description: 'PEM file of the client certificate for the MQTT broker',
};
export const MQTT_KEY: Setting<string> = {
  flag: '--mqtt-key <file>',
  description: 'PEM file of its key',
};
export const MQTT_SESSION_EXPIRY: Setting<number> = {
  flag: '--mqtt-session-expiry <seconds>',
  description: 'how long the MQTT broker queues messages while no adapter runs',
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
  description: 'how long messages stay in the history, in whole weeks (default: forever)',
  parse: parsePositive,
};
export const OPERATION_DAYS: Setting<number> = {
  flag: '--operation-days <days>',
  description:
    'archive finished operations this long after their last activity: vehicles and history are deleted, counts are kept (default: never)',
  parse: parsePositive,
};
export const LOG_LEVEL: Setting<string> = {
  flag: '--log-level <level>',
  description: 'lowest severity to log',
  default: 'info',
  choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
};
export const C2D_TOPIC: Setting<string> = {
  flag: '--c2d-topic <template>',
  description: 'topic to a vehicle',
  default: DEFAULT_C2D_TOPIC,
  parse: parseTopic,
};
export const D2C_TOPIC: Setting<string> = {
  flag: '--d2c-topic <template>',
  description: 'topic from a vehicle',
  default: DEFAULT_D2C_TOPIC,
  parse: parseTopic,
};
export const URL_SETTING: Setting<string> = {
  flag: '--url <url>',
  description: 'HTTP interface of the server',
  default: 'http://127.0.0.1:8080',
  parse: parseUrl('https:', 'http:'),
};
export const TOKEN: Setting<string> = {
  flag: '--token <token>',
  secret: true,
  description: 'token for it (default: the one in the data directory)',
};
export const ALLOW_PLAIN_HTTP: Setting<boolean> = {
  flag: '--allow-plain-http <0|1>',
  description:
    'send tokens over plain HTTP to other machines too; only for links protected by other means',
  default: false,
  parse: parseFlag,
};
export const SEED: Setting<number> = {
  flag: '--seed <number>',
  description: 'determines the behaviour of each simulated vehicle; equal seeds give equal fleets',
  default: 1,
  parse: parseCount,
};
export const SPEED: Setting<number> = {
  flag: '--speed <factor>',
  description: 'simulated seconds per real second',
  default: 30,
  parse: parsePositive,
};
export const vehiclesSetting = (number: number): Setting<number> => ({
  flag: '--vehicles <number>',
  description: 'size of the simulated fleet',
  default: number,
  parse: parseAtLeastOne,
});
export const MQTT_PRESENCE_TOPIC: Setting<string> = {
  flag: '--mqtt-presence-topic <template>',
  description: 'topic on which the MQTT broker reports presence, with {system_id} and +',
  parse: parsePresenceTopic,
};
export const RETRY_FIRST: Setting<number> = {
  flag: '--retry-first <seconds>',
  description: 'delay before an unacknowledged trigger is repeated; doubles each time',
  default: 30,
  parse: parsePositive,
};
export const RETRY_LONGEST: Setting<number> = {
  flag: '--retry-longest <seconds>',
  description: 'maximum of that delay',
  default: 6 * 60 * 60,
  parse: parsePositive,
};
export const RETRY_SENDS: Setting<number> = {
  flag: '--retry-sends <number>',
  description: 'sends without acknowledgement after which a vehicle is UNDELIVERED',
  default: 20,
  parse: parseAtLeastOne,
};
export const TRIGGER_TTL: Setting<number> = {
  flag: '--trigger-ttl <seconds>',
  description:
    'time until an unacknowledged trigger is EXPIRED, unless the event sets it; -1 = never',
  default: -1,
  parse: parseTtl,
};
export const ACK_REQUIRED: Setting<boolean> = {
  flag: '--ack-required <0|1>',
  description: 'whether vehicles acknowledge triggers, unless the event sets it',
  default: true,
  parse: parseFlag,
};
export const DEAD_LETTER_DAYS: Setting<number> = {
  flag: '--dead-letter-days <days>',
  description: 'how long dead letters are kept (default: forever)',
  parse: parsePositive,
};
export const REFUSED_EVENT_DAYS: Setting<number> = {
  flag: '--refused-event-days <days>',
  description: 'how long events that could not be stored are kept (default: forever)',
  parse: parsePositive,
};
export const CALLBACK_URL: Setting<string> = {
  flag: '--callback-url <url>',
  description:
    'URL of the CarOTA Server’s event call-back; add more receivers with otaops callbacks',
  parse: parseUrl('https:', 'http:'),
};
export const CALLBACK_SECRET: Setting<string[]> = {
  flag: '--callback-secret <whsec_…>',
  secret: true,
  description:
    'secret of the event call-back (Standard Webhooks); a list during rotation: the adapter signs with the first, the CarOTA Server accepts all',
  parse: parseSigningSecrets,
};
export const SECRET_KEY: Setting<string[]> = {
  flag: '--secret-key <base64>',
  secret: true,
  description:
    'encrypts secrets in the database, 32 bytes (openssl rand -base64 32); during rotation, a list: the first encrypts, all decrypt (default: a generated key with the embedded database; none with another one, which then cannot store secrets)',
  parse: parseSecretKeys,
};
export const CALLBACK_ALLOW: Setting<string[]> = {
  flag: '--callback-allow <networks>',
  description:
    'loopback, link-local or private networks to which call-backs and notifications may be sent, e.g. 10.1.0.0/16',
  parse: parseNetworks,
};
export const SMTP_URL: Setting<string> = {
  flag: '--smtp-url <url>',
  secret: true,
  description:
    'server for notifications by e-mail, smtp:// (STARTTLS if the server supports it) or smtps://, with user and password',
  parse: parseUrl('smtp:', 'smtps:'),
};
export const SMTP_FROM: Setting<string> = {
  flag: '--smtp-from <address>',
  description: 'sender of notifications by e-mail',
};
export const CALLBACK_BATCH: Setting<number> = {
  flag: '--callback-batch <events>',
  description: 'maximum number of events per call-back request',
  default: 500,
  parse: parseAtLeastOne,
};
export const OTLP_URL: Setting<string> = {
  flag: '--otlp-url <url>',
  description:
    'URL of the trace collector, e.g. http://collector:4318/v1/traces (default: no traces)',
  parse: parseUrl('http:', 'https:'),
};
export const TRACE_RATIO: Setting<number> = {
  flag: '--trace-ratio <fraction>',
  description: 'fraction of vehicles whose delivery is traced, from 0 to 1',
  default: 1,
  parse: parseRatio,
};

export const VIN: Setting<string> = {
  flag: '--vin <vin>',
  description: 'VIN of this vehicle',
  parse: parseVin,
};
export const MODEL: Setting<string> = {
  flag: '--model <model>',
  description: 'its model; update scripts for other models are rejected',
};
export const SYSTEM_ID: Setting<string> = {
  flag: '--system-id <id>',
  description: 'its system_id on the message link (default: c2c-sys-<vin>)',
};
export const DEVICE_ID: Setting<string> = {
  flag: '--device-id <id>',
  description: 'its primary device (default: device-<last digits of the VIN>)',
};
export const ECU_TYPE: Setting<string> = {
  flag: '--ecu-type <type>',
  description: 'type of its primary device',
  default: 'TCU',
};
export const CREDENTIAL: Setting<string> = {
  flag: '--credential <secret>',
  secret: true,
  description: 'its password for the MQTT broker',
};
export const CAROTA_URL: Setting<string> = {
  flag: '--carota-url <url>',
  description: 'HTTP interface of the CarOTA Server',
  default: 'http://127.0.0.1:8090',
  parse: parseUrl('https:', 'http:'),
};
export const CAROTA_TOKEN: Setting<string> = {
  flag: '--carota-token <token>',
  secret: true,
  description: 'token for it, of role vehicle',
};
export const DIRECTOR_URL: Setting<string> = {
  flag: '--director-url <url>',
  description: 'Director repository, without the VIN (default: <carota-url>/uptane/director)',
  parse: parseUrl('https:', 'http:'),
};
export const IMAGE_URL: Setting<string> = {
  flag: '--image-url <url>',
  description: 'image repository (default: <carota-url>/uptane/image)',
  parse: parseUrl('https:', 'http:'),
};
export const SECONDARY_DIR: Setting<string> = {
  flag: '--secondary-dir <folder>',
  description: 'key, metadata and software of the ECU',
};
export const SOCKET: Setting<string> = {
  flag: '--socket <path>',
  description: 'Unix socket for the Primary (default: <secondary-dir>/ecu.sock)',
};
export const VEHICLE_DIR: Setting<string> = {
  flag: '--vehicle-dir <folder>',
  description: 'its journal, downloads and ECUs (default: ./.otaops-vehicle/<vin>)',
};
export const CONSENT: Setting<string> = {
  flag: '--consent <way>',
  description: 'accept or refuse everything, or ask on the terminal or on a web page (ivi)',
  default: 'accept',
  choices: ['accept', 'refuse', 'terminal', 'ivi'],
};
export const IVI_PORT: Setting<number> = {
  flag: '--ivi-port <port>',
  description: 'port of the web page that simulates the vehicle’s screen',
  default: 8100,
  parse: parsePort,
};
export const VEHICLE_STATUS: Setting<string> = {
  flag: '--vehicle-status <file>',
  description:
    'JSON file with the current status: {"battery": 80, "gear": "park", "ignition": "off"}',
};
export const TIME_ZONE: Setting<string> = {
  flag: '--time-zone <zone>',
  description: 'the vehicle’s time zone, for the daily window of a script',
  default: Intl.DateTimeFormat().resolvedOptions().timeZone,
  parse: parseTimeZone,
};
export const INSTALLER_COMMAND: Setting<string> = {
  flag: '--installer-command <command>',
  description: 'program that installs into real ECUs; see docs/vehicle.md',
};
export const HEALTH_COMMAND: Setting<string> = {
  flag: '--health-command <command>',
  description: 'command that exits with 0 if the software in OTAOPS_FILE of OTAOPS_ECU is healthy',
};
export const REBOOT_COMMAND: Setting<string> = {
  flag: '--reboot-command <command>',
  description: 'command that restarts this computer',
};
export const BANDWIDTH: Setting<number> = {
  flag: '--bandwidth <bytes>',
  description: 'download limit in bytes per second (default: none)',
  parse: parsePositive,
};
export const PROGRESS_SECONDS: Setting<number> = {
  flag: '--progress-seconds <seconds>',
  description: 'minimum time between two progress events',
  default: 5,
  parse: parsePositive,
};
export const PROGRESS_PERCENT: Setting<number> = {
  flag: '--progress-percent <percent>',
  description: 'minimum progress between two progress events',
  default: 5,
  parse: parsePositive,
};

export const ADAPTER_URL: Setting<string> = {
  flag: '--adapter-url <url>',
  description: 'HTTP interface of the OTA Adapter',
  default: 'http://127.0.0.1:8080',
  parse: parseUrl('https:', 'http:'),
};
export const ADAPTER_TOKEN: Setting<string> = {
  flag: '--adapter-token <token>',
  secret: true,
  description: 'token for it, with role carota; without one, waves wait',
};
export const ADAPTER_CONTROL_TOKEN: Setting<string> = {
  flag: '--adapter-control-token <token>',
  secret: true,
  description: 'token with role operator, to forward pause and stop to the adapter',
};
export const DIRECTOR_DIR: Setting<string> = {
  flag: '--director-dir <folder>',
  description:
    'folder of the Director’s root (metadata/) and online keys (keys/) (default: in the data directory, with keys generated for trials)',
};
export const DIRECTOR_SIGNER: Setting<string> = {
  flag: '--director-signer <socket>',
  description:
    'Unix socket of the otaops signer with the Director’s online keys (default: the keys in that folder)',
};
export const IMAGE_REPOSITORY_DIR: Setting<string> = {
  flag: '--image-repository-dir <folder>',
  description:
    'folder of the image repository, created with otaops repository (default: in the data directory, with keys generated for trials)',
};
export const IMAGE_SIGNER: Setting<string> = {
  flag: '--image-signer <socket>',
  description:
    'Unix socket of the otaops signer with the image repository’s snapshot and timestamp keys (default: refreshed by hand)',
};
export const S3_URL: Setting<string> = {
  flag: '--s3-url <url>',
  description:
    'S3-compatible store of the artifacts (default: a folder); credentials come from AWS_… variables',
  parse: parseUrl('https:', 'http:'),
};
export const S3_BUCKET: Setting<string> = {
  flag: '--s3-bucket <name>',
  description: 'bucket of that store',
};
export const S3_REGION: Setting<string> = {
  flag: '--s3-region <name>',
  description: 'region of that store',
  default: 'us-east-1',
};
export const IMAGE_BUCKET: Setting<string> = {
  flag: '--image-bucket <name>',
  description: 'bucket of that store for a copy of the published image repository, e.g. for a CDN',
};
export const PUBLIC_URL: Setting<string> = {
  flag: '--public-url <url>',
  description:
    'URL from which vehicles fetch artifacts, e.g. a CDN (default: the address they already use)',
  parse: parseUrl('https:', 'http:'),
};
export const TIMESTAMP_URL: Setting<string> = {
  flag: '--timestamp-url <url>',
  description: 'time-stamping authority (RFC 3161) for dossiers (default: none)',
  parse: parseUrl('https:', 'http:'),
};
export const IMAGE_ACCESS: Setting<string> = {
  flag: '--image-access <who>',
  description: 'who may fetch images of the image repository; its metadata is public',
  default: 'anyone',
  choices: ['anyone', 'vehicles'],
};
export const APPROVAL: Setting<string> = {
  flag: '--approval <who>',
  description: 'approval required before a schedule starts',
  default: 'none',
  choices: ['none', 'anyone', 'second-person'],
};
export const URL_TTL: Setting<number> = {
  flag: '--url-ttl <seconds>',
  description: 'minimum validity of an artifact URL',
  default: 24 * 60 * 60,
  parse: parsePositive,
};
export const DEADLINE_GRACE: Setting<number> = {
  flag: '--deadline-grace <seconds>',
  description: 'time after the start during which no vehicle becomes silent',
  default: 60,
  parse: parseCount,
};
export const CAROTA_PORT: Setting<number> = {
  flag: '--carota-port <port>',
  description: 'port of the CarOTA Server’s HTTP interface',
  default: 8090,
  parse: parsePort,
};
