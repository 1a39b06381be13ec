/** Dependencies of the routes. */
import { type Logger } from 'pino';
import { type Database } from '../../service/database/index.js';
import { type SignInGuard } from '../../service/access/index.js';
import { type AttemptLog } from '../../service/audit/index.js';
import { type Signer } from '../../service/chain/index.js';
import { type HttpLimits } from '../../service/limits/index.js';
import { type OpenedSignOn } from '../../service/sign-on/index.js';
import { type ServerCertificate } from '../../service/tls/index.js';
import { type SecretBox } from '../../service/secrets/index.js';
import { type BatchOutcome, type Received } from '../d2c-receiver/index.js';
import { type EventStream } from '../event-stream/index.js';
import { type Metrics } from '../metrics/index.js';
import { type Summaries } from '../operations/index.js';
import { type Tracing } from '../tracing/index.js';

export interface HttpContext {
  readonly database: Database;
  /** A separate pool for routes that may read a lot, so that they take no connection from the others. */
  readonly reading: Database;
  readonly metrics: Metrics;
  /** ms */
  readonly clock: () => number;
  /** Counter shard of the HTTP interface's writes. */
  readonly shard: number;
  /** Triggers may have become due. */
  readonly wakeSender: () => void;
  readonly ingestOne: (received: Received) => Promise<BatchOutcome>;
  readonly stream: EventStream;
  readonly summaries: Summaries;
  readonly tracing: Tracing;
  readonly log: Logger;
  /** Defaults for operations whose trigger does not set them. */
  readonly dispatchDefaults: { readonly ttl?: number | undefined; readonly ackRequired: boolean };
  /** @throws ForbiddenAddress */
  readonly checkCallbackUrl: (url: string) => void;
  /** Aborts when the adapter stops, and ends open-ended streams. */
  readonly stopping: AbortSignal;
  /** The AsyncAPI document of the MQTT interface. */
  readonly asyncApi: () => object;
  /** Whether messages to vehicles can pass. */
  readonly linkConnected: () => boolean;
  readonly version: string;
  readonly limits: HttpLimits | undefined;
  /** Undefined: plain HTTP. */
  readonly certificate?: ServerCertificate | undefined;
  readonly hstsSeconds?: number | undefined;
  /** Undefined: browsers sign in with tokens only. */
  readonly signOn?: OpenedSignOn | undefined;
  readonly signIns: SignInGuard;
  /** Seals the audit log. */
  readonly auditKey: Signer;
  readonly attempts: AttemptLog;
  /** Seals secrets of call-backs. */
  readonly box: SecretBox;
}
