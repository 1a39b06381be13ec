/** Metrics for monitoring the CarOTA Server. */
import { type CopyWatch, watchCopy } from '../service/audit/index.js';
import { type Logger } from 'pino';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { countExpiringTokens, watchSignIns } from '../service/access/index.js';
import { type CertificateListeners, watchCertificate } from '../service/tls/index.js';
import { CLOCK_OFFSET } from '../service/clock/index.js';
import { type Queryable } from '../service/database/index.js';
import { type HttpLimit, REFUSALS } from '../service/limits/index.js';
import { REFUSAL_REASONS } from '../contract/carota-api/index.js';
import { type ManifestFault } from '../uptane/manifest/manifest-refusal.js';
import { ATTACKS } from '../uptane/refusal.js';
import { usedRoom } from './artifacts/upload-room.js';
import { type EcuStanding } from './director/index.js';
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
    'Failed work on schedules; all is retried',
  );

  readonly #refusedValues = this.#counter(
    'otaops_carota_http_refused_values_total',
    'Request values that passed validation and that the database refused; each one is a bug',
    'route',
    'sqlstate',
  );

  readonly #notifications = this.#counter(
    'otaops_carota_notifications_total',
    'Attempts to send a notification: delivered, failed (will be retried), given_up',
    'channel',
    'outcome',
  );

  readonly #manifests = this.#counter(
    'otaops_carota_manifests_total',
    'Vehicle version manifests, accepted or by fault',
    'outcome',
  );
  readonly #ecus = this.#counter(
    'otaops_carota_manifest_ecus_total',
    'ECUs in accepted manifests, by agreement with their order',
    'standing',
  );
  readonly #attacks = this.#counter(
    'otaops_carota_attack_reports_total',
    'Attacks that ECUs have reported',
    'attack',
  );
  readonly #signed = this.#counter(
    'otaops_carota_director_signed_total',
    'Metadata files that the Director has signed',
    'role',
  );
  readonly #control = new Histogram({
    name: 'otaops_carota_control_seconds',
    help: 'From the decision to pause, resume or cancel an operation until the adapter has confirmed it',
    labelNames: ['operation'],
    buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 3600],
    registers: [this.#registry],
  });
  readonly #refusals = this.#counter(REFUSALS.name, REFUSALS.help, 'limit');
  readonly #rootExpires = new Gauge({
    name: 'otaops_carota_director_root_expires_timestamp_seconds',
    help: 'When the root of the Director repository expires, Unix time',
    registers: [this.#registry],
  });

  readonly #imageMetadataExpires = new Gauge({
    name: 'otaops_carota_image_metadata_expires_timestamp_seconds',
    help: 'When the metadata of a role of the image repository expires, Unix time',
    labelNames: ['role'],
    registers: [this.#registry],
  });

  /** @param clock the database's time, ms @param clockOffset seconds by which this machine's clock is ahead of the database's */
  constructor(database: Queryable, clock: () => number, clockOffset: () => number) {
    collectDefaultMetrics({ register: this.#registry });
    countExpiringTokens(this.#registry, database, clock);
    // Starting at 0 instead of the first event makes the first increase visible to rate().
    for (const reason of REFUSAL_REASONS) this.#refused.inc({ reason }, 0);
    for (const attack of ATTACKS) this.#attacks.inc({ attack }, 0);
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
      name: 'otaops_carota_stored_bytes',
      help: 'Use of the quota by artifacts (including uploads in progress) and update scripts',
      labelNames: ['kind'],
      registers: [this.#registry],
      async collect() {
        const { artifacts, scripts } = await usedRoom(database);
        this.set({ kind: 'artifacts' }, artifacts.bytes);
        this.set({ kind: 'scripts' }, scripts.bytes);
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

  limitRefused(limit: HttpLimit): void {
    this.#refusals.inc({ limit });
  }

  valueRefused(route: string, sqlstate: string): void {
    this.#refusedValues.inc({ route, sqlstate });
  }

  notificationSent(channel: string, outcome: 'delivered' | 'failed' | 'given_up'): void {
    this.#notifications.inc({ channel, outcome });
  }

  manifestReceived(outcome: 'accepted' | ManifestFault): void {
    this.#manifests.inc({ outcome });
  }

  ecuReported(standing: EcuStanding): void {
    this.#ecus.inc({ standing });
  }

  attackReported(attack: string): void {
    this.#attacks.inc({ attack });
  }

  metadataSigned(role: string): void {
    this.#signed.inc({ role });
  }

  /** @param expires Unix time, seconds */
  imageMetadataExpires(role: string, expires: number): void {
    this.#imageMetadataExpires.set({ role }, expires);
  }

  directorRootExpires(at: Date): void {
    this.#rootExpires.set(at.getTime() / 1000);
  }

  bytesSent(bytes: number): void {
    this.#sent.inc(bytes);
  }

  schedulerFailed(): void {
    this.#failures.inc();
  }

  /** @param seconds since it was decided */
  controlConfirmed(operation: 'active' | 'paused' | 'cancelled', seconds: number): void {
    this.#control.observe({ operation }, seconds);
  }

  #counter<Label extends string>(
    name: string,
    help: string,
    ...labelNames: Label[]
  ): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }
}
