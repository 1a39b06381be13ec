/** Events that could not be stored: set aside with the reason, listed, expired. */
import { hash } from 'node:crypto';
import { type RefusalReason } from '../../contract/carota-api/index.js';
import { newUuid, parseVin } from '../../contract/index.js';
import {
  type BytesSoFar,
  isFullPage,
  pageByBytes,
  type Queryable,
  textArray,
} from '../../service/database/index.js';
import { type Arrived, type Refused } from './arrived.js';

export interface RefusedEventRow {
  /** UUID v7: sorts by the order in which events were set aside. */
  readonly id: string;
  readonly refused_at: Date;
  /** These three if the event has them. */
  readonly event_id: string | null;
  readonly ref_id: string | null;
  readonly vin: string | null;
  readonly reason: RefusalReason;
  readonly path: string;
  readonly detail: string;
  /** JSON text as received. */
  readonly event: string;
  readonly replayed_at: Date | null;
}

/**
 * Sets events aside, the same event only once.
 *
 * @param now ms
 * @returns the reasons of those that are new
 */
export async function setAside(
  database: Queryable,
  refused: readonly Refused[],
  now: number,
): Promise<RefusalReason[]> {
  if (refused.length === 0) return [];
  const rows = refused.map(rowOf);
  const each = (pick: (row: (typeof rows)[number]) => string | null) => textArray(rows.map(pick));
  const added = await database.query<{ reason: RefusalReason }>(
    `insert into refused_events (id, digest, refused_at, event_id, ref_id, vin, reason, path, detail, event)
     select id, digest, $3, event_id, ref_id, vin, reason, path, detail, event
     from unnest($1::uuid[], $2::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
       $10::text[]) as given (id, digest, event_id, ref_id, vin, reason, path, detail, event)
     on conflict (digest) do nothing returning reason`,
    [
      each(({ id }) => id),
      each(({ digest }) => digest),
      new Date(now),
      each((row) => row.event_id),
      each((row) => row.ref_id),
      each(({ vin }) => vin),
      each(({ reason }) => reason),
      each(({ path }) => path),
      each(({ detail }) => detail),
      each(({ event }) => event),
    ],
  );
  return added.map(({ reason }) => reason);
}

function rowOf({ arrived, refusal }: Refused) {
  const named = (arrived.json ?? {}) as Readonly<Record<string, unknown>>;
  const vin = excerpt(named.vin);
  return {
    id: newUuid(),
    digest: digestOf(arrived),
    event_id: excerpt(named['event-id']),
    ref_id: excerpt(named['ref-id']),
    vin: vin === null ? null : (parseVin(vin) ?? vin),
    reason: refusal.reason,
    path: excerpt(refusal.path) ?? '',
    detail: excerpt(refusal.detail, 1_000) ?? '',
    event: arrived.text(),
  };
}

/** Identifies an event: by its id, or by its text if it has none. First 128 bits of SHA-256, which PostgreSQL reads as a UUID. */
function digestOf({ json, text }: Arrived): string {
  const id = (json as { 'event-id'?: unknown } | null)?.['event-id'];
  const named = typeof id === 'string' && id !== '' ? `id ${id}` : `text ${text()}`;
  return hash('sha256', named, 'hex').slice(0, 32);
}

/** A text, shortened and made storable; null for any other value. */
const excerpt = (value: unknown, length = 256): string | null =>
  typeof value === 'string'
    ? value.slice(0, length).toWellFormed().replaceAll('\0', '\uFFFD')
    : null;

/** Selects refused events; an undefined field matches all. */
export interface RefusedEventMatch {
  readonly reason?: string | undefined;
  readonly vin?: string | undefined;
  readonly refId?: string | undefined;
  /** Set aside at or after `from` and before `to`, ms. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Whether they were replayed. */
  readonly replayed?: boolean | undefined;
}

export interface RefusedEventPage {
  readonly rows: RefusedEventRow[];
  /** Whether there may be more: the page is full, by number or by bytes. */
  readonly isFull: boolean;
}

const COLUMNS = 'id, refused_at, event_id, ref_id, vin, reason, path, detail, event, replayed_at';

const page = (by: 'id' | 'id desc', follows: '>' | '<') =>
  pageByBytes(
    `select * from refused_events
     where ($1::text is null or reason = $1) and ($2::text is null or vin = $2)
       and ($3::text is null or ref_id = $3)
       and ($4::timestamptz is null or refused_at >= $4)
       and ($5::timestamptz is null or refused_at < $5)
       and ($6::boolean is null or (replayed_at is not null) = $6)
       and ($7::uuid is null or id ${follows} $7::uuid)
     order by ${by} limit $8`,
    { columns: COLUMNS, order: by, bytes: 'octet_length(event)' },
  );
const PAGES = { newest: page('id desc', '<'), oldest: page('id', '>') };

/**
 * A page, shorter than the limit if events are long.
 *
 * @param order newest first, or oldest first
 * @param beyond id of the previous page's last event
 */
export async function listRefusedEvents(
  database: Queryable,
  { reason, vin, refId, from, to, replayed }: RefusedEventMatch,
  {
    order,
    beyond,
    limit,
  }: { order: 'newest' | 'oldest'; beyond?: string | undefined; limit: number },
): Promise<RefusedEventPage> {
  const rows = await database.query<RefusedEventRow & BytesSoFar>(PAGES[order], [
    reason ?? null,
    vin ?? null,
    refId ?? null,
    from === undefined ? null : new Date(from),
    to === undefined ? null : new Date(to),
    replayed ?? null,
    beyond ?? null,
    limit,
  ]);
  return { rows, isFull: isFullPage(rows, limit) };
}

export async function findRefusedEvent(
  database: Queryable,
  id: string,
): Promise<RefusedEventRow | undefined> {
  const rows = await database.query<RefusedEventRow>(
    `select ${COLUMNS} from refused_events where id = $1`,
    [id],
  );
  return rows[0];
}

/** @param now ms */
export async function markReplayed(
  database: Queryable,
  ids: readonly string[],
  now: number,
): Promise<void> {
  await database.query('update refused_events set replayed_at = $2 where id = any($1::uuid[])', [
    textArray(ids),
    new Date(now),
  ]);
}

/** Deletes older refused events. @param before ms */
export async function expireRefusedEvents(database: Queryable, before: number): Promise<void> {
  await database.query('delete from refused_events where refused_at < $1', [new Date(before)]);
}

/** The number of refused events not replayed yet, by reason. */
export const countRefusedEvents = (
  database: Queryable,
): Promise<{ reason: RefusalReason; count: number }[]> =>
  database.query(
    'select reason, count(*) as count from refused_events where replayed_at is null group by reason',
  );
