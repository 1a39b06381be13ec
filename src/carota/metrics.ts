/** Metrics for monitoring the CarOTA Server. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { CLOCK_OFFSET } from '../service/clock/index.js';
import { type Queryable } from '../service/database/index.js';
import { REFUSAL_REASONS } from '../contract/carota-api/index.js';
import { countRefusedEvents, type Received } from './events/index.js';

export class CarotaMetrics {
  readonly #registry = new Registry();
  readonly #events = this.#counter(
    'otaops_carota_events_total',
    'Events received from the adapter',
    'outcome',
  );
  readonly #refused = this.#counter(
    'otaops_carota_refused_events_total',
    'Events set aside by this process, by reason; repetitions not included',
    'reason',
  );
  readonly #requests = this.#counter(
    'otaops_carota_http_requests_total',
    'Requests answered',
    'method',
    'route',
    'code',
  );
  readonly #sent = this.#counter('otaops_carota_artifact_bytes_total', 'Bytes of artifacts sent');
  readonly #failures = this.#counter(
    'otaops_carota_scheduler_failures_total',
    'Failed work on schedules; it is retried',
  );

  readonly #refusedValues = this.#counter(
    'otaops_carota_http_refused_values_total',
    'Request values that passed validation and that the database refused; each one is a bug',
    'route',
    'sqlstate',
  );

  /** @param clockOffset seconds by which this machine's clock is ahead of the database's */
  constructor(database: Queryable, clockOffset: () => number) {
    collectDefaultMetrics({ register: this.#registry });
    // Starting at 0 instead of the first event makes the first increase visible to rate().
    for (const reason of REFUSAL_REASONS) this.#refused.inc({ reason }, 0);
    new Gauge({
      name: 'otaops_carota_refused_events',
      help: 'Refused events not replayed yet, by reason',
      labelNames: ['reason'],
      registers: [this.#registry],
      async collect() {
        this.reset();
        for (const { reason, count } of await countRefusedEvents(database)) {
          this.set({ reason }, count);
        }
      },
    });
    new Gauge({
      ...CLOCK_OFFSET,
      registers: [this.#registry],
      collect() {
        this.set(clockOffset());
      },
    });
    new Gauge({
      name: 'otaops_carota_schedules',
      help: 'Schedules by status',
      labelNames: ['status'],
      registers: [this.#registry],
      async collect() {
        const rows = await database.query<{ status: string; count: number }>(
          'select status, count(*) as count from schedules group by status',
        );
        this.reset();
        for (const { status, count } of rows) this.set({ status }, count);
      },
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  render(): Promise<string> {
    return this.#registry.metrics();
  }

  eventsReceived({ stored, duplicates, refused }: Received): void {
    this.#events.inc({ outcome: 'stored' }, stored);
    this.#events.inc({ outcome: 'duplicate' }, duplicates);
    this.#events.inc({ outcome: 'refused' }, refused.length);
    for (const reason of refused) this.#refused.inc({ reason });
  }

  requestAnswered(method: string, route: string, code: number): void {
    this.#requests.inc({ method, route, code });
  }

  valueRefused(route: string, sqlstate: string): void {
    this.#refusedValues.inc({ route, sqlstate });
  }

  bytesSent(bytes: number): void {
    this.#sent.inc(bytes);
  }

  schedulerFailed(): void {
    this.#failures.inc();
  }

  #counter<Label extends string>(
    name: string,
    help: string,
    ...labelNames: Label[]
  ): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }
}
