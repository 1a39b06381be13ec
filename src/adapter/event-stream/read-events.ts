/** Reads the event stream by place, and finds places by time. */
import { only, type Queryable } from '../../service/database/index.js';

/** One OTA event as it was stored. */
export interface StreamEvent {
  /** Its number in the stream, from 1, without gaps. */
  readonly position: number;
  readonly ref_id: string;
  readonly vin: string;
  readonly system_id: string;
  readonly message_id: string;
  readonly device_id: string;
  readonly device_type: string;
  readonly status: number;
  readonly meta: { key: string; value: string }[];
  readonly event_at: Date;
  readonly received_at: Date;
}

export interface EventFilter {
  readonly refId?: string | undefined;
  readonly vin?: string | undefined;
}

/**
 * Partitions of other weeks than the batch's are not looked into: its times bound it. What is read at
 * once is bounded in bytes too, because one event may have 256 KiB of `meta`.
 */
const READ = /* sql */ `
select * from (
  select *, sum(bytes) over (order by position) as bytes_so_far
  from (
    select b.position - b.events + m.nr as position, o.ref_id, m.vin, m.system_id, m.message_id,
      m.device_id, m.device_type, m.status, m.meta, m.event_at, m.received_at,
      octet_length(m.meta::text) as bytes
    from (
      select id, events, position, first_at, last_at from event_batches
      where position > $1::bigint and position - events < $2::bigint
      order by position limit $2::bigint - $1::bigint
    ) b
    cross join lateral (
      select * from messages
      where batch = b.id and received_at between b.first_at and b.last_at
        and nr > $1::bigint - (b.position - b.events) and nr <= $2::bigint - (b.position - b.events)
    ) m
    join operations o on o.id = m.operation_id
    where ($3::text is null or o.ref_id = $3) and ($4::text is null or m.vin = $4)
  ) event
) event
where bytes_so_far - bytes < $5
order by position`;

/** Of `meta`, as JSON text. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface ReadEvents {
  readonly events: StreamEvent[];
  /** Number of the event up to which they are all there are. */
  readonly upto: number;
}

/**
 * The events after one place, up to another one or until it is enough; those that the retention has
 * dropped are not there.
 *
 * @param after number of the last event that is known
 * @param upto number of the last event that is wanted; everything up to it must have its place
 */
export async function readEvents(
  database: Queryable,
  after: number,
  upto: number,
  { refId, vin }: EventFilter = {},
): Promise<ReadEvents> {
  const events = await database.query<StreamEvent & { bytes_so_far: number | string }>(READ, [
    after,
    upto,
    refId ?? null,
    vin ?? null,
    MAX_BYTES,
  ]);
  const last = events.at(-1);
  const isEnough = last !== undefined && Number(last.bytes_so_far) >= MAX_BYTES;
  return { events, upto: isEnough ? last.position : upto };
}

/**
 * The place before the first event that was received at the given time or later.
 *
 * @param time ms
 */
export async function placeBefore(database: Queryable, time: number): Promise<number> {
  const { place } = only(
    await database.query<{ place: number }>(
      `select coalesce(
         (select min(position - events) from event_batches
          where last_at >= $1 and position is not null),
         (select position from event_stream)
       ) as place`,
      [new Date(time)],
    ),
  );
  return place;
}
