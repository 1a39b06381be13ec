/** Settings of the limits that strangers, vehicles and tokens are held to (docs/deployment.md). */
import {
  type BrokerLimits,
  DEFAULT_BROKER_LIMITS,
} from '../../adapter/message-link/broker-limits.js';
import {
  type DeadLetterLimits,
  DEFAULT_DEAD_LETTER_LIMITS,
} from '../../adapter/d2c-receiver/dead-letter-limits.js';
import {
  DEFAULT_MESSAGE_BUDGET,
  type MessageBudgetLimits,
} from '../../adapter/d2c-receiver/message-budget.js';
import {
  DEFAULT_SIGN_IN_LIMITS,
  DEFAULT_VEHICLE_SIGN_IN_LIMITS,
  type SignInLimits,
} from '../../service/access/sign-in-limits.js';
import { DEFAULT_UPLOAD_QUOTA, type UploadQuota } from '../../carota/artifacts/upload-quota.js';
import { READING_SECONDS } from '../../service/database/lanes.js';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from '../../service/limits/index.js';
import { parseAtLeastOne, parseCount, parseNetworks, parseTimeLimit } from './parsers.js';
import { type Setting } from './settings.js';

const atLeastOne = (flag: string, description: string, number: number): Setting<number> => ({
  flag: `${flag} <number>`,
  description,
  default: number,
  parse: parseAtLeastOne,
});
const orNone = (flag: string, description: string, number: number): Setting<number> => ({
  flag: `${flag} <number>`,
  description: `${description}; 0: no limit`,
  default: number,
  parse: parseCount,
});
const seconds = (flag: string, description: string, number: number): Setting<number> => ({
  flag: `${flag} <seconds>`,
  description,
  default: number,
  parse: parseTimeLimit,
});

const { connections, headersSeconds, bodySeconds, loads } = DEFAULT_HTTP_LIMITS;

const TRUSTED_PROXIES: Setting<string[]> = {
  flag: '--trusted-proxies <networks>',
  description:
    'proxies in front of the HTTP interface whose X-Forwarded-For is trusted, e.g. 10.1.0.0/16',
  default: [...DEFAULT_HTTP_LIMITS.trustedProxies],
  parse: parseNetworks,
};

export const HTTP_LIMIT_SETTINGS = [
  atLeastOne('--http-connections', 'simultaneous HTTP connections', connections.inAll),
  orNone(
    '--http-connections-per-address',
    'simultaneous HTTP connections from one IPv4 address or IPv6 /64',
    connections.perAddress,
  ),
  seconds('--http-headers-seconds', 'time for the headers of an HTTP request', headersSeconds),
  seconds(
    '--http-body-seconds',
    'period in which at least 4 KiB of an HTTP request’s body must arrive',
    bodySeconds,
  ),
  atLeastOne(
    '--streams-per-token',
    'simultaneous event streams, live updates and long polls of one token',
    loads.stream.perToken,
  ),
  atLeastOne('--streams', 'the same of all tokens', loads.stream.inAll),
  atLeastOne('--exports-per-token', 'simultaneous exports of one token', loads.export.perToken),
  atLeastOne('--exports', 'the same of all tokens', loads.export.inAll),
  atLeastOne(
    '--searches-per-token',
    'simultaneous text searches and previews of one token',
    loads.search.perToken,
  ),
  atLeastOne('--searches', 'the same of all tokens', loads.search.inAll),
  seconds('--search-seconds', 'time for a list, a search or a part of an export', READING_SECONDS),
  atLeastOne(
    '--uploads-per-token',
    'simultaneous uploads and imports of one token',
    loads.upload.perToken,
  ),
  atLeastOne('--uploads', 'the same of all tokens', loads.upload.inAll),
  TRUSTED_PROXIES,
] as const;

/** Values of {@link HTTP_LIMIT_SETTINGS}. */
export interface HttpLimitFlags {
  readonly httpConnections: number;
  readonly httpConnectionsPerAddress: number;
  readonly httpHeadersSeconds: number;
  readonly httpBodySeconds: number;
  readonly streamsPerToken: number;
  readonly streams: number;
  readonly exportsPerToken: number;
  readonly exports: number;
  readonly searchesPerToken: number;
  readonly searches: number;
  readonly uploadsPerToken: number;
  readonly uploads: number;
  readonly trustedProxies: readonly string[];
}

export const httpLimitsOf = (flags: HttpLimitFlags): HttpLimits => ({
  connections: { inAll: flags.httpConnections, perAddress: flags.httpConnectionsPerAddress },
  headersSeconds: flags.httpHeadersSeconds,
  bodySeconds: flags.httpBodySeconds,
  trustedProxies: flags.trustedProxies,
  loads: {
    stream: { perToken: flags.streamsPerToken, inAll: flags.streams },
    export: { perToken: flags.exportsPerToken, inAll: flags.exports },
    search: { perToken: flags.searchesPerToken, inAll: flags.searches },
    upload: { perToken: flags.uploadsPerToken, inAll: flags.uploads },
    dossier: loads.dossier,
  },
});

export const SIGN_IN_LIMIT_SETTINGS = [
  orNone(
    '--failed-sign-ins',
    'wrong tokens and sessions from one address before it is blocked temporarily',
    DEFAULT_SIGN_IN_LIMITS.perAddress,
  ),
] as const;

/** Values of {@link SIGN_IN_LIMIT_SETTINGS}. */
export interface SignInLimitFlags {
  readonly failedSignIns: number;
}

export const signInLimitsOf = ({ failedSignIns }: SignInLimitFlags): SignInLimits => ({
  ...DEFAULT_SIGN_IN_LIMITS,
  perAddress: failedSignIns,
});

export const VEHICLE_SIGN_IN_LIMIT_SETTINGS = [
  orNone(
    '--mqtt-failed-sign-ins',
    'wrong credentials for one system_id from one address before it is blocked temporarily',
    DEFAULT_VEHICLE_SIGN_IN_LIMITS.perName,
  ),
  orNone(
    '--mqtt-failed-sign-ins-per-address',
    'the same for all system_ids together',
    DEFAULT_VEHICLE_SIGN_IN_LIMITS.perAddress,
  ),
] as const;

/** Values of {@link VEHICLE_SIGN_IN_LIMIT_SETTINGS}. */
export interface VehicleSignInLimitFlags {
  readonly mqttFailedSignIns: number;
  readonly mqttFailedSignInsPerAddress: number;
}

export const vehicleSignInLimitsOf = (flags: VehicleSignInLimitFlags): SignInLimits => ({
  perAddress: flags.mqttFailedSignInsPerAddress,
  perName: flags.mqttFailedSignIns,
});

const broker = DEFAULT_BROKER_LIMITS;

export const BROKER_LIMIT_SETTINGS = [
  atLeastOne(
    '--mqtt-connections',
    'simultaneous connections to the embedded broker',
    broker.connections.inAll,
  ),
  orNone(
    '--mqtt-connections-per-address',
    'the same from one IPv4 address or IPv6 /64',
    broker.connections.perAddress,
  ),
  atLeastOne(
    '--mqtt-unauthenticated',
    'connections to the embedded broker that have not signed in; the oldest is closed for a new one',
    broker.unauthenticated,
  ),
  seconds(
    '--mqtt-connect-seconds',
    'time for CONNECT at the embedded broker',
    broker.connectSeconds,
  ),
  atLeastOne(
    '--mqtt-connect-bytes',
    'size of a CONNECT at the embedded broker, bytes',
    broker.connectBytes,
  ),
  atLeastOne(
    '--mqtt-queue',
    'messages that the embedded broker queues for a vehicle; the oldest is dropped for a new one',
    broker.queue,
  ),
] as const;

/** Values of {@link BROKER_LIMIT_SETTINGS}. */
export interface BrokerLimitFlags {
  readonly mqttConnections: number;
  readonly mqttConnectionsPerAddress: number;
  readonly mqttUnauthenticated: number;
  readonly mqttConnectSeconds: number;
  readonly mqttConnectBytes: number;
  readonly mqttQueue: number;
}

export const brokerLimitsOf = (flags: BrokerLimitFlags): BrokerLimits => ({
  connections: { inAll: flags.mqttConnections, perAddress: flags.mqttConnectionsPerAddress },
  unauthenticated: flags.mqttUnauthenticated,
  connectSeconds: flags.mqttConnectSeconds,
  connectBytes: flags.mqttConnectBytes,
  queue: flags.mqttQueue,
});

const MEBIBYTE = 1024 ** 2;

const megabytes = (flag: string, description: string, bytes: number): Setting<number> =>
  atLeastOne(flag, `${description}, MiB`, bytes / MEBIBYTE);

export const UPLOAD_QUOTA_SETTINGS = [
  atLeastOne('--artifacts', 'artifacts at the CarOTA Server', DEFAULT_UPLOAD_QUOTA.artifacts),
  megabytes(
    '--artifact-megabytes',
    'storage for artifacts, including uploads in progress',
    DEFAULT_UPLOAD_QUOTA.artifactBytes,
  ),
  megabytes(
    '--artifact-megabytes-per-token',
    'storage for the artifacts uploaded with one token',
    DEFAULT_UPLOAD_QUOTA.artifactBytesPerToken,
  ),
  atLeastOne('--scripts', 'update scripts at the CarOTA Server', DEFAULT_UPLOAD_QUOTA.scripts),
  megabytes('--script-megabytes', 'storage for update scripts', DEFAULT_UPLOAD_QUOTA.scriptBytes),
  megabytes(
    '--upload-free-megabytes',
    'space that uploads must leave free on the disk of the data directory',
    DEFAULT_UPLOAD_QUOTA.freeDiskBytes,
  ),
] as const;

/** Values of {@link UPLOAD_QUOTA_SETTINGS}. */
export interface UploadQuotaFlags {
  readonly artifacts: number;
  readonly artifactMegabytes: number;
  readonly artifactMegabytesPerToken: number;
  readonly scripts: number;
  readonly scriptMegabytes: number;
  readonly uploadFreeMegabytes: number;
}

export const uploadQuotaOf = (flags: UploadQuotaFlags): UploadQuota => ({
  artifacts: flags.artifacts,
  artifactBytes: flags.artifactMegabytes * MEBIBYTE,
  artifactBytesPerToken: flags.artifactMegabytesPerToken * MEBIBYTE,
  scripts: flags.scripts,
  scriptBytes: flags.scriptMegabytes * MEBIBYTE,
  freeDiskBytes: flags.uploadFreeMegabytes * MEBIBYTE,
});

export const DEAD_LETTER_LIMIT_SETTINGS = [
  atLeastOne(
    '--dead-letters-per-vehicle',
    'dead letters kept per vehicle; further ones are only counted',
    DEFAULT_DEAD_LETTER_LIMITS.perVehicle,
  ),
  atLeastOne(
    '--dead-letter-megabytes',
    'storage for the dead letters of all vehicles, MiB; further ones are only counted',
    DEFAULT_DEAD_LETTER_LIMITS.bytes / MEBIBYTE,
  ),
] as const;

export const MESSAGE_BUDGET_SETTINGS = [
  orNone(
    '--messages-per-vehicle',
    'messages of one vehicle in a burst',
    DEFAULT_MESSAGE_BUDGET.burst,
  ),
  atLeastOne(
    '--messages-per-vehicle-hour',
    'messages of one vehicle per hour, beyond a burst',
    DEFAULT_MESSAGE_BUDGET.perHour,
  ),
] as const;

/** Values of {@link MESSAGE_BUDGET_SETTINGS}. */
export interface MessageBudgetFlags {
  readonly messagesPerVehicle: number;
  readonly messagesPerVehicleHour: number;
}

export const messageBudgetOf = (flags: MessageBudgetFlags): MessageBudgetLimits => ({
  burst: flags.messagesPerVehicle,
  perHour: flags.messagesPerVehicleHour,
});

/** Values of {@link DEAD_LETTER_LIMIT_SETTINGS}. */
export interface DeadLetterLimitFlags {
  readonly deadLettersPerVehicle: number;
  readonly deadLetterMegabytes: number;
}

export const deadLetterLimitsOf = (flags: DeadLetterLimitFlags): DeadLetterLimits => ({
  perVehicle: flags.deadLettersPerVehicle,
  bytes: flags.deadLetterMegabytes * MEBIBYTE,
});
