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
 *
 * It costs what its range holds: without `offset 0` the planner would read all messages of the operation for each page, if
 * it knows little of a new partition; without the last batch's position it would read the batches up to the newest one.
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
      where position > $1::bigint and position <= coalesce(
        (select min(position) from event_batches where position >= $2::bigint), $2::bigint
      )
    ) b
    cross join lateral (
      select * from messages
      where batch = b.id and received_at between b.first_at and b.last_at
        and nr > $1::bigint - (b.position - b.events) and nr <= $2::bigint - (b.position - b.events)
        and ($4::text is null or vin = $4)
      offset 0
    ) m
    join operations o on o.id = m.operation_id
    where ($3::text is null or o.ref_id = $3)
      and ${modelInScope('o.model', '$6')} and ${vehicleInScope('m.vin', '$6')}
  ) event
) event
where bytes_so_far - bytes < $5
order by position`;

/** Of one result. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface ReadEvents {
  readonly events: StreamEvent[];
  /** Position up to which the events are complete. */
  readonly upto: number;
}

interface SizedEvents extends ReadEvents {
  /** Of their `meta`, as JSON text. */
  readonly bytes: number;
}

/**
 * The events after one position, up to another one or to the byte limit; without those dropped by the retention.
 *
 * @param after position of the last event already read
 * @param upto position of the last event wanted; all events up to it must have a position
 */
export const readEvents = (
  database: Queryable,
  after: number,
  upto: number,
  filter: EventFilter = {},
): Promise<ReadEvents> => readRange(database, after, upto, filter, MAX_BYTES);

/**
 * The first events that match, in ranges of `limit` positions: what the filter lets pass is read once, and little beyond.
 *
 * @param end position of the last event examined; all events up to it must have a position
 * @param limit of the number of events
 */
export async function pullEvents(
  database: Queryable,
  after: number,
  end: number,
  limit: number,
  filter: EventFilter,
): Promise<ReadEvents> {
  const events: StreamEvent[] = [];
  let upto = after;
  for (let bytes = 0; upto < end && events.length < limit && bytes < MAX_BYTES;) {
    const wanted = Math.min(upto + limit, end);
    const found = await readRange(database, upto, wanted, filter, MAX_BYTES - bytes);
    const room = limit - events.length;
    events.push(...found.events.slice(0, room));
    bytes += found.bytes;
    upto = found.events.length > room ? (events.at(-1)?.position ?? upto) : found.upto;
  }
  return { events, upto };
}

async function readRange(
  database: Queryable,
  after: number,
  upto: number,
  { refId, vin, scopes = null }: EventFilter,
  maxBytes: number,
): Promise<SizedEvents> {
  const events = await database.query<StreamEvent & { bytes_so_far: number | string }>(READ, [
    after,
    upto,
    refId ?? null,
    vin ?? null,
    maxBytes,
    scopesParameter(scopes),
  ]);
  const last = events.at(-1);
  const bytes = Number(last?.bytes_so_far ?? 0);
  return { events, bytes, upto: last && bytes >= maxBytes ? last.position : upto };
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
