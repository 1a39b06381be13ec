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
  /** `mqtt://`, `mqtts://`, `ws://`, `wss://`; undefined: the embedded broker. */
  readonly mqttUrl?: string | undefined;
  /** PEM files for `mqtts://` and `wss://`. */
  readonly mqttCa?: string | undefined;
  readonly mqttCert?: string | undefined;
  readonly mqttKey?: string | undefined;
  /** How long the broker keeps messages for an adapter that is away, seconds. */
  readonly mqttSessionExpiry?: number | undefined;
  /** Name of this adapter among those on one broker, the same after a restart. */
  readonly instance?: string | undefined;
  /** How long messages stay in the history, days; undefined: for ever. */
  readonly historyDays?: number | undefined;
  readonly c2dTopic?: string | undefined;
  readonly d2cTopic?: string | undefined;
  readonly retry?: RetryPolicy | undefined;
}
