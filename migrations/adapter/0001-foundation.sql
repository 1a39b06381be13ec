-- Registry: which vehicle is behind which message link (contract section 4).
create table vehicles (
  vin             text collate "C" primary key,
  system_id       text collate "C" not null unique,
  device_id       text not null,
  ecu_type        text not null,
  model           text not null,
  credential_salt bytea,
  credential_hash bytea,
  registered_at   timestamptz not null,
  updated_at      timestamptz not null
);

-- Tokens of the HTTP interface; only their SHA-256 is kept.
create table tokens (
  id         text primary key,
  name       text not null,
  role       text not null check (role in ('carota', 'viewer', 'operator', 'admin')),
  hash       bytea not null unique,
  created_at timestamptz not null,
  revoked_at timestamptz
);

-- One operation is one ref-id and everything that came of it (contract section 1).
create table operations (
  id            bigint generated always as identity primary key,
  ref_id        text collate "C" not null unique,
  model         text not null,
  script_ref_id text not null,
  status        text not null default 'active' check (status in ('active', 'paused', 'cancelled')),
  ttl           integer not null,          -- seconds, -1 = never expires
  ack_required  boolean not null,
  scheduled_at  timestamptz not null,      -- the event's own time
  created_at    timestamptz not null,
  created_by    text not null,             -- id of the token
  -- Of a finished one: the latest activity of its vehicles, as of when that was looked up.
  active_at     timestamptz,
  -- Since then its vehicles and their history are deleted, and it takes no messages any more.
  archived_at   timestamptz
);

-- Where an event stands among the events of its attempt (contract section 5.2), as one text: time in ms
-- (15 digits), lifecycle rank (4 digits), message_id; then, behind U+0001 each, state and reason. Texts
-- compare byte by byte in collation "C", so the newer of two events is their greatest(). U+0001 is less than
-- whatever a message_id can hold.
create function time_of_event(key text) returns timestamptz language sql immutable parallel safe
  as $$ select to_timestamp(left(key, 15)::float8 / 1000) $$;
create function status_of_event(key text) returns text language sql immutable parallel safe
  as $$ select split_part(key, e'\x01', 2) $$;
-- Null: the vehicle gave none.
create function reason_of_event(key text) returns text language sql immutable parallel safe
  as $$ select nullif(split_part(key, e'\x01', 3), '') $$;

-- One vehicle in one operation: its trigger, and where it stands (contract section 5).
-- Rows are updated a dozen times, so pages are filled to the half and nothing that changes with
-- events is indexed: PostgreSQL then updates in place (HOT) and touches no index.
create table deliveries (
  operation_id        bigint not null,
  vin                 text collate "C" not null,
  attempt             integer not null default 1,
  trigger_id          uuid not null,       -- message_id of the newest attempt's trigger
  earlier_trigger_ids uuid[],              -- those of the attempts before, first one first
  triggered_at        timestamptz not null,-- `time` of the trigger's envelope
  delivery            text not null,       -- contract section 5.1
  sends               integer not null default 0,
  -- When the C2DSender has to look at it next; null: nothing to do. A claim moves it to the end of
  -- the lease, so that a lost sender's work becomes due again by itself.
  due_at              timestamptz,
  claim               uuid,
  last_sent_at        timestamptz,
  acknowledged_at     timestamptz,
  -- What is shown: the newest event's state, or `delivery` where there is no event.
  state               text not null,
  paused              boolean not null default false,
  -- Of the newest attempt: the newest pause or resume, and the newest of all other events.
  interruption        text collate "C",
  reported            text collate "C",
  updated_at          timestamptz not null,
  primary key (operation_id, vin)
) with (fillfactor = 30);
-- For those who ask with this collation, which compares like "C" and is another one: the planner would often take
-- this index instead of the primary key, and the deliveries of one operation are next to each other only there.
create index deliveries_of_vehicle on deliveries (vin collate "POSIX", trigger_id);
create index deliveries_retriggered on deliveries (vin) where earlier_trigger_ids is not null;
create index deliveries_due on deliveries (operation_id, due_at) where due_at is not null;

-- How many vehicles of an operation are in each state, moved by the difference with every change.
-- A count is the sum over the shards; each writer has a shard of its own, so that writers do not
-- wait for one another.
create table operation_counters (
  operation_id bigint not null,
  shard        smallint not null,
  state        text not null,              -- unknown(<number>) is counted as unknown
  paused       boolean not null,
  vehicles     bigint not null,
  primary key (operation_id, shard, state, paused)
) with (fillfactor = 50);

-- The counter of a state: all unknown(<number>) share one, or a vehicle could make a million.
create function counter_of(state text) returns text language sql immutable parallel safe
  as $$ select case when state like 'unknown(%' then 'unknown' else state end $$;

-- The digests of a vehicle's messages that its delivery has no more room for (`deliveries.digests`).
create table delivery_digests (
  operation_id bigint not null,
  vin          text collate "C" not null,
  digest       uuid not null,
  primary key (operation_id, vin, digest)
);

-- The history: every distinct message that was applied.
create table messages (
  received_at    timestamptz not null,
  event_at       timestamptz not null,
  operation_id   bigint not null,
  attempt        integer not null,
  vin            text collate "C" not null,
  system_id      text not null,
  sub_system_id  text not null,
  message_id     text collate "C" not null,
  correlation_id text not null,
  status         integer,                  -- 0 to 65,535; null: an acknowledgement
  device_id      text not null,
  device_type    text not null,
  meta           json not null,
  envelope       text                      -- as it came, if it has fields that are not the contract's
) partition by range (received_at);
create index messages_of_vehicle on messages (operation_id, vin);
create table messages_elsewhen partition of messages default;

-- Makes the weekly partitions from one time to another that are not there yet.
create function ensure_message_partitions(first timestamptz, last timestamptz) returns void
language plpgsql as $$
declare
  week timestamp := date_trunc('week', first at time zone 'UTC');
begin
  perform pg_advisory_xact_lock(128057526);
  while week <= last at time zone 'UTC' loop
    execute format(
      'create table if not exists %I partition of messages for values from (%L) to (%L)',
      'messages_' || to_char(week, 'IYYY"w"IW'),
      week at time zone 'UTC',
      (week + interval '7 days') at time zone 'UTC'
    );
    week := week + interval '7 days';
  end loop;
end $$;

-- Drops the weekly partitions that end before the given time.
create function drop_message_partitions(before timestamptz) returns integer
language plpgsql as $$
declare
  partition record;
  dropped integer := 0;
begin
  perform pg_advisory_xact_lock(128057526);
  for partition in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'messages'::regclass and c.relname ~ '^messages_\d{4}w\d{2}$'
      and to_date(substr(c.relname, 10), 'IYYY"w"IW') + 7 <= (before at time zone 'UTC')::date
  loop
    execute format('drop table %I', partition.relname);
    dropped := dropped + 1;
  end loop;
  delete from messages_elsewhen where received_at < before;
  return dropped;
end $$;

-- What could not be applied, with its reason and its bytes as they came.
create table dead_letters (
  id          uuid primary key,
  digest      uuid not null unique,        -- the same message again is a duplicate
  received_at timestamptz not null,
  topic       text not null,
  system_id   text,
  vin         text,
  message_id  text,
  status      text not null check (status in ('INVALID', 'EXPIRED', 'DEVICE_NOT_FOUND')),
  reason      text not null,
  path        text not null,               -- JSON Pointer to the fault
  detail      text not null,
  payload     bytea not null,
  payload_bytes integer not null,          -- before a payload over the limit was cut
  replayed_at timestamptz
);
create index dead_letters_by_time on dead_letters (received_at, id);

-- received = applied + duplicates + dead_letters, always (contract section 5.6): one row a writer.
create table message_totals (
  shard        smallint primary key,
  received     bigint not null,
  applied      bigint not null,
  duplicates   bigint not null,
  dead_letters bigint not null,
  check (received = applied + duplicates + dead_letters)
) with (fillfactor = 50);

-- Which adapter holds the group's subscription at the MQTT broker, and until when.
create table subscription_lease (
  only_row    boolean primary key default true check (only_row),
  holder      uuid,                         -- a process; null: nobody
  instance    text,                         -- its name
  lease_until timestamptz not null default '-infinity',
  takeovers   bigint not null default 0,
  conflicts   bigint not null default 0     -- times that another system had the group's id
);
insert into subscription_lease default values;
