-- Tokens of the HTTP interface; only their SHA-256 is kept.
create table tokens (
  id         text primary key,
  name       text not null,
  role       text not null check (role in ('viewer', 'planner', 'vehicle', 'admin')),
  hash       bytea not null unique,
  created_at timestamptz not null,
  revoked_at timestamptz
);

-- Keys that this server has made for itself, the same for all that share the database.
create table own_keys (
  name  text primary key,
  value bytea not null
);

-- Files to install, by what is in them; the bytes are in the artifact store.
create table artifacts (
  sha256     text primary key,
  md5        text not null,
  size       bigint not null,             -- bytes
  name       text not null,               -- as it was uploaded; for people
  created_at timestamptz not null,
  created_by text not null                -- id of the token
);

-- Update scripts never change: another content has another script_ref_id.
create table update_scripts (
  script_ref_id text collate "C" primary key,
  model         text not null,
  script        jsonb not null,
  jws           text not null,             -- signed, with its certificate chain
  created_at    timestamptz not null,
  created_by    text not null
);

-- What we know of the vehicles.
create table vehicles (
  vin        text collate "C" primary key,
  model      text not null,
  tags       text[] not null,
  updated_at timestamptz not null
);
create index vehicles_model on vehicles (model, vin);

-- What each ECU runs, as imported or as the vehicle has reported with success.
create table installed_versions (
  vin     text collate "C" not null,
  ecu     text not null,
  version text not null,
  ref_id  text,                            -- the schedule that installed it; null: imported
  since   timestamptz not null,
  primary key (vin, ecu)
);

create table schedules (
  id             bigint generated always as identity primary key,
  ref_id         text collate "C" not null unique,
  script_ref_id  text collate "C" not null references update_scripts,
  model          text not null,
  plan           jsonb not null,           -- times, waves, windows, guard, dispatch
  status         text not null check (status in
    ('proposed', 'planned', 'running', 'paused', 'held', 'stopped', 'completed')),
  reason         text not null default '', -- why it is held or stopped
  test_from_wave integer not null default 1, -- the guard's test counts from this wave on
  -- When the scheduler has to look at it next; null: an event or a person will move it.
  due_at         timestamptz,
  -- What the adapter was told last of the operation: pause and cancel need a token that may control.
  operation      text not null default 'none' check (operation in ('none', 'active', 'paused', 'cancelled')),
  created_at     timestamptz not null,
  created_by     text not null,            -- id of the token
  approved_at    timestamptz,
  approved_by    text,                     -- id of the token
  started_at     timestamptz,
  ended_at       timestamptz
);
create index schedules_due on schedules (due_at) where due_at is not null;

create table waves (
  schedule_id bigint not null references schedules,
  number      integer not null,            -- from 1
  vehicles    integer not null,
  -- waiting: not posted; posting: its event is on its way; running: the adapter has it; passed: the next may
  -- start; stopped: the schedule ended before it passed
  state       text not null default 'waiting' check (state in ('waiting', 'posting', 'running', 'passed', 'stopped')),
  posted_at   timestamptz,
  passed_at   timestamptz,
  rejected    integer not null default 0,  -- vehicles that the adapter does not know
  finished    integer not null default 0,
  succeeded   integer not null default 0,
  failed      integer not null default 0,
  rollback_failed integer not null default 0,
  primary key (schedule_id, number)
);

-- Where an event stands among those of its vehicle: the newer of two is their greatest().
create type event_position as (
  at     timestamptz,
  rank   smallint,
  id     text collate "C",
  status text
);

create table schedule_vehicles (
  schedule_id bigint not null references schedules,
  vin         text collate "C" not null,
  wave        integer not null default 0,  -- 0: not assigned yet
  newest      event_position,
  state       text not null default 'waiting', -- waiting, device_not_found, or of the newest event
  reason      text,
  primary key (schedule_id, vin)
) with (fillfactor = 70);
create index schedule_vehicles_wave on schedule_vehicles (schedule_id, wave);

-- Every event that the adapter has called back, once.
create table events (
  event_id    text collate "C" primary key,
  ref_id      text collate "C" not null,
  vin         text collate "C" not null,
  status      integer not null,
  status_name text not null,
  meta        jsonb not null,
  at          timestamptz not null,        -- the vehicle's time
  received_at timestamptz not null         -- by the adapter
);
create index events_vehicle on events (vin, at);

-- Events that were called back and could not be taken: put aside, so that they hold up nobody.
create table refused_events (
  id          uuid primary key,            -- v7: in the order in which they were put aside
  digest      uuid not null unique,        -- the same event again is not put aside twice
  refused_at  timestamptz not null,
  event_id    text,                        -- these three as far as the event has them
  ref_id      text,
  vin         text,
  reason      text not null,
  path        text not null,               -- JSON Pointer to the fault, where it is in one field
  detail      text not null,
  event       text not null,               -- JSON text as it came
  replayed_at timestamptz
);
create index refused_events_by_time on refused_events (refused_at);
create index refused_events_open on refused_events (reason) where replayed_at is null;
create index refused_events_replayed on refused_events (replayed_at) where replayed_at is not null;

-- What was decided on a schedule, by whom or by which figures.
create table decisions (
  id          bigint generated always as identity primary key,
  schedule_id bigint not null references schedules,
  wave        integer,
  at          timestamptz not null,
  decision    text not null,
  reason      text not null,
  actor       text not null,               -- guard, scheduler, or name of the token
  figures     jsonb                        -- of the guard's test, where there is one
);
create index decisions_schedule on decisions (schedule_id, id);

-- How the guard's test went: what it was at after each failure and each call-back.
create table guard_path (
  id          bigint generated always as identity primary key,
  schedule_id bigint not null references schedules,
  at          timestamptz not null,
  from_wave   integer not null,            -- the test that counts from this wave on
  succeeded   integer not null,
  failed      integer not null,
  evidence    double precision not null
);
create index guard_path_schedule on guard_path (schedule_id, id);
