/**
 * The one statement that takes a batch of messages: recognises duplicates, stores the history,
 * merges the state by contract section 5, moves the counters by the difference and buries what
 * cannot be applied. One round trip, one transaction.
 *
 * Locks are taken in one order by everyone who writes: deliveries by key, then digests, then
 * counters. That is why `locked` sorts before it locks, and why everything else reads from it.
 */
import { MAX_MESSAGE_BYTES } from '../../protocol/index.js';
import {
  numberArray,
  only,
  type Queryable,
  textArray,
  timeArray,
} from '../../service/database/index.js';
import { type Applicable, type BatchRow, type Refusal, type Refused } from './batch-row.js';

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
    $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::text[],
    $10::float8[], $11::text[], $12::smallint[], $13::timestamptz[], $14::timestamptz[],
    $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $21::text[]
  ) with ordinality as m (
    digest, system_id, vin, message_id, correlation_id, trigger_id, ref_id,
    status, status_name, rank, event_at, received_at,
    sub_system_id, device_id, device_type, meta, envelope, reason, arrival
  )
),
-- The delivery that each message is about: an event names its operation, an ack its trigger.
placed as materialized (
  select m.*,
    -- Not "exists", which the planner may turn into a hash of all vehicles.
    coalesce(
      (select true from vehicles v where v.vin = m.vin and v.system_id = m.system_id), false
    ) as registered,
    case when m.ref_id is not null
      then (select o.id from operations o where o.ref_id = m.ref_id)
      else (
        select d.operation_id from deliveries d
        where d.vin = m.vin
          and (d.trigger_id = m.trigger_id or m.trigger_id = any (d.earlier_trigger_ids))
      )
    end as operation_id
  from incoming m
),
locked as materialized (
  select p.operation_id, p.vin, d.*
  from (
    select operation_id, vin from placed where registered and operation_id is not null
    group by operation_id, vin order by operation_id, vin
  ) p
  -- A lateral subquery is looked up by key, row by row in order, whatever the planner believes.
  cross join lateral (
    select attempt, trigger_id, earlier_trigger_ids, state, paused, interruption, reported, reached,
      reason
    from deliveries
    where operation_id = p.operation_id and vin = p.vin
    limit 1
    for update
  ) d
),
-- Of which attempt each message is (contract section 5.2): the one whose trigger it answers, else
-- the newest.
settled as materialized (
  select p.*, l.attempt as newest_attempt,
    coalesce(array_position(l.earlier_trigger_ids, p.trigger_id), l.attempt) as attempt
  from placed p join locked l on l.operation_id = p.operation_id and l.vin = p.vin
  where p.registered
),
fresh as (
  insert into message_digests (digest)
  select digest from settled order by digest
  on conflict do nothing
  returning digest
),
applied as materialized (
  -- "is true" keeps this a hashed lookup: as a join it is at the mercy of an estimate.
  select * from settled where (digest in (select digest from fresh)) is true
),
-- Its id is drawn when all locks are held: of two batches with one vehicle, the later has the
-- higher id, and that is the order in which the event stream takes them.
batch as materialized (
  insert into event_batches (events, first_at, last_at)
  select count(*), min(received_at), max(received_at) from applied
  where status is not null having count(*) > 0
  returning id
),
history as (
  insert into messages (
    received_at, event_at, operation_id, attempt, vin, system_id, sub_system_id, message_id,
    correlation_id, status, device_id, device_type, meta, envelope, batch, nr
  )
  select received_at, event_at, operation_id, attempt, vin, system_id, sub_system_id, message_id,
    correlation_id, status, device_id, device_type, meta::json, envelope,
    case when status is not null then (select id from batch) end,
    case when status is not null
      then row_number() over (partition by status is not null order by arrival)
    end
  from applied
),
-- The newest pause or resume and the newest other event of each vehicle, in this batch.
news as (
  select operation_id, vin, min(received_at) as first_at, max(received_at) as last_at,
    (array_agg(position order by position desc) filter (where interrupts))[1] as interruption,
    (array_agg(position order by position desc) filter (where not interrupts))[1] as reported,
    (array_agg(reason order by position desc) filter (where not interrupts))[1] as reason,
    coalesce(bit_or(1 << rank) filter (where rank is not null), 0) as reached
  from (
    select *, status_name in ('pause', 'resume') as interrupts,
      row(event_at, rank, message_id, status_name)::event_position as position
    from applied where attempt = newest_attempt
  ) current
  group by operation_id, vin
),
merged as materialized (
  select n.operation_id, n.vin, n.first_at, n.last_at,
    l.state as old_state, l.paused as old_paused,
    greatest(l.interruption, n.interruption) as interruption,
    greatest(l.reported, n.reported) as reported,
    case when coalesce(n.reported > l.reported, l.reported is null) then n.reason else l.reason end
      as reason,
    l.reached | n.reached as reached
  from news n join locked l on l.operation_id = n.operation_id and l.vin = n.vin
),
-- Contract section 5.2: the newest event gives the state; 5.4: unless it is a pause.
decided as materialized (
  select *,
    case
      when not interrupted then coalesce((reported).status, 'acknowledged')
      when (interruption).status = 'pause' then coalesce((reported).status, 'received')
      else 'resume'
    end as state,
    interrupted and (interruption).status = 'pause' as paused
  from (
    select *, interruption is not null and coalesce(interruption > reported, true) as interrupted
    from merged
  ) m
),
updated as (
  update deliveries d set
    delivery = 'acknowledged', due_at = null, claim = null,
    acknowledged_at = coalesce(d.acknowledged_at, m.first_at),
    state = m.state, paused = m.paused, interruption = m.interruption, reported = m.reported,
    reason = m.reason, reached = m.reached,
    updated_at = m.last_at
  from decided m
  where d.operation_id = m.operation_id and d.vin = m.vin
),
counted as (
  insert into operation_counters as c (operation_id, shard, state, paused, vehicles)
  select operation_id, $1::smallint, state, paused, sum(n) from (
    select operation_id, counter_of(old_state) as state, old_paused as paused, -1 as n from decided
    union all
    select operation_id, counter_of(state), paused, 1 from decided
  ) moves
  group by operation_id, state, paused having sum(n) <> 0
  order by operation_id, state, paused
  on conflict (operation_id, shard, state, paused)
  do update set vehicles = c.vehicles + excluded.vehicles
),
buried as (
  insert into dead_letters (
    id, digest, received_at, topic, system_id, vin, message_id,
    status, reason, path, detail, payload, payload_bytes
  )
  select gen_random_uuid(), r.digest, r.received_at, r.topic, r.system_id, r.vin, r.message_id,
    r.status, r.reason, r.path, r.detail, decode(r.payload, 'base64'), r.payload_bytes
  from json_to_recordset($20::json) as r (
    digest uuid, received_at timestamptz, topic text, system_id text, vin text, message_id text,
    status text, reason text, path text, detail text, payload text, payload_bytes integer
  )
  order by r.digest
  on conflict (digest) do nothing
  returning digest
),
-- Messages without a place are not accounted for here: they come again with their reason.
nowhere as materialized (
  select digest, registered, operation_id from placed
  where (digest in (select digest from settled)) is not true
),
tally as materialized (
  select $2::bigint - (select count(*) from nowhere) as received,
    (select count(*) from applied) as applied, (select count(*) from buried) as dead_letters
),
totals as (
  insert into message_totals as t (shard, received, applied, duplicates, dead_letters)
  select $1::smallint, received, applied, received - applied - dead_letters, dead_letters
  from tally
  on conflict (shard) do update set
    received = t.received + excluded.received,
    applied = t.applied + excluded.applied,
    duplicates = t.duplicates + excluded.duplicates,
    dead_letters = t.dead_letters + excluded.dead_letters
)
select tally.*,
  (select json_agg(json_build_object(
    'digest', digest, 'registered', registered, 'operationKnown', operation_id is not null
  )) from nowhere) as nowhere
from tally`;

/** A message that has no place in any operation, and what is known about why. */
interface Nowhere {
  readonly digest: string;
  readonly registered: boolean;
  readonly operationKnown: boolean;
}

/**
 * @param shard counter shard of this writer
 * @param rows what has arrived, in any order, repetitions and refused messages among it
 * @throws DatabaseError; what is not stored then may be stored again
 */
export async function ingestBatch(
  database: Queryable,
  shard: number,
  rows: readonly BatchRow[],
): Promise<BatchOutcome> {
  const outcome = await ingest(database, shard, rows);
  if (outcome.nowhere.length === 0) return outcome;
  const second = await ingest(database, shard, outcome.nowhere);
  return {
    received: outcome.received + second.received,
    applied: outcome.applied,
    duplicates: outcome.duplicates + second.duplicates,
    deadLetters: outcome.deadLetters + second.deadLetters,
    reasons: { ...outcome.reasons, ...second.reasons },
  };
}

async function ingest(
  database: Queryable,
  shard: number,
  rows: readonly BatchRow[],
): Promise<BatchOutcome & { nowhere: Refused[] }> {
  const distinct = firstOfEach(rows);
  const applicable = distinct.filter((row): row is Applicable => row.kind !== 'refused');
  const refused = distinct.filter((row): row is Refused => row.kind === 'refused');
  const texts = (pick: (row: Applicable) => string | null) => textArray(applicable.map(pick));

  const answer = only(
    await database.query<{
      received: number;
      applied: number;
      dead_letters: number;
      nowhere: Nowhere[] | null;
    }>(INGEST, [
      shard,
      rows.length,
      texts((row) => row.digest),
      texts((row) => row.systemId),
      texts((row) => row.vin),
      texts((row) => row.messageId),
      texts((row) => row.correlationId),
      texts((row) => row.triggerId),
      texts((row) => row.refId),
      numberArray(applicable.map((row) => row.status)),
      texts((row) => row.statusName),
      numberArray(applicable.map((row) => row.rank)),
      timeArray(applicable.map((row) => row.eventTime)),
      timeArray(applicable.map((row) => row.receivedAt)),
      texts((row) => row.subSystemId),
      texts((row) => row.deviceId),
      texts((row) => row.deviceType),
      texts((row) => row.meta),
      texts((row) => row.envelope),
      JSON.stringify(refused.map(refusedRow)),
      texts((row) => row.reason),
    ]),
  );
  const { received, applied, dead_letters: deadLetters } = answer;
  return {
    received,
    applied,
    deadLetters,
    duplicates: received - applied - deadLetters,
    reasons: countReasons(refused),
    nowhere: refuseNowhere(applicable, answer.nowhere ?? []),
  };
}

/** Without repetitions inside the batch: the first arrival is the one that counts. */
function firstOfEach(rows: readonly BatchRow[]): BatchRow[] {
  const byDigest = new Map<string, BatchRow>();
  for (const row of rows) if (!byDigest.has(row.digest)) byDigest.set(row.digest, row);
  return [...byDigest.values()];
}

function countReasons(refused: readonly Refused[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { refusal } of refused) counts[refusal.reason] = (counts[refusal.reason] ?? 0) + 1;
  return counts;
}

function refuseNowhere(applicable: readonly Applicable[], nowhere: readonly Nowhere[]): Refused[] {
  if (nowhere.length === 0) return [];
  const why = new Map(nowhere.map((entry) => [entry.digest.replaceAll('-', ''), entry]));
  return applicable.flatMap((row) => {
    const entry = why.get(row.digest);
    return entry ? [refuse(row, whyNowhere(row, entry))] : [];
  });
}

function whyNowhere(row: Applicable, { registered, operationKnown }: Nowhere): Refusal {
  const invalid = (reason: string, path: string, detail: string): Refusal => ({
    status: 'INVALID',
    reason,
    path,
    detail,
  });
  if (!registered) {
    const detail = 'this vin is not registered for this system_id';
    return invalid('VEHICLE_NOT_REGISTERED', '/vin', detail);
  }
  if (operationKnown) {
    return invalid('VEHICLE_NOT_IN_OPERATION', '/vin', 'the operation has no such vehicle');
  }
  return row.refId === null
    ? invalid(
        'UNKNOWN_TRIGGER',
        '/correlation_id',
        'no trigger of this vehicle has this message_id',
      )
    : invalid('UNKNOWN_OPERATION', '/body/ref-id', 'there is no such operation');
}

/** The message as a dead letter. */
export function refuse(row: BatchRow, refusal: Refusal): Refused {
  const { topic, payload, publisher, receivedAt, digest, systemId, vin, messageId } = row;
  const arrived = { topic, payload, publisher, receivedAt };
  return { ...arrived, kind: 'refused', digest, systemId, vin, messageId, refusal };
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
