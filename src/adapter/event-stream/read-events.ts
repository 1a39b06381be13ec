/** Reads the event stream by position, and finds positions by time. */
import { type Scopes } from '../../contract/index.js';
import { modelInScope, scopesParameter, vehicleInScope } from '../../service/access/index.js';
import { only, type Queryable } from '../../service/database/index.js';

/** A stored OTA event. */
export interface StreamEvent {
  /** Its number in the stream: from 1, without gaps. */
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
  /** Only of operations and vehicles of these models; a vehicle is of the model that it has when it is read. */
  readonly scopes?: Scopes;
}

/**
 * The batch's times limit the partitions that are searched. The result is limited in bytes too, because one event may have
 * 256 KiB of `meta`.
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
      and ${modelInScope('o.model', '$6')} and ${vehicleInScope('m.vin', '$6')}
  ) event
) event
where bytes_so_far - bytes < $5
order by position`;

/** Bytes of `meta`, as JSON text. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface ReadEvents {
  readonly events: StreamEvent[];
  /** Position up to which the events are complete. */
  readonly upto: number;
}

/**
 * The events after one position, up to another one or to the byte limit; without those dropped by the retention.
 *
 * @param after position of the last event already read
 * @param upto position of the last event wanted; all events up to it must have a position
 */
export async function readEvents(
  database: Queryable,
  after: number,
  upto: number,
  { refId, vin, scopes = null }: EventFilter = {},
): Promise<ReadEvents> {
  const events = await database.query<StreamEvent & { bytes_so_far: number | string }>(READ, [
    after,
    upto,
    refId ?? null,
    vin ?? null,
    MAX_BYTES,
    scopesParameter(scopes),
  ]);
  const last = events.at(-1);
  const isEnough = last !== undefined && Number(last.bytes_so_far) >= MAX_BYTES;
  return { events, upto: isEnough ? last.position : upto };
}

/**
 * The position before the first event received at or after the given time.
 *
 * @param time ms
 */
export async function positionBefore(database: Queryable, time: number): Promise<number> {
  const { position } = only(
    await database.query<{ position: number }>(
      `select coalesce(
         (select min(position - events) from event_batches
          where last_at >= $1 and position is not null),
         (select position from event_stream)
       ) as position`,
      [new Date(time)],
    ),
  );
  return position;
}
