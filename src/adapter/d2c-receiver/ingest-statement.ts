/**
 * The single statement that stores a batch of messages: recognises duplicates, writes the history, merges states by
 * contract section 5, adjusts the counters and keeps messages that cannot be applied as dead letters. One round trip,
 * one transaction.
 *
 * All writers take locks in the same order: deliveries by key, then counters. That is why `matched` sorts before it
 * locks, and why everything else reads from it.
 */
import { EVENT_STATUS, EVENT_STATUS_NAMES, INTERRUPTIONS } from '../../contract/index.js';
import { moveCounters } from '../operation-counters.js';
import { MESSAGE_COLUMNS, SQL } from './ingest-parameters.js';

/**
 * Maximum number of digests in a delivery's row; further ones get their own rows. A higher limit would make each event of
 * such a vehicle more expensive, and the row with all texts at maximum length must fit into a page.
 */
const DIGESTS_IN_ROW = 64;

/** Size of a dead letter without its payload, bytes. */
export const DEAD_LETTER_ROW = 512;

/** Status values of a pause and a resume. */
const INTERRUPTING = EVENT_STATUS_NAMES.filter((name) => INTERRUPTIONS.has(name))
  .map((name) => EVENT_STATUS[name])
  .join(', ');

/** Looked up by the newest trigger of a delivery, or by an earlier one, which only a retriggered delivery has. */
const OPERATION_OF_TRIGGER = /* sql */ `
  select coalesce((
    select d.operation_id from deliveries d
    join operations o on o.id = d.operation_id and o.archived_at is null
    where d.vin collate "POSIX" = m.vin and d.trigger_id = m.trigger_id
  ), (
    select d.operation_id from deliveries d
    join operations o on o.id = d.operation_id and o.archived_at is null
    where d.vin = m.vin and d.earlier_trigger_ids is not null
      and m.trigger_id = any (d.earlier_trigger_ids)
  ))`;

/** The new values of a delivery `d`, from its row `m` of `decided`. */
const DECIDED = /* sql */ `
    delivery = case when m.is_current then 'acknowledged' else d.delivery end,
    due_at = case when m.is_current then null else d.due_at end,
    claim = case when m.is_current then null else d.claim end,
    acknowledged_at = coalesce(d.acknowledged_at, m.first_at),
    state = m.state, paused = m.paused, interruption = m.interruption, reported = m.reported,
    reason = reason_of_event(m.reported), reached = m.reached, digests = m.digests,
    has_overflown = m.has_overflown,
    updated_at = greatest(d.updated_at, m.last_at)`;

/**
 * Few steps per message, because each writes and rereads its rows: `matched` has one row for each message joined with
 * its delivery, `decided` one for each delivery.
 */
export const INGEST = /* sql */ `
-- The ids of the operations that the messages name by number; null: unknown or archived.
with named as materialized (
  select array_agg(
    (select o.id from operations o where o.ref_id = r.ref_id and o.archived_at is null) order by r.nr
  ) as ids
  from unnest(${SQL.ref_ids}) with ordinality as r (ref_id, nr)
),
-- Each message with its delivery as read under the lock: an event names its operation, an acknowledgement
-- its trigger. Messages of unknown vehicles or deliveries have no row here.
matched as materialized (
  select p.arrival, p.operation_id, p.vin, p.digest, p.system_id, p.sub_system_id, p.message_id,
    p.correlation_id, p.status, p.event_key collate "C" as event_key, p.reaches, p.device_id, p.device_type, p.meta, p.envelope,
    p.messages = 1 as is_alone,
    to_timestamp(p.event_ms / 1000.0::float8) as event_at,
    to_timestamp(p.received_ms / 1000.0::float8) as received_at,
    d.ctid as version, d.state, d.paused, d.interruption, d.reported, d.reached, d.digests, d.has_overflown,
    -- Its attempt (contract section 5.2): that of the trigger it answers, otherwise the newest.
    coalesce(array_position(d.earlier_trigger_ids, p.trigger_id), d.attempt) as attempt,
    d.attempt as newest_attempt,
    (p.digest = any (d.digests)) is true as is_duplicate,
    not d.has_overflown and coalesce(cardinality(d.digests), 0) + p.messages <= ${DIGESTS_IN_ROW}
      as has_room
  from (
    select m.*, case when m.operation is not null then ((select ids from named))[m.operation]
      else (${OPERATION_OF_TRIGGER}) end as operation_id
    from unnest(${MESSAGE_COLUMNS.map((name) => SQL[name]).join(', ')})
      with ordinality as m (${MESSAGE_COLUMNS.join(', ')}, arrival)
    order by operation_id, m.vin collate "C", m.arrival
  ) p
  -- A lateral subquery enforces lookups by key, row by row in order, whatever the planner estimates.
  cross join lateral (
    select d.ctid, d.attempt, d.earlier_trigger_ids, d.state, d.paused, d.interruption, d.reported, d.reached,
      d.digests, d.has_overflown
    from deliveries d
    where d.operation_id = p.operation_id and d.vin = p.vin
      -- Not "exists", which the planner may turn into a hash of all vehicles.
      and (select true from vehicles v where v.vin = p.vin and v.system_id = p.system_id)
    limit 1
    for update
  ) d
),
-- Digests that do not fit into the row. The insert also sees rows committed after this statement started.
overflown as (
  insert into delivery_digests (operation_id, vin, digest)
  select operation_id, vin, digest from matched where not is_duplicate and not has_room
  order by operation_id, vin, digest
  on conflict do nothing
  returning digest
),
-- Inlined, to avoid writing the rows out once more.
applied as not materialized (
  -- "is true" keeps this a hashed lookup: as a join the plan would depend on row estimates.
  select *, attempt = newest_attempt as is_current,
    status in (${INTERRUPTING}) as interrupts
  from matched
  where not is_duplicate and (has_room or (digest in (select digest from overflown)) is true)
),
-- The id is assigned while all locks are held: of two batches with the same vehicle, the later one gets the
-- higher id, which is their order in the event stream.
batch as materialized (
  insert into event_batches (events, first_at, last_at)
  select count(*), min(received_at), max(received_at) from applied
  where status is not null having count(*) > 0
  returning id, events
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
  from applied where (select events from batch) is distinct from cardinality(${SQL.digest})
  -- The usual case: all messages are events and are applied. Then their positions are known without sorting.
  union all
  select received_at, event_at, operation_id, attempt, vin, system_id, sub_system_id, message_id,
    correlation_id, status, device_id, device_type, meta::json, envelope, (select id from batch), arrival
  from applied where (select events from batch) = cardinality(${SQL.digest})
),
-- Per vehicle: its previous state, its new digests and, for its newest attempt, the newest pause or resume and
-- the newest other event of the batch. Vehicles with one message, by far the most, are not grouped.
news as (
  select operation_id, vin, version, is_current, received_at as last_at,
    case when is_current then received_at end as first_at,
    case when is_current and interrupts then event_key end as new_interruption,
    case when is_current and not interrupts then event_key end as new_reported,
    case when is_current then reaches else 0 end as new_reached,
    case when has_room then array[digest] end as new_digests,
    state as old_state, paused as old_paused, interruption as old_interruption,
    reported as old_reported, reached as old_reached, digests as old_digests,
    has_overflown or not has_room as has_overflown
  from applied where is_alone
  union all
  select operation_id, vin, max(version), bool_or(is_current), max(received_at),
    min(received_at) filter (where is_current),
    max(event_key) filter (where is_current and interrupts),
    max(event_key) filter (where is_current and not interrupts),
    coalesce(bit_or(reaches) filter (where is_current), 0),
    array_agg(digest) filter (where has_room),
    -- The other columns are equal in all rows of a vehicle.
    max(state), bool_or(paused), max(interruption), max(reported), max(reached), max(digests),
    bool_or(has_overflown or not has_room)
  from applied where not is_alone
  group by operation_id, vin
),
-- Contract section 5.2: the newest event gives the state; 5.4: unless it is a pause.
decided as materialized (
  select operation_id, vin, version, is_current, first_at, last_at, interruption, reported, reached, digests,
    has_overflown, old_state, old_paused,
    case
      when not is_current then old_state
      when not interrupted then coalesce(status_of_event(reported), 'acknowledged')
      when status_of_event(interruption) = 'pause' then coalesce(status_of_event(reported), 'received')
      else 'resume'
    end as state,
    interrupted and status_of_event(interruption) = 'pause' as paused
  from (
    select *, interruption is not null and coalesce(interruption > reported, true) as interrupted
    from (
      select operation_id, vin, version, is_current, first_at, last_at, old_state, old_paused, has_overflown,
        greatest(old_interruption, new_interruption) as interruption,
        greatest(old_reported, new_reported) as reported,
        old_reached | new_reached as reached, new_digests || old_digests as digests
      from news
    ) merged
  ) m
),
-- The locked version is where it was found, unless another transaction has changed the row since this statement's
-- snapshot was taken, which does not show it then.
updated as (
  update deliveries d set ${DECIDED} from decided m where d.ctid = m.version returning true
),
-- By key, PostgreSQL follows a row to the version that is locked.
updated_later as (
  update deliveries d set ${DECIDED} from decided m
  where d.operation_id = m.operation_id and d.vin = m.vin
    and (select count(*) from updated) < (select count(*) from decided)
    and not exists (select from deliveries s where s.ctid = m.version)
),
moves as materialized (
  select operation_id, old_state, old_paused, state, paused, count(*) as vehicles from decided
  where state <> old_state or paused <> old_paused
  group by operation_id, old_state, old_paused, state, paused
),
counted as (${moveCounters(
  `select operation_id, old_state as state, old_paused as paused, -vehicles as n from moves
   union all select operation_id, state, paused, vehicles from moves`,
  SQL.shard,
)}
),
-- A vehicle that floods must not fill the disk: beyond its limit, or that of all, a message is only counted.
refused as materialized (
  select r.*, k.is_duplicate,
    row_number() over (partition by r.sender, k.is_duplicate order by r.digest) as nr
  from json_to_recordset(${SQL.refused}) as r (
    digest uuid, received_at timestamptz, topic text, sender text, system_id text, vin text,
    message_id text, status text, reason text, path text, detail text, payload text,
    payload_bytes integer
  )
  cross join lateral (
    select exists (select from dead_letters d where d.digest = r.digest) as is_duplicate
  ) k
),
-- For each sender, how many more dead letters are allowed.
room as materialized (
  select s.sender, ${SQL.most_of_sender} - (
    select count(*) from (
      select from dead_letters d where d.sender = s.sender and d.replayed_at is null limit ${SQL.most_of_sender}
    ) kept
  ) as messages
  from (select distinct sender from refused where not is_duplicate) s
),
kept as materialized (
  select r.*, r.nr <= room.messages and is_room as has_room, is_room
  from refused r
  join room on room.sender = r.sender
  cross join (select coalesce(sum(bytes), 0) < ${SQL.most_bytes} as is_room from dead_letter_sizes) a
  where not r.is_duplicate
),
buried as (
  insert into dead_letters (
    id, digest, received_at, topic, sender, system_id, vin, message_id,
    status, reason, path, detail, payload, payload_bytes
  )
  select gen_random_uuid(), r.digest, r.received_at, r.topic, r.sender, r.system_id, r.vin, r.message_id,
    r.status, r.reason, r.path, r.detail, decode(r.payload, 'base64'), r.payload_bytes
  from kept r where has_room
  order by r.digest
  on conflict (digest) do nothing
  returning digest, octet_length(payload) + ${DEAD_LETTER_ROW} as bytes
),
weighed as (
  insert into dead_letter_sizes as t (shard, bytes)
  select ${SQL.shard}, sum(bytes) from buried having count(*) > 0
  on conflict (shard) do update set bytes = t.bytes + excluded.bytes
),
overflow as (
  insert into dead_letter_overflow as t (sender, reason, messages, first_at, last_at)
  select case when is_room then sender else '' end as whose, reason, count(*), min(received_at), max(received_at)
  from kept where not has_room
  group by whose, reason order by whose, reason
  on conflict (sender, reason) do update set
    messages = t.messages + excluded.messages, last_at = greatest(t.last_at, excluded.last_at)
),
-- Messages without a delivery are not counted here: they are stored in a second call, with their reason.
unmatched as materialized (
  select p.arrival,
    coalesce(
      (select true from vehicles v where v.vin = p.vin and v.system_id = p.system_id), false
    ) as registered,
    ((select ids from named))[p.operation] is not null as operation_exists,
    (select o.archived_at is not null from operations o where o.ref_id = (${SQL.ref_ids})[p.operation]) as is_archived
  from unnest(${SQL.system_id}, ${SQL.vin}, ${SQL.operation}) with ordinality
    as p (system_id, vin, operation, arrival)
  -- The first condition is evaluated once, and nearly always suffices.
  where (select count(*) from matched) < cardinality(${SQL.digest})
    and (p.arrival in (select arrival from matched)) is not true
),
tally as materialized (
  select ${SQL.received} - (select count(*) from unmatched) as received,
    case when (select events from batch) = cardinality(${SQL.digest}) then cardinality(${SQL.digest})
      else (select count(*) from applied) end as applied,
    (select count(*) from buried) + (select count(*) from kept where not has_room) as dead_letters
),
totals as (
  insert into message_totals as t (shard, received, applied, duplicates, dead_letters)
  select ${SQL.shard}, received, applied, received - applied - dead_letters, dead_letters
  from tally
  on conflict (shard) do update set
    received = t.received + excluded.received,
    applied = t.applied + excluded.applied,
    duplicates = t.duplicates + excluded.duplicates,
    dead_letters = t.dead_letters + excluded.dead_letters
)
select tally.*, (select count(*) from kept where not has_room) as overflow,
  (select json_agg(json_build_object(
    'arrival', arrival, 'registered', registered, 'operationExists', operation_exists,
    'isArchived', is_archived
  )) from unmatched) as unmatched
from tally`;
