/** What an adapter is told when it starts. */
import { type RetryPolicy } from './c2d-sender/index.js';

export interface AdapterSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly httpPort: number;
  /** Of the embedded broker; 0: any free port. */
  readonly mqttPort: number;
  /** Of the embedded database, and of the file with the first token. */
  readonly dataDir: string;
  /** `postgres://…`; undefined: the embedded database. */
  readonly databaseUrl?: string | undefined;
  /** `mqtt://`, `mqtts://`, `ws://`, `wss://`, one host or several; undefined: the embedded broker. */
  readonly mqttUrl?: string | undefined;
  /** PEM files for `mqtts://` and `wss://`. */
  readonly mqttCa?: string | undefined;
  readonly mqttCert?: string | undefined;
  readonly mqttKey?: string | undefined;
  /** How long the broker keeps messages for an adapter that is away, seconds. */
  readonly mqttSessionExpiry?: number | undefined;
  /** Whether all adapters read over a shared subscription, and not one of them at a time. */
  readonly mqttShared?: boolean | undefined;
  /** Name of this adapter among those on one broker, the same after a restart. */
  readonly instance?: string | undefined;
  /** How long messages stay in the history, days; undefined: for ever. */
  readonly historyDays?: number | undefined;
  /** How long a finished operation keeps its vehicles, days since its last activity; undefined: for ever. */
  readonly operationDays?: number | undefined;
  readonly c2dTopic?: string | undefined;
  readonly d2cTopic?: string | undefined;
  readonly retry?: RetryPolicy | undefined;
  /** Topic on which the broker tells which vehicles have connected, with `{system_id}`. */
  readonly mqttPresenceTopic?: string | undefined;
  /** Of operations that say nothing of it: seconds until a trigger expires, -1 = never. */
  readonly triggerTtl?: number | undefined;
  /** Of operations that say nothing of it: whether vehicles acknowledge. */
  readonly ackRequired?: boolean | undefined;
  /** How long dead letters are kept, days; undefined: for ever. */
  readonly deadLetterDays?: number | undefined;
  /** The CarOTA Server's event call-back, the receiver named `default`. */
  readonly callbackUrl?: string | undefined;
  readonly callbackSecret?: string | undefined;
  /** Networks that call-backs may go to although they are loopback, link-local or private. */
  readonly callbackAllow?: readonly string[] | undefined;
  /** Events in one call-back request at most. */
  readonly callbackBatch?: number | undefined;
  /** Where traces are sent (OTLP over HTTP); undefined: nothing is traced. */
  readonly otlpUrl?: string | undefined;
  /** Of how many vehicles the sending is traced, from 0 to 1. */
  readonly traceRatio?: number | undefined;
}
