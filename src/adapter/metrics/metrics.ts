/** Metrics for monitoring, in the Prometheus text format. */
import { type CopyWatch, watchCopy } from '../../service/audit/index.js';
import { type Logger } from 'pino';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type SendOutcome } from '../c2d-sender/index.js';
import { type BatchOutcome, type D2cReceiver } from '../d2c-receiver/index.js';
import { type BrokerLimit, type MessageLink } from '../message-link/index.js';
import { countExpiringTokens, watchSignIns } from '../../service/access/index.js';
import { type CertificateListeners, watchCertificate } from '../../service/tls/index.js';
import { CLOCK_OFFSET } from '../../service/clock/index.js';
import { type Queryable } from '../../service/database/index.js';
import { type HttpLimit, REFUSALS } from '../../service/limits/index.js';
import { DurableFigures } from './durable.js';
import { gauge } from './text-format.js';

export interface MetricSources {
  readonly database: Queryable;
  /** ms */
  readonly clock: () => number;
  /** How far this machine's clock is ahead of the database's, seconds. */
  readonly clockOffset: () => number;
}

/** Parts whose present condition is shown. */
export interface WatchedParts {
  readonly link: Pick<MessageLink, 'isConnected' | 'isSubscribed'>;
  readonly receiver: Pick<D2cReceiver, 'waiting'>;
}

/** Parts whose failures are counted; each of them retries. */
export type Part =
  'd2c-receiver' | 'c2d-sender' | 'message-link' | 'event-stream' | 'call-back' | 'maintenance';

export class Metrics {
  readonly #registry = new Registry();
  readonly #durable: DurableFigures;
  readonly #deadLetters: Counter<'reason'>;
  readonly #batchSize: Histogram;
  readonly #batchSeconds: Histogram;
  readonly #triggers: Counter<'outcome'>;
  readonly #failures: Counter<'part'>;
  readonly #requests: Counter<'method' | 'route' | 'code'>;
  readonly #refusedValues: Counter<'route' | 'sqlstate'>;
  readonly #callbacks: Counter<'receiver' | 'outcome'>;
  readonly #callbackEvents: Counter<'receiver'>;
  readonly #callbackSeconds: Histogram<'receiver'>;
  readonly #refusals: Counter<'limit'>;

  constructor(sources: MetricSources) {
    this.#durable = new DurableFigures(sources.database, sources.clock);
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    countExpiringTokens(this.#registry, sources.database, sources.clock);
    this.#deadLetters = new Counter({
      name: 'otaops_refused_messages_total',
      help: 'Messages refused by this process, by reason; repetitions included.',
      labelNames: ['reason'],
      registers,
    });
    this.#batchSize = new Histogram({
      name: 'otaops_batch_messages',
      help: 'Messages stored in one transaction.',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
      registers,
    });
    this.#batchSeconds = new Histogram({
      name: 'otaops_batch_seconds',
      help: 'Duration of the transaction that stores a batch.',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
      registers,
    });
    this.#triggers = new Counter({
      name: 'otaops_triggers_total',
      help: 'OTA_TRIGGERs handled by this process, by outcome.',
      labelNames: ['outcome'],
      registers,
    });
    this.#failures = new Counter({
      name: 'otaops_failures_total',
      help: 'Failed attempts, by part; all are retried.',
      labelNames: ['part'],
      registers,
    });
    this.#requests = new Counter({
      name: 'otaops_http_requests_total',
      help: 'HTTP requests answered by this process.',
      labelNames: ['method', 'route', 'code'],
      registers,
    });
    this.#refusedValues = new Counter({
      name: 'otaops_http_refused_values_total',
      help: 'Request values that passed validation and that the database refused; each one is a bug.',
      labelNames: ['route', 'sqlstate'],
      registers,
    });
    this.#callbacks = new Counter({
      name: 'otaops_callback_requests_total',
      help: 'Batches posted to receivers of the event call-back by this process, by outcome.',
      labelNames: ['receiver', 'outcome'],
      registers,
    });
    this.#callbackEvents = new Counter({
      name: 'otaops_callback_events_total',
      help: 'Events that receivers have accepted from this process.',
      labelNames: ['receiver'],
      registers,
    });
    this.#callbackSeconds = new Histogram({
      name: 'otaops_callback_seconds',
      help: 'Response time of receivers.',
      labelNames: ['receiver'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15],
      registers,
    });
    this.#refusals = new Counter({ ...REFUSALS, labelNames: ['limit'], registers });
    new Gauge({
      ...CLOCK_OFFSET,
      registers,
      collect() {
        this.set(sources.clockOffset());
      },
    });
  }

  /** Shows the condition of these parts from now on; called once. */
  watch({ link, receiver }: WatchedParts): void {
    const registers = [this.#registry];
    new Gauge({
      name: 'otaops_messages_waiting',
      help: 'Messages received and not stored yet.',
      registers,
      collect() {
        this.set(receiver.waiting);
      },
    });
    new Gauge({
      name: 'otaops_message_link_up',
      help: '1 if messages to and from vehicles can pass.',
      registers,
      collect() {
        this.set(link.isConnected ? 1 : 0);
      },
    });
    new Gauge({
      name: 'otaops_subscribed',
      help: "1 if this adapter reads the vehicles' messages; the sum over the adapters is 1 by default.",
      registers,
      collect() {
        this.set(link.isSubscribed ? 1 : 0);
      },
    });
  }

  batchStored(outcome: BatchOutcome, seconds: number): void {
    if (outcome.overflow > 0) this.#refusals.inc({ limit: 'dead-letters' }, outcome.overflow);
    this.#batchSize.observe(outcome.received);
    this.#batchSeconds.observe(seconds);
    for (const [reason, count] of Object.entries(outcome.reasons)) {
      this.#deadLetters.inc({ reason }, count);
    }
  }

  sendsRecorded(outcomes: readonly SendOutcome[]): void {
    for (const { outcome } of outcomes) this.#triggers.inc({ outcome });
  }

  posted(receiver: string, isSettled: boolean, events: number, seconds: number): void {
    this.#callbacks.inc({ receiver, outcome: isSettled ? 'settled' : 'refused' });
    this.#callbackSeconds.observe({ receiver }, seconds);
    if (isSettled) this.#callbackEvents.inc({ receiver }, events);
  }

  failed(part: Part): void {
    this.#failures.inc({ part });
  }

  requestAnswered(method: string, route: string, code: number): void {
    this.#requests.inc({ method, route, code: String(code) });
  }

  /** How failed sign-ins are counted and logged; called once. */
  auditCopy(): CopyWatch {
    return watchCopy(this.#registry);
  }

  signIns(log: Logger): ReturnType<typeof watchSignIns> {
    return watchSignIns(this.#registry, log);
  }

  /** How the certificate of the HTTP interface is shown and logged; called once. */
  certificate(log: Logger): CertificateListeners {
    return watchCertificate(this.#registry, log);
  }

  refused(limit: HttpLimit | BrokerLimit): void {
    this.#refusals.inc({ limit });
  }

  valueRefused(route: string, sqlstate: string): void {
    this.#refusedValues.inc({ route, sqlstate });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async render(): Promise<string> {
    const own = await this.#registry.metrics();
    const up = (value: 0 | 1) => gauge('otaops_database_up', '1 if the database answers.', value);
    try {
      return own + (await this.#durable.render()) + up(1);
    } catch {
      return own + up(0);
    }
  }
}
