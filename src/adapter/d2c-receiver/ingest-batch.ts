/**
 * The one statement that takes a batch of messages: recognises duplicates, stores the history,
 * merges the state by contract section 5, moves the counters by the difference and buries what
 * cannot be applied. One round trip, one transaction.
 *
 * Locks are taken in one order by everyone who writes: deliveries by key, then digests, then
 * counters. That is why `settled` sorts before it locks, and why everything else reads from it.
 */
import { MAX_MESSAGE_BYTES } from '../../protocol/index.js';
import { numberArray, only, type Queryable, textArray, timeArray } from '../database/index.js';
import { type Applicable, type BatchRow, type Refused } from './batch-row.js';

/** What became of a batch: received = applied + duplicates + deadLetters. */
export interface BatchOutcome {
  readonly received: number;
  readonly applied: number;
  readonly duplicates: number;
  readonly deadLetters: number;
  /** Why messages were refused, repeated ones included, with their number. */
  readonly reasons: Readonly<Record<string, number>>;
}

const INGEST = /* sql */ `
with incoming as materialized (
  select * from unnest(
    $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::uuid[],
    $10::text[], $11::float8[], $12::text[], $13::smallint[], $14::timestamptz[],
    $15::timestamptz[], $16::text[], $17::text[], $18::text[], $19::text[]
  ) as m (
    kind, digest, system_id, vin, message_id, correlation_id, trigger_id,
    ref_id, status, status_name, rank, event_at,
    received_at, device_id, device_type, meta, raw
  )
),
-- The delivery that each message is about: an event names its operation, an ack its trigger.
placed as materialized (
  select m.*,
    (select true from vehicles v where v.vin = m.vin and v.system_id = m.system_id) as registered,
    case m.kind
      when 'event' then (select o.id from operations o where o.ref_id = m.ref_id)
      else (
        select d.operation_id from deliveries d
        where d.vin = m.vin
          and (d.trigger_id = m.trigger_id or m.trigger_id = any (d.earlier_trigger_ids))
      )
    end as operation_id
  from incoming m
),
-- Locks the deliveries, and settles of which attempt each message is (contract section 5.2): the
-- one whose trigger it answers, else the newest.
settled as materialized (
  select p.*, d.attempt as newest_attempt,
    coalesce(
      case when d.trigger_id = p.trigger_id then d.attempt end,
      array_position(d.earlier_trigger_ids, p.trigger_id),
      d.attempt
    ) as attempt,
    d.state as old_state, d.paused as old_paused,
    d.newest_at, d.newest_rank, d.newest_id, d.newest_status,
    d.shown_at, d.shown_rank, d.shown_id, d.shown_status
  from (select * from placed where registered order by operation_id, vin) p
  -- A lateral subquery is looked up by key, row by row in order, whatever the planner believes.
  cross join lateral (
    select attempt, trigger_id, earlier_trigger_ids, state, paused,
      newest_at, newest_rank, newest_id, newest_status,
      shown_at, shown_rank, shown_id, shown_status
    from deliveries
    where operation_id = p.operation_id and vin = p.vin
    limit 1
    for update
  ) d
),
fresh as (
  insert into message_digests (digest, received_at)
  select digest, received_at from settled order by digest
  on conflict do nothing
  returning digest
),
applied as materialized (
  -- "is true" keeps this a hashed lookup: as a join it is at the mercy of an estimate.
  select * from settled where (digest in (select digest from fresh)) is true
),
history as (
  insert into messages (
    received_at, operation_id, vin, attempt, kind, message_id, correlation_id, system_id,
    status, status_name, rank, event_at, device_id, device_type, meta, raw
  )
  select received_at, operation_id, vin, attempt, kind, message_id, correlation_id, system_id,
    status, status_name, rank, event_at, device_id, device_type, meta::json, raw
  from applied
),
-- What decides the state: the messages of this batch and the two events known before.
candidates as (
  select operation_id, vin, old_state, old_paused, received_at,
    case kind when 'event' then event_at end as at, rank, message_id as id, status_name as status
  from applied where attempt = newest_attempt
  union all
  select operation_id, vin, old_state, old_paused, received_at,
    newest_at, newest_rank, newest_id, newest_status
  from applied where attempt = newest_attempt and newest_at is not null
  union all
  select operation_id, vin, old_state, old_paused, received_at,
    shown_at, shown_rank, shown_id, shown_status
  from applied where attempt = newest_attempt and shown_at is not null
),
-- Contract section 5.2: the newest event; 5.4: the newest that is neither pause nor resume.
ranked as (
  select *,
    status is not null and 1 = row_number() over (
      partition by operation_id, vin
      order by at desc nulls last, rank desc, id collate "C" desc
    ) as is_newest,
    status not in ('pause', 'resume') and 1 = row_number() over (
      partition by operation_id, vin
      order by status in ('pause', 'resume') nulls last, at desc, rank desc, id collate "C" desc
    ) as is_shown
  from candidates
),
decided as (
  select operation_id, vin, min(old_state) as old_state, bool_or(old_paused) as old_paused,
    min(received_at) as first_at, max(received_at) as last_at,
    max(at) filter (where is_newest) as newest_at,
    max(rank) filter (where is_newest) as newest_rank,
    max(id) filter (where is_newest) as newest_id,
    max(status) filter (where is_newest) as newest_status,
    max(at) filter (where is_shown) as shown_at,
    max(rank) filter (where is_shown) as shown_rank,
    max(id) filter (where is_shown) as shown_id,
    max(status) filter (where is_shown) as shown_status
  from ranked group by operation_id, vin
),
merged as materialized (
  select *,
    case
      when newest_status is null then 'acknowledged'
      when newest_status = 'pause' then coalesce(shown_status, 'received')
      else newest_status
    end as state,
    coalesce(newest_status = 'pause', false) as paused
  from decided
),
updated as (
  update deliveries d set
    delivery = 'acknowledged', due_at = null, claim = null,
    acknowledged_at = coalesce(d.acknowledged_at, m.first_at),
    state = m.state, paused = m.paused,
    newest_at = m.newest_at, newest_rank = m.newest_rank,
    newest_id = m.newest_id, newest_status = m.newest_status,
    shown_at = m.shown_at, shown_rank = m.shown_rank,
    shown_id = m.shown_id, shown_status = m.shown_status,
    updated_at = m.last_at
  from merged m
  where d.operation_id = m.operation_id and d.vin = m.vin
),
counted as (
  insert into operation_counters as c (operation_id, shard, state, paused, vehicles)
  select operation_id, $1::smallint, state, paused, sum(n) from (
    select operation_id, counter_of(old_state) as state, old_paused as paused, -1 as n from merged
    union all
    select operation_id, counter_of(state), paused, 1 from merged
  ) moves
  group by operation_id, state, paused having sum(n) <> 0
  order by operation_id, state, paused
  on conflict (operation_id, shard, state, paused)
  do update set vehicles = c.vehicles + excluded.vehicles
),
refused as materialized (
  select p.digest, p.received_at, $20 || p.system_id || $21 as topic, p.system_id, p.vin,
    p.message_id, 'INVALID' as status,
    case
      when p.registered is null then 'VEHICLE_NOT_REGISTERED'
      when p.operation_id is not null then 'VEHICLE_NOT_IN_OPERATION'
      when p.kind = 'event' then 'UNKNOWN_OPERATION'
      else 'UNKNOWN_TRIGGER'
    end as reason,
    case
      when p.registered and p.operation_id is null and p.kind = 'event' then '/body/ref-id'
      when p.registered and p.operation_id is null then '/correlation_id'
      else '/vin'
    end as path,
    case
      when p.registered is null then 'this vin is not registered for this system_id'
      when p.operation_id is not null then 'the operation has no such vehicle'
      when p.kind = 'event' then 'there is no such operation'
      else 'no trigger of this vehicle has this message_id'
    end as detail,
    convert_to(p.raw, 'UTF8') as payload, octet_length(p.raw) as payload_bytes
  from placed p
  where (p.digest in (select digest from settled)) is not true
  union all
  select r.digest, r.received_at, r.topic, r.system_id, r.vin, r.message_id, r.status,
    r.reason, r.path, r.detail, decode(r.payload, 'base64'), r.payload_bytes
  from json_to_recordset($22::json) as r (
    digest uuid, received_at timestamptz, topic text, system_id text, vin text, message_id text,
    status text, reason text, path text, detail text, payload text, payload_bytes integer
  )
),
buried as (
  insert into dead_letters (
    id, digest, received_at, topic, system_id, vin, message_id,
    status, reason, path, detail, payload, payload_bytes
  )
  select gen_random_uuid(), r.* from refused r order by r.digest
  on conflict (digest) do nothing
  returning digest
),
tally as (
  select (select count(*) from applied) as applied, (select count(*) from buried) as dead_letters
),
totals as (
  insert into message_totals as t (shard, received, applied, duplicates, dead_letters)
  select $1::smallint, $2::bigint, applied, $2::bigint - applied - dead_letters, dead_letters
  from tally
  on conflict (shard) do update set
    received = t.received + excluded.received,
    applied = t.applied + excluded.applied,
    duplicates = t.duplicates + excluded.duplicates,
    dead_letters = t.dead_letters + excluded.dead_letters
)
select applied, dead_letters,
  (select json_object_agg(reason, n) from (
    select reason, count(*) as n from refused group by reason
  ) by_reason) as reasons
from tally`;

/** The constant ends of the D2C topic, to name the topic of a message that is refused here. */
export interface TopicEnds {
  readonly before: string;
  readonly after: string;
}

/**
 * @param shard counter shard of this writer
 * @param rows what has arrived, in any order, repetitions and refused messages among it
 * @throws DatabaseError, and then nothing of the batch is stored
 */
export async function ingestBatch(
  database: Queryable,
  shard: number,
  topic: TopicEnds,
  rows: readonly BatchRow[],
): Promise<BatchOutcome> {
  const distinct = firstOfEach(rows);
  const applicable = distinct.filter((row): row is Applicable => row.kind !== 'refused');
  const refused = distinct.filter((row): row is Refused => row.kind === 'refused');
  const column = <T>(pick: (row: Applicable) => T) => applicable.map(pick);

  const { applied, dead_letters, reasons } = only(
    await database.query<{
      applied: number;
      dead_letters: number;
      reasons: Record<string, number> | null;
    }>(INGEST, [
      shard,
      rows.length,
      textArray(column((row) => row.kind)),
      textArray(column((row) => row.digest)),
      textArray(column((row) => row.systemId)),
      textArray(column((row) => row.vin)),
      textArray(column((row) => row.messageId)),
      textArray(column((row) => row.correlationId)),
      textArray(column((row) => row.triggerId)),
      textArray(column((row) => row.refId)),
      numberArray(column((row) => row.status)),
      textArray(column((row) => row.statusName)),
      numberArray(column((row) => row.rank)),
      timeArray(column((row) => row.eventTime)),
      timeArray(column((row) => row.receivedAt)),
      textArray(column((row) => row.deviceId)),
      textArray(column((row) => row.deviceType)),
      textArray(column((row) => row.meta)),
      textArray(column((row) => utf8.decode(row.payload))),
      topic.before,
      topic.after,
      JSON.stringify(refused.map(refusedRow)),
    ]),
  );
  return {
    received: rows.length,
    applied,
    deadLetters: dead_letters,
    duplicates: rows.length - applied - dead_letters,
    reasons: reasons ?? {},
  };
}

const utf8 = new TextDecoder();

/** Without repetitions inside the batch: the first arrival is the one that counts. */
function firstOfEach(rows: readonly BatchRow[]): BatchRow[] {
  const byDigest = new Map<string, BatchRow>();
  for (const row of rows) if (!byDigest.has(row.digest)) byDigest.set(row.digest, row);
  return [...byDigest.values()];
}

function refusedRow(row: Refused) {
  const text = (value: string | null) => value?.toWellFormed().replaceAll('\0', '\uFFFD') ?? null;
  return {
    digest: row.digest,
    received_at: new Date(row.receivedAt).toISOString(),
    topic: text(row.topic),
    system_id: row.systemId,
    vin: row.vin,
    message_id: row.messageId,
    ...row.refusal,
    detail: text(row.refusal.detail),
    // A payload over the limit is known by its beginning; the whole of it would only fill the disk.
    payload: Buffer.from(row.payload.subarray(0, MAX_MESSAGE_BYTES)).toString('base64'),
    payload_bytes: row.payload.byteLength,
  };
}
