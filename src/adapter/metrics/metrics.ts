/** What operations staff watch, in the Prometheus text format. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type SendOutcome } from '../c2d-sender/index.js';
import { type BatchOutcome } from '../d2c-receiver/index.js';
import { type Queryable } from '../database/index.js';

interface Totals {
  readonly received: number;
  readonly applied: number;
  readonly duplicates: number;
  readonly dead_letters: number;
}

/** The durable totals of all adapters on this database, read at one moment (contract 5.6). */
async function messageTotals(database: Queryable): Promise<Totals> {
  const [row] = await database.query<Totals>(
    `select coalesce(sum(received), 0)::bigint as received,
       coalesce(sum(applied), 0)::bigint as applied,
       coalesce(sum(duplicates), 0)::bigint as duplicates,
       coalesce(sum(dead_letters), 0)::bigint as dead_letters
     from message_totals`,
  );
  return row ?? { received: 0, applied: 0, duplicates: 0, dead_letters: 0 };
}

export interface MetricSources {
  readonly database: Queryable;
  /** Messages that have arrived and are not stored yet. */
  readonly waiting: () => number;
  readonly linkConnected: () => boolean;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #sources: MetricSources;
  readonly #deadLetters: Counter<'reason'>;
  readonly #batchSize: Histogram;
  readonly #batchSeconds: Histogram;
  readonly #triggers: Counter<'outcome'>;
  readonly #failures: Counter<'part'>;
  readonly #requests: Counter<'method' | 'route' | 'code'>;

  constructor(sources: MetricSources) {
    this.#sources = sources;
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
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
      help: 'OTA_TRIGGERs that came to their turn in this process, by outcome.',
      labelNames: ['outcome'],
      registers,
    });
    this.#failures = new Counter({
      name: 'otaops_failures_total',
      help: 'Tries that failed and are repeated, by part.',
      labelNames: ['part'],
      registers,
    });
    this.#requests = new Counter({
      name: 'otaops_http_requests_total',
      help: 'HTTP requests answered by this process.',
      labelNames: ['method', 'route', 'code'],
      registers,
    });
    new Gauge({
      name: 'otaops_messages_waiting',
      help: 'Messages that have arrived and are not stored yet.',
      registers,
      collect() {
        this.set(sources.waiting());
      },
    });
    new Gauge({
      name: 'otaops_message_link_up',
      help: '1 if messages to and from vehicles can pass.',
      registers,
      collect() {
        this.set(sources.linkConnected() ? 1 : 0);
      },
    });
  }

  batchStored(outcome: BatchOutcome, seconds: number): void {
    this.#batchSize.observe(outcome.received);
    this.#batchSeconds.observe(seconds);
    for (const [reason, count] of Object.entries(outcome.reasons)) {
      this.#deadLetters.inc({ reason }, count);
    }
  }

  triggersSettled(outcomes: readonly SendOutcome[]): void {
    for (const { outcome } of outcomes) this.#triggers.inc({ outcome });
  }

  failed(part: 'd2c-receiver' | 'c2d-sender' | 'message-link' | 'maintenance'): void {
    this.#failures.inc({ part });
  }

  requestAnswered(method: string, route: string, code: number): void {
    this.#requests.inc({ method, route, code: String(code) });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async render(): Promise<string> {
    const own = await this.#registry.metrics();
    try {
      return own + durable(await messageTotals(this.#sources.database));
    } catch {
      return `${own}${line('otaops_database_up', 'gauge', '1 if the database answers.', 0)}`;
    }
  }
}

function durable(totals: Totals): string {
  const all = '(all adapters on this database; take the max over instances, not the sum)';
  return [
    line('otaops_database_up', 'gauge', '1 if the database answers.', 1),
    line(
      'otaops_messages_received_total',
      'counter',
      `Messages from vehicles ${all}.`,
      totals.received,
    ),
    line('otaops_messages_applied_total', 'counter', `Of these applied ${all}.`, totals.applied),
    line(
      'otaops_messages_duplicate_total',
      'counter',
      `Of these recognised as duplicates ${all}.`,
      totals.duplicates,
    ),
    line(
      'otaops_messages_dead_letter_total',
      'counter',
      `Of these kept as dead letters ${all}.`,
      totals.dead_letters,
    ),
  ].join('');
}

const line = (name: string, type: string, help: string, value: number) =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`;
