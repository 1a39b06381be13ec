-- Dispatch: in what order and how fast triggers go out.
alter table operations
  add priority    smallint not null default 0 check (priority between -10 and 10),
  add rate        json,   -- {perSecond, factor, after, of, atMost}; null: as fast as the group may
  add trace_parent text;  -- W3C Trace Context of the trigger's request, where it is traced

-- What all adapters on this database together may send: one row.
create table adapter_group (
  only_row     boolean primary key default true check (only_row),
  -- In every MQTT client id and share name, so that systems on one broker leave each other alone.
  id           uuid not null default gen_random_uuid(),
  trigger_rate double precision            -- triggers a second; null: no limit
);
insert into adapter_group default values;

-- Token bucket and turn of each operation that is sending, and of the group (operation 0). Whoever
-- claims triggers locks the group's row first, so that the limits hold for all adapters together.
create table send_budgets (
  operation_id bigint primary key,
  tokens       double precision not null,  -- triggers that may go out now
  refilled_at  timestamptz not null,
  pass         double precision not null   -- the operation with the least is next (stride scheduling)
);
insert into send_budgets values (0, 0, 'epoch', 0);

alter table deliveries
  -- Sends that the vehicle's own appearance has prompted: they use up no attempt.
  add prompted integer not null default 0,
  -- Which statuses were reported in the newest attempt: bits as src/contract/states/table.ts numbers them.
  add reached  integer not null default 0,
  -- Why, in the vehicle's words, where its newest event says so.
  add reason   text,
  -- Whether it has digests in `delivery_digests`: then all new ones are there.
  add has_overflown boolean not null default false,
  -- Which of its messages have arrived, newest first, up to 64; the others are in `delivery_digests`.
  -- The last column, and what is new comes first in it: so of an update the log gets the new digest
  -- and not the old ones.
  add digests  uuid[];
alter table deliveries alter column digests set storage plain;
-- What a vehicle that appears has not acknowledged yet. `due_at` is indexed already, so this costs
-- no update in place that was one before.
create index deliveries_waiting_of_vehicle on deliveries (vin) where due_at is not null;

-- What happened to deliveries on our side, for the timeline of a vehicle.
create table delivery_log (
  at           timestamptz not null,
  operation_id bigint not null,
  vin          text collate "C" not null,
  attempt      integer not null,
  what         text not null check (what in (
    'sent', 'failed', 'device_not_found', 'expired', 'undelivered', 'cancelled', 'retriggered',
    'registered'
  )),
  audit_id     bigint                      -- of the control action that did it
) partition by range (at);
create index delivery_log_of_vehicle on delivery_log (operation_id, vin);
create table delivery_log_elsewhen partition of delivery_log default;

-- Who has done what when and why. Never changed, never cleared.
create table audit_log (
  id           bigint generated always as identity primary key,
  at           timestamptz not null,
  token_id     text not null,
  token_name   text not null,
  action       text not null,
  operation_id bigint,
  vin          text collate "C",
  reason       text not null,              -- '': none was given
  detail       json not null
);
create index audit_log_of_operation on audit_log (operation_id, id);

-- Partitions of any of the tables that are kept by weeks.
drop function ensure_message_partitions(timestamptz, timestamptz);
drop function drop_message_partitions(timestamptz);

-- Makes the weekly partitions from one time to another that are not there yet.
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

-- Drops the weekly partitions that end before the given time; `time_column` is what they are by.
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

-- The event stream: all OTA events in the order in which they were committed, numbered from 1
-- without gaps. An event is in it if and only if its transaction has committed. The events of one
-- transaction are a batch; batches that have committed are given their place one after another.
create table event_batches (
  id       bigint generated always as identity primary key,
  events   integer not null check (events > 0),
  first_at timestamptz not null,           -- earliest and latest receipt
  last_at  timestamptz not null,
  position bigint unique                   -- number of its last event; null: has no place yet
);
create index event_batches_without_place on event_batches (id) where position is null;
create index event_batches_by_time on event_batches (last_at);

create table event_stream (
  only_row boolean primary key default true check (only_row),
  position bigint not null                 -- number of the newest event that has its place
);
insert into event_stream (position) values (0);

alter table messages
  add batch bigint,                        -- null: an acknowledgement, or from before the stream
  add nr    integer;                       -- its place in the batch, from 1
create index messages_of_batch on messages (batch, nr) where batch is not null;

-- Receivers of the event call-back (contract section 6): each is a place in the event stream.
create table callbacks (
  id          text primary key,
  name        text not null unique,
  url         text not null,
  secret      text not null,               -- whsec_…: it signs, so it cannot be kept as a hash
  old_secret  text,                        -- signs as well until old_until, after a change
  old_until   timestamptz,
  enabled     boolean not null default true,
  created_at  timestamptz not null,
  -- Number of the last event that was settled; JSON carries it exactly.
  position    bigint not null check (position between 0 and 9007199254740991),
  -- How often a person has moved it: the outcome of a batch that was on its way then does not count.
  moves       integer not null default 0,
  -- Where a batch ends that was tried: it is repeated as it was, under its id.
  batch_to    bigint,
  batch_limit integer,                     -- events in a batch at most, after refusals; null: no limit
  failures    integer not null default 0,  -- tries of this batch that failed
  failed_at   timestamptz,
  failure     text,                        -- of the last of them
  due_at      timestamptz not null,
  settled_at  timestamptz,                 -- when the last batch was settled
  -- Who delivers to it, until when: one adapter at a time.
  holder      uuid,
  lease_until timestamptz
);

-- Which batches were settled when, for the timeline of a vehicle.
create table callback_log (
  settled_at    timestamptz not null,
  callback_id   text not null,
  after         bigint not null,           -- events after this number …
  upto          bigint not null,           -- … up to this one
  tries         integer not null,
  primary key (callback_id, upto, settled_at)
);

create index dead_letters_of_vehicle on dead_letters (vin, received_at) where vin is not null;
