-- The registry: which vehicle is reached over which message link (contract section 4).
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

-- Tokens of the HTTP interface. Only their SHA-256 is stored.
create table tokens (
  id         text primary key,
  name       text not null,
  role       text not null check (role in ('carota', 'viewer', 'operator', 'admin')),
  hash       bytea not null unique,
  created_at timestamptz not null,
  revoked_at timestamptz
);

-- An operation is one ref-id and everything that came of it (contract section 1).
create table operations (
  id            bigint generated always as identity primary key,
  ref_id        text collate "C" not null unique,
  model         text not null,
  script_ref_id text not null,
  status        text not null default 'active' check (status in ('active', 'paused', 'cancelled')),
  ttl           integer not null,          -- seconds, -1 = never expires
  ack_required  boolean not null,
  priority      smallint not null default 0 check (priority between -10 and 10),
  rate          json,                      -- {perSecond, factor, after, of, atMost}; null: only the group's limit
  trace_parent  text,                      -- W3C Trace Context of the trigger's request, if it is traced
  scheduled_at  timestamptz not null,      -- the event's own time
  created_at    timestamptz not null,
  created_by    text not null,             -- id of the token
  -- Of a finished operation: its vehicles' latest activity, as of the last check.
  active_at     timestamptz,
  -- When it was archived: since then it has no vehicles and no history, and accepts no messages.
  archived_at   timestamptz
);

-- An event's position among the events of its attempt (contract section 5.2), as one text: time in ms (15 digits),
-- lifecycle rank (4 digits), message_id; then state and reason, each after U+0001. Collation "C" compares texts byte by
-- byte, so greatest() of two events is the newer one. U+0001 sorts before every character of a message_id.
create function time_of_event(key text) returns timestamptz language sql immutable parallel safe
  as $$ select to_timestamp(left(key, 15)::float8 / 1000) $$;
create function status_of_event(key text) returns text language sql immutable parallel safe
  as $$ select split_part(key, e'\x01', 2) $$;
-- Null: the vehicle gave no reason.
create function reason_of_event(key text) returns text language sql immutable parallel safe
  as $$ select nullif(split_part(key, e'\x01', 3), '') $$;

-- One vehicle in one operation: its trigger and its state (contract section 5).
-- Each row is updated about a dozen times. Pages are therefore filled only partly, and no column that changes with
-- events is indexed: PostgreSQL then updates within the page (HOT) and touches no index.
create table deliveries (
  operation_id        bigint not null,
  vin                 text collate "C" not null,
  attempt             integer not null default 1,
  trigger_id          uuid not null,       -- message_id of the newest attempt's trigger
  earlier_trigger_ids uuid[],              -- those of the earlier attempts, in order
  triggered_at        timestamptz not null,-- `time` of the trigger's envelope
  delivery            text not null,       -- contract section 5.1
  sends               integer not null default 0,
  -- Sends prompted by the vehicle coming online; they do not count towards the maximum.
  prompted            integer not null default 0,
  -- When the C2DSender must act next; null: never. A claim moves it to the expiry of the lease, so that the triggers of
  -- a dead sender become due again by themselves.
  due_at              timestamptz,
  claim               uuid,
  last_sent_at        timestamptz,
  acknowledged_at     timestamptz,
  -- The state shown: that of the newest event, or `delivery` if there is no event.
  state               text not null,
  paused              boolean not null default false,
  -- Of the newest attempt: the newest pause or resume, and the newest other event.
  interruption        text collate "C",
  reported            text collate "C",
  -- Statuses reported in the newest attempt: a bit mask, with the bits of src/contract/states/table.ts.
  reached             integer not null default 0,
  -- The reason that the newest event gives, in the vehicle's words.
  reason              text,
  updated_at          timestamptz not null,
  -- Whether some digests are in `delivery_digests`: then all new ones go there.
  has_overflown       boolean not null default false,
  -- Digests of the messages received from the vehicle, newest first, up to 64; further ones are in `delivery_digests`.
  -- As the last column with new digests in front, an update writes only the new digest to the WAL, not the old ones.
  digests             uuid[],
  primary key (operation_id, vin)
) with (fillfactor = 30);
alter table deliveries alter column digests set storage plain;
-- Used only by queries that name this collation. It compares like "C" but is a different one: otherwise the planner would
-- often prefer this index to the primary key, in which the deliveries of one operation are adjacent.
create index deliveries_of_vehicle on deliveries (vin collate "POSIX", trigger_id);
create index deliveries_retriggered on deliveries (vin) where earlier_trigger_ids is not null;
create index deliveries_due on deliveries (operation_id, due_at) where due_at is not null;
-- Unacknowledged triggers of a vehicle that comes online. `due_at` is indexed anyway, so this index makes no further
-- update leave its page.
create index deliveries_waiting_of_vehicle on deliveries (vin) where due_at is not null;

-- Vehicles of each operation by state, adjusted with every change. A count is the sum over all shards; each writer has
-- its own shard, so that writers do not wait for each other.
create table operation_counters (
  operation_id bigint not null,
  shard        smallint not null,
  state        text not null,              -- unknown(<number>) is counted as unknown
  paused       boolean not null,
  vehicles     bigint not null,
  primary key (operation_id, shard, state, paused)
) with (fillfactor = 50);

-- The counter of a state: all unknown(<number>) share one, or a single vehicle could create a million.
create function counter_of(state text) returns text language sql immutable parallel safe
  as $$ select case when state like 'unknown(%' then 'unknown' else state end $$;

-- Digests for which a delivery has no more room (`deliveries.digests`).
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
  envelope       text,                     -- as received, if it has fields that the contract does not name
  batch          bigint,                   -- of the event stream; null: an acknowledgement
  nr             integer                   -- position in the batch, from 1
) partition by range (received_at);
create index messages_of_vehicle on messages (operation_id, vin);
create index messages_of_batch on messages (batch, nr) where batch is not null;
create table messages_elsewhen partition of messages default;

-- The adapter's actions on deliveries, for a vehicle's timeline.
create table delivery_log (
  at           timestamptz not null,
  operation_id bigint not null,
  vin          text collate "C" not null,
  attempt      integer not null,
  what         text not null check (what in (
    'sent', 'failed', 'device_not_found', 'expired', 'undelivered', 'cancelled', 'retriggered',
    'registered'
  )),
  audit_id     bigint                      -- the control action that caused it
) partition by range (at);
create index delivery_log_of_vehicle on delivery_log (operation_id, vin);
create table delivery_log_elsewhen partition of delivery_log default;

-- Creates the missing weekly partitions between two times.
create function ensure_partitions(parent text, first timestamptz, last timestamptz) returns void
language plpgsql as $$
declare
  week timestamp := date_trunc('week', first at time zone 'UTC');
begin
  perform pg_advisory_xact_lock(128057526);
  while week <= last at time zone 'UTC' loop
    execute format(
      'create table if not exists %I partition of %I for values from (%L) to (%L)',
      parent || '_' || to_char(week, 'IYYY"w"IW'),
      parent,
      week at time zone 'UTC',
      (week + interval '7 days') at time zone 'UTC'
    );
    week := week + interval '7 days';
  end loop;
end $$;

-- Drops the weekly partitions that end before the given time. `time_column` is the partition key.
create function drop_partitions(parent text, time_column text, before timestamptz) returns integer
language plpgsql as $$
declare
  partition record;
  dropped integer := 0;
begin
  perform pg_advisory_xact_lock(128057526);
  for partition in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = parent::regclass and c.relname ~ ('^' || parent || '_\d{4}w\d{2}$')
      and to_date(right(c.relname, 7), 'IYYY"w"IW') + 7 <= (before at time zone 'UTC')::date
  loop
    execute format('drop table %I', partition.relname);
    dropped := dropped + 1;
  end loop;
  execute format('delete from %I where %I < %L', parent || '_elsewhen', time_column, before);
  return dropped;
end $$;

-- Messages that could not be applied, with the reason and the bytes received.
create table dead_letters (
  id            uuid primary key,
  digest        uuid not null unique,      -- the same message received again is a duplicate
  received_at   timestamptz not null,
  topic         text not null,
  system_id     text,
  vin           text,
  message_id    text,
  status        text not null check (status in ('INVALID', 'EXPIRED', 'DEVICE_NOT_FOUND')),
  reason        text not null,
  path          text not null,             -- JSON Pointer to the invalid field
  detail        text not null,
  payload       bytea not null,            -- truncated at the limit
  payload_bytes integer not null,          -- before truncation
  replayed_at   timestamptz
);
create index dead_letters_by_time on dead_letters (received_at, id);
create index dead_letters_of_vehicle on dead_letters (vin, received_at) where vin is not null;

-- Always received = applied + duplicates + dead_letters (contract section 5.6). One row per writer.
create table message_totals (
  shard        smallint primary key,
  received     bigint not null,
  applied      bigint not null,
  duplicates   bigint not null,
  dead_letters bigint not null,
  check (received = applied + duplicates + dead_letters)
) with (fillfactor = 50);

-- The adapters on this database, as a group: one row.
create table adapter_group (
  only_row     boolean primary key default true check (only_row),
  -- Part of every MQTT client id and share name, so that systems on one broker do not interfere.
  id           uuid not null default gen_random_uuid(),
  trigger_rate double precision            -- global rate limit, triggers per second; null: no limit
);
insert into adapter_group default values;

-- Which adapter holds the group's subscription at the MQTT broker, and until when: one row.
create table subscription_lease (
  only_row    boolean primary key default true check (only_row),
  holder      uuid,                        -- id of a process; null: nobody
  instance    text,                        -- the adapter's name
  lease_until timestamptz not null default '-infinity',
  takeovers   bigint not null default 0,
  conflicts   bigint not null default 0    -- how often another system was found to use the group's id
);
insert into subscription_lease default values;

-- The adapters on this database, as each reports itself.
create table adapters (
  instance   text primary key,
  started_at timestamptz not null,
  seen_at    timestamptz not null,
  version    text not null,
  broker     text not null,                -- address of its broker
  connected  boolean not null,             -- whether it is connected to the broker
  subscribed boolean not null,             -- whether it reads the vehicles' messages
  waiting    integer not null,             -- messages received and not stored yet
  received   double precision not null,    -- messages per second since its previous report
  triggered  double precision not null     -- triggers per second
);

-- Send budgets of the operations, and of the group (operation 0). To claim triggers, lock the group's row first, so that
-- the limits hold for all adapters together.
create table send_budgets (
  operation_id bigint primary key,
  tokens       double precision not null,  -- triggers that may be sent now (token bucket)
  refilled_at  timestamptz not null,
  pass         double precision not null   -- the lowest is next (stride scheduling)
);
insert into send_budgets values (0, 0, 'epoch', 0);

-- Who did what, when and why. Never changed, never deleted.
create table audit_log (
  id           bigint generated always as identity primary key,
  at           timestamptz not null,
  token_id     text not null,
  token_name   text not null,
  action       text not null,
  operation_id bigint,
  vin          text collate "C",
  reason       text not null,              -- '': none given
  detail       json not null
);
create index audit_log_of_operation on audit_log (operation_id, id);

-- The event stream: all OTA events in commit order, numbered from 1 without gaps. An event is in it if and only if its
-- transaction has committed. The events of one transaction are a batch; committed batches are assigned positions one
-- after another.
create table event_batches (
  id       bigint generated always as identity primary key,
  events   integer not null check (events > 0),
  first_at timestamptz not null,           -- earliest and latest receipt
  last_at  timestamptz not null,
  position bigint unique                   -- number of its last event; null: not assigned yet
);
create index event_batches_without_position on event_batches (id) where position is null;
create index event_batches_by_time on event_batches (last_at);

-- One row.
create table event_stream (
  only_row boolean primary key default true check (only_row),
  position bigint not null                 -- number of the newest event with a position
);
insert into event_stream (position) values (0);

-- Receivers of the event call-back (contract section 6) and their positions in the event stream.
create table callbacks (
  id          text primary key,
  name        text not null unique,
  url         text not null,
  secret      text not null,               -- whsec_…: needed for signing, so not hashed
  old_secret  text,                        -- signs too until old_until, after a change
  old_until   timestamptz,
  enabled     boolean not null default true,
  created_at  timestamptz not null,
  -- Number of the last event delivered; JSON carries it exactly.
  position    bigint not null check (position between 0 and 9007199254740991),
  -- How often a person has moved it: the result of a batch in flight at that moment is ignored.
  moves       integer not null default 0,
  -- End of a batch that failed: it is retried unchanged, under the same id.
  batch_to    bigint,
  batch_limit integer,                     -- events per batch, reduced after refusals; null: no limit
  failures    integer not null default 0,  -- failed attempts of this batch
  failed_at   timestamptz,
  failure     text,                        -- of the last attempt
  due_at      timestamptz not null,
  settled_at  timestamptz,                 -- when the last batch was settled
  -- Which adapter delivers to it, and until when: one at a time.
  holder      uuid,
  lease_until timestamptz
);

-- Which batches were settled when, for a vehicle's timeline.
create table callback_log (
  settled_at  timestamptz not null,
  callback_id text not null,
  after       bigint not null,             -- events after this number …
  upto        bigint not null,             -- … up to this one
  tries       integer not null,
  primary key (callback_id, upto, settled_at)
);

-- Vehicles of an operation by state, sampled over time: the data of its charts.
create table operation_samples (
  operation_id bigint not null,
  at           timestamptz not null,
  states       json not null,              -- {state: vehicles}
  primary key (operation_id, at)
);
