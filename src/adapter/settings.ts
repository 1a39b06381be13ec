/** Startup settings of an adapter. */
import { type SignInLimits } from '../service/access/index.js';
import { type HttpLimits } from '../service/limits/index.js';
import { type SignOnSettings } from '../service/sign-on/index.js';
import { type TlsSettings } from '../service/tls/index.js';
import { type RetryPolicy } from './c2d-sender/index.js';
import { type DeadLetterLimits, type MessageBudgetLimits } from './d2c-receiver/index.js';
import { type TlsFilePaths } from '../service/vehicle-tls/index.js';
import { type BrokerLimits } from './message-link/index.js';

export interface AdapterSettings extends TlsSettings, SignOnSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly httpPort: number;
  /** PEM file of additional CAs to trust when calling other servers over HTTPS. */
  readonly ca?: string | undefined;
  /** Port of the embedded broker; 0: any free port. */
  readonly mqttPort: number;
  /** Whether the embedded broker also listens without TLS; undefined: yes. */
  readonly mqttPlain?: boolean | undefined;
  /** Port of the embedded broker for TLS with client certificates; 0: any free port. Needs {@link vehicleTls}. */
  readonly mqttsPort?: number | undefined;
  /** PEM files of that port; undefined: the port is not opened. */
  readonly vehicleTls?: TlsFilePaths | undefined;
  /** Directory of the embedded database and of the initial admin token. */
  readonly dataDir: string;
  /** `postgres://…`; undefined: the embedded database. */
  readonly databaseUrl?: string | undefined;
  /** `mqtt://`, `mqtts://`, `ws://`, `wss://`, one host or several; undefined: the embedded broker. */
  readonly mqttUrl?: string | undefined;
  /** PEM files for `mqtts://` and `wss://`. */
  readonly mqttCa?: string | undefined;
  readonly mqttCert?: string | undefined;
  readonly mqttKey?: string | undefined;
  /** How long the broker keeps messages for a disconnected adapter, seconds. */
  readonly mqttSessionExpiry?: number | undefined;
  /** Whether all adapters read, over a shared subscription, instead of one at a time. */
  readonly mqttShared?: boolean | undefined;
  /** Name of this adapter, unique on its broker and the same after a restart. */
  readonly instance?: string | undefined;
  /** How long messages stay in the history, days; undefined: forever. */
  readonly historyDays?: number | undefined;
  /** How long a finished operation keeps its vehicles, days since its last activity; undefined: forever. */
  readonly operationDays?: number | undefined;
  readonly c2dTopic?: string | undefined;
  readonly d2cTopic?: string | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly httpLimits?: HttpLimits | undefined;
  /** Time limit of a statement that reads for people, seconds. */
  readonly searchSeconds?: number | undefined;
  /** Encrypt secrets in the database, 32 bytes in base64 each: the first seals, all open. */
  readonly secretKeys?: readonly string[] | undefined;
  /** Ed25519 key that seals the audit log, PEM; undefined: one in the data directory, generated at the first start. */
  readonly auditKeyFile?: string | undefined;
  /** `tcp://`, `tls://` or `udp://host:port` of a copy of the audit log; undefined: no copy. */
  readonly auditSyslog?: string | undefined;
  /** URL of a receiver of OTLP logs over HTTP for a copy of the log; undefined: no copy. */
  readonly auditOtlp?: string | undefined;
  /** Bearer token for it. */
  readonly auditOtlpToken?: string | undefined;
  readonly signInLimits?: SignInLimits | undefined;
  /** Of the embedded broker. */
  readonly vehicleSignInLimits?: SignInLimits | undefined;
  readonly brokerLimits?: BrokerLimits | undefined;
  /** Topic on which the broker reports presence, with `{system_id}`. */
  readonly mqttPresenceTopic?: string | undefined;
  /** Default for operations: seconds until a trigger expires, -1 = never. */
  readonly triggerTtl?: number | undefined;
  /** Default for operations: whether vehicles acknowledge triggers. */
  readonly ackRequired?: boolean | undefined;
  /** Of messages of each vehicle. */
  readonly messageBudget?: MessageBudgetLimits | undefined;
  /** Of messages that cannot be applied. */
  readonly deadLetterLimits?: DeadLetterLimits | undefined;
  /** How long dead letters are kept, days; undefined: forever. */
  readonly deadLetterDays?: number | undefined;
  /** The CarOTA Server's event call-back, the receiver named `default`. */
  readonly callbackUrl?: string | undefined;
  readonly callbackSecret?: string | undefined;
  /** Loopback, link-local or private networks to which call-backs may go. */
  readonly callbackAllow?: readonly string[] | undefined;
  /** Maximum number of events per call-back request. */
  readonly callbackBatch?: number | undefined;
  /** Where traces are sent (OTLP over HTTP); undefined: no tracing. */
  readonly otlpUrl?: string | undefined;
  /** Share of vehicles whose triggers are traced, from 0 to 1. */
  readonly traceRatio?: number | undefined;
}
