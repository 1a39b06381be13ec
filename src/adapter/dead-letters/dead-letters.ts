/** Messages that could not be applied (contract section 5.6): listed, replayed, expired. */
import { DEAD_LETTER_ROW } from '../d2c-receiver/index.js';
import { type DeadLetter } from '../../contract/adapter-api/index.js';
import {
  type BytesSoFar,
  isFullPage,
  only,
  pageByBytes,
  type Queryable,
} from '../../service/database/index.js';

export interface DeadLetterRow {
  readonly id: string;
  readonly received_at: Date;
  readonly topic: string;
  readonly system_id: string | null;
  readonly vin: string | null;
  readonly message_id: string | null;
  readonly status: DeadLetter['status'];
  /** A code of this or another release. */
  readonly reason: string;
  readonly path: string;
  readonly detail: string;
  readonly payload: Uint8Array;
  readonly payload_bytes: number;
  readonly replayed_at: Date | null;
}

const COLUMNS = `id, received_at, topic, system_id, vin, message_id, status, reason, path, detail,
  payload, payload_bytes, replayed_at`;

/** Where a page ended: the time and id of its last dead letter. */
export interface DeadLetterPosition {
  readonly receivedAt: number;
  readonly id: string;
}

/** Selects dead letters; an undefined field matches all. */
export interface DeadLetterMatch {
  readonly reason?: string | undefined;
  readonly status?: string | undefined;
  readonly vin?: string | undefined;
  readonly systemId?: string | undefined;
  /** Received at or after `from` and before `to`, ms. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Whether they were replayed. */
  readonly replayed?: boolean | undefined;
}

const MATCHES = `
  ($1::text is null or reason = $1) and ($2::text is null or status = $2)
  and ($3::text is null or vin = $3) and ($4::text is null or system_id = $4)
  and ($5::timestamptz is null or received_at >= $5)
  and ($6::timestamptz is null or received_at < $6)
  and ($7::boolean is null or (replayed_at is not null) = $7)`;

const filterParameters = (filter: DeadLetterMatch) => [
  filter.reason ?? null,
  filter.status ?? null,
  filter.vin ?? null,
  filter.systemId ?? null,
  filter.from === undefined ? null : new Date(filter.from),
  filter.to === undefined ? null : new Date(filter.to),
  filter.replayed ?? null,
];

const PAGE = pageByBytes(
  `select * from dead_letters
   where ${MATCHES}
     and ($8::timestamptz is null or (received_at, id) < ($8::timestamptz, $9::uuid))
   order by received_at desc, id desc limit $10`,
  { columns: COLUMNS, order: 'received_at desc, id desc', bytes: 'octet_length(payload)' },
);

export interface DeadLetterPage {
  readonly rows: DeadLetterRow[];
  /** Whether there may be more: the page is full, by number or by bytes. */
  readonly isFull: boolean;
}

/** A page of dead letters, newest first; shorter than the limit if payloads are long. */
export async function listDeadLetters(
  database: Queryable,
  filter: DeadLetterMatch,
  { before, limit }: { before: DeadLetterPosition | undefined; limit: number },
): Promise<DeadLetterPage> {
  const rows = await database.query<DeadLetterRow & BytesSoFar>(PAGE, [
    ...filterParameters(filter),
    before ? new Date(before.receivedAt) : null,
    before?.id ?? null,
    limit,
  ]);
  return { rows, isFull: isFullPage(rows, limit) };
}

export async function findDeadLetter(
  database: Queryable,
  id: string,
): Promise<DeadLetterRow | undefined> {
  const rows = await database.query<DeadLetterRow>(
    `select ${COLUMNS} from dead_letters where id = $1`,
    [id],
  );
  return rows[0];
}

export async function markReplayed(database: Queryable, id: string, now: number): Promise<void> {
  await database.query('update dead_letters set replayed_at = $2 where id = $1', [
    id,
    new Date(now),
  ]);
}

/**
 * Deletes older dead letters. The message totals still count them as received.
 *
 * @param before ms
 * @returns how many were deleted
 */
export async function expireDeadLetters(database: Queryable, before: number): Promise<number> {
  const [row] = await database.query<{ deleted: number }>(
    `with gone as (
       delete from dead_letters where received_at < $1
       returning octet_length(payload) + ${DEAD_LETTER_ROW} as bytes
     ), weighed as (
       insert into dead_letter_sizes as t (shard, bytes)
       select 0, -sum(bytes) from gone having count(*) > 0
       on conflict (shard) do update set bytes = t.bytes + excluded.bytes
     ), forgotten as (
       delete from dead_letter_overflow where last_at < $1
     )
     select count(*) as deleted from gone`,
    [new Date(before)],
  );
  return row?.deleted ?? 0;
}

/** The number of dead letters not replayed yet, by reason. */
export function countDeadLetters(
  database: Queryable,
): Promise<{ reason: string; count: number }[]> {
  return database.query(
    `select reason, count(*) as count from dead_letters where replayed_at is null
     group by reason order by reason`,
  );
}

/** Dead letters beyond the limits, and how many vehicles have sent more than are kept of one. */
export async function countOverflow(
  database: Queryable,
): Promise<{ readonly messages: number; readonly senders: number }> {
  return only(
    await database.query<{ messages: number; senders: number }>(
      `select coalesce(sum(messages), 0)::bigint as messages,
         count(distinct sender) filter (where sender <> '') as senders
       from dead_letter_overflow`,
    ),
  );
}
