/**
 * The one statement that takes a batch of messages: recognises duplicates, stores the history,
 * merges the state by contract section 5, moves the counters by the difference and buries what
 * cannot be applied. One round trip, one transaction.
 *
 * Locks are taken in one order by everyone who writes: deliveries by key, then counters. That is why
 * `locked` sorts before it locks, and why everything else reads from it.
 */
import { INTERRUPTIONS, reachedMaskSql } from '../../contract/index.js';
import { nameList } from '../../service/database/index.js';

/**
 * Digests in a delivery's own row; those beyond have rows of their own. More would not only cost each
 * event of such a vehicle: the row, with all its texts at their longest, must stay within its page.
 */
const DIGESTS_IN_ROW = 64;

const REACHED_MASK = reachedMaskSql('rank');

/** Only what decides is handed from one step to the next; the rest of a message joins the history. */
export const INGEST = /* sql */ `
with incoming as materialized (
  -- Times come in ms: texts of them cost more on both sides than all the rest.
  select digest, system_id, vin, message_id, trigger_id, ref_id, status_name, rank,
    to_timestamp(event_ms / 1000.0::float8) as event_at,
    to_timestamp(received_ms / 1000.0::float8) as received_at, reason, arrival
  from unnest(
    $3::uuid[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::text[], $9::text[],
    $10::smallint[], $11::bigint[], $12::bigint[], $13::text[]
  ) with ordinality as m (
    digest, system_id, vin, message_id, trigger_id, ref_id, status_name,
    rank, event_ms, received_ms, reason, arrival
  )
),
named as materialized (
  select r.ref_id, (
    select o.id from operations o where o.ref_id = r.ref_id and o.archived_at is null
  ) as id
  from (select distinct ref_id from incoming where ref_id is not null) r
),
-- The delivery that each message is about: an event names its operation, an ack its trigger.
placed as materialized (
  select m.*,
    -- Not "exists", which the planner may turn into a hash of all vehicles.
    coalesce(
      (select true from vehicles v where v.vin = m.vin and v.system_id = m.system_id), false
    ) as registered,
    case when m.ref_id is not null then n.id
      else (
        select d.operation_id from deliveries d
        join operations o on o.id = d.operation_id and o.archived_at is null
        where d.vin = m.vin
          and (d.trigger_id = m.trigger_id or m.trigger_id = any (d.earlier_trigger_ids))
      )
    end as operation_id
  from incoming m left join named n on n.ref_id = m.ref_id
),
locked as materialized (
  select p.operation_id, p.vin, d.*,
    not d.has_overflown and coalesce(cardinality(d.digests), 0) + p.messages <= ${DIGESTS_IN_ROW}
      as has_room
  from (
    select operation_id, vin, count(*) as messages
    from placed where registered and operation_id is not null
    group by operation_id, vin order by operation_id, vin
  ) p
  -- A lateral subquery is looked up by key, row by row in order, whatever the planner believes.
  cross join lateral (
    select attempt, earlier_trigger_ids, state, paused, interruption, reported, reached, reason,
      digests, has_overflown
    from deliveries
    where operation_id = p.operation_id and vin = p.vin
    limit 1
    for update
  ) d
),
-- Of which attempt each message is (contract section 5.2): the one whose trigger it answers, else
-- the newest. What is among the digests in its delivery's row, as the lock has read it, is known.
settled as materialized (
  select p.arrival, p.operation_id, p.vin, p.digest, p.system_id, p.message_id, p.status_name,
    p.rank, p.event_at, p.received_at, p.reason, l.has_room,
    coalesce(array_position(l.earlier_trigger_ids, p.trigger_id), l.attempt) as attempt,
    l.attempt as newest_attempt, (p.digest = any (l.digests)) is true as is_known
  from placed p join locked l on l.operation_id = p.operation_id and l.vin = p.vin
  where p.registered
),
-- Where there is no room in the row. The insert sees what was committed after this statement began.
overflown as (
  insert into delivery_digests (operation_id, vin, digest)
  select operation_id, vin, digest from settled where not is_known and not has_room
  order by operation_id, vin, digest
  on conflict do nothing
  returning digest
),
applied as materialized (
  -- "is true" keeps this a hashed lookup: as a join it is at the mercy of an estimate.
  select * from settled
  where not is_known and (has_room or (digest in (select digest from overflown)) is true)
),
-- Its id is drawn when all locks are held: of two batches with one vehicle, the later has the
-- higher id, and that is the order in which the event stream takes them.
batch as materialized (
  insert into event_batches (events, first_at, last_at)
  select count(*), min(received_at), max(received_at) from applied
  where status_name is not null having count(*) > 0
  returning id
),
history as (
  insert into messages (
    received_at, event_at, operation_id, attempt, vin, system_id, sub_system_id, message_id,
    correlation_id, status, device_id, device_type, meta, envelope, batch, nr
  )
  select a.received_at, a.event_at, a.operation_id, a.attempt, a.vin, a.system_id,
    c.sub_system_id, a.message_id, c.correlation_id, c.status, c.device_id, c.device_type,
    c.meta::json, c.envelope,
    case when a.nr is not null then (select id from batch) end, a.nr
  from (
    select *, case when status_name is not null
      then row_number() over (partition by status_name is not null order by arrival)
    end as nr
    from applied
  ) a
  join unnest(
    $14::text[], $15::integer[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[]
  ) with ordinality as c (
    correlation_id, status, sub_system_id, device_id, device_type, meta, envelope, arrival
  ) on c.arrival = a.arrival
),
-- Of each vehicle: its new digests and, of its newest attempt, the newest pause or resume and the
-- newest other event in this batch.
news as (
  select operation_id, vin, bool_or(is_current) as is_current, bool_or(not has_room) as overflows,
    min(received_at) filter (where is_current) as first_at, max(received_at) as last_at,
    newest(event) filter (where is_current and interrupts) as interruption,
    newest(event) filter (where is_current and not interrupts) as reported,
    coalesce(bit_or(${REACHED_MASK}) filter (where is_current), 0) as reached,
    array_agg(digest) filter (where has_room) as digests
  from (
    select *, attempt = newest_attempt as is_current,
      status_name in (${nameList(INTERRUPTIONS)}) as interrupts,
      row(row(event_at, rank, message_id, status_name), reason)::explained_event as event
    from applied
  ) m
  group by operation_id, vin
),
merged as materialized (
  select n.operation_id, n.vin, n.is_current, n.first_at, n.last_at,
    l.state as old_state, l.paused as old_paused,
    greatest(l.interruption, (n.interruption).position) as interruption,
    greatest(l.reported, (n.reported).position) as reported,
    case when (n.reported).position = greatest(l.reported, (n.reported).position)
      then (n.reported).reason else l.reason
    end as reason,
    l.reached | n.reached as reached,
    n.digests || l.digests as digests,
    l.has_overflown or n.overflows as has_overflown
  from news n join locked l on l.operation_id = n.operation_id and l.vin = n.vin
),
-- Contract section 5.2: the newest event gives the state; 5.4: unless it is a pause.
decided as materialized (
  select *,
    case
      when not is_current then old_state
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
    delivery = case when m.is_current then 'acknowledged' else d.delivery end,
    due_at = case when m.is_current then null else d.due_at end,
    claim = case when m.is_current then null else d.claim end,
    acknowledged_at = coalesce(d.acknowledged_at, m.first_at),
    state = m.state, paused = m.paused, interruption = m.interruption, reported = m.reported,
    reason = m.reason, reached = m.reached, digests = m.digests,
    has_overflown = m.has_overflown,
    updated_at = greatest(d.updated_at, m.last_at)
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
  from json_to_recordset($21::json) as r (
    digest uuid, received_at timestamptz, topic text, system_id text, vin text, message_id text,
    status text, reason text, path text, detail text, payload text, payload_bytes integer
  )
  order by r.digest
  on conflict (digest) do nothing
  returning digest
),
-- Messages without a place are not accounted for here: they come again with their reason.
nowhere as materialized (
  select arrival, registered, operation_id is not null as operation_known,
    (select o.archived_at is not null from operations o where o.ref_id = p.ref_id) as is_archived
  from placed p
  where (arrival in (select arrival from settled)) is not true
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
    'arrival', arrival, 'registered', registered, 'operationKnown', operation_known,
    'isArchived', is_archived
  )) from nowhere) as nowhere
from tally`;
