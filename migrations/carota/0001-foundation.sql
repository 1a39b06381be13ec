-- Tokens of the HTTP interface. Only their SHA-256 is stored.
create table tokens (
  id         text primary key,
  name       text not null,
  role       text not null check (role in ('viewer', 'planner', 'supplier', 'vehicle', 'admin')),
  hash       bytea not null unique,
  created_at timestamptz not null,
  revoked_at timestamptz
);

-- Keys that the server has generated for itself, shared by all servers on the database.
create table own_keys (
  name  text primary key,
  value bytea not null
);

-- Files to install, addressed by content. The bytes are in the artifact store.
create table artifacts (
  sha256     text primary key,
  md5        text not null,
  size       bigint not null,             -- bytes
  name       text not null,               -- as uploaded; for people only
  created_at timestamptz not null,
  created_by text not null                -- id of the token
);

-- Update scripts never change: different content has a different script_ref_id.
create table update_scripts (
  script_ref_id text collate "C" primary key,
  model         text not null,
  script        jsonb not null,
  created_at    timestamptz not null,
  created_by    text not null
);

-- Facts about vehicles, by which schedules select them.
create table vehicles (
  vin        text collate "C" primary key,
  model      text not null,
  tags       text[] not null,
  updated_at timestamptz not null
);
create index vehicles_model on vehicles (model, vin);

-- The software version of each ECU, as imported or as reported with success.
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
  -- The guard's current test: its number, and the place of its first vehicle in the order of exposure.
  test_number    integer not null default 1,
  test_from      integer not null default 1,
  exposed        integer not null default 0, -- vehicles that have a place in the order of exposure
  passed         integer not null default 0, -- exposed vehicles of tests that decided "go", which raise the exposure cap
  gone_wave      integer not null default 0, -- the newest wave when a test last decided "go"
  -- When the scheduler must act next; null: after an event or a person's action.
  due_at         timestamptz,
  -- The operation's status, as last confirmed by the adapter. Pause and cancel need a token with permission to control.
  operation      text not null default 'none' check (operation in ('none', 'active', 'paused', 'cancelled')),
  -- The status requested of the adapter, since when, and the number of failed attempts; retried until confirmed.
  intended       text check (intended in ('active', 'paused', 'cancelled')),
  intended_at    timestamptz,
  intended_tries integer not null default 0,
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
  -- waiting: not posted; posting: its event is being posted; running: the adapter has it; passed: the next wave may
  -- start; stopped: the schedule ended before the wave passed
  state       text not null default 'waiting' check (state in ('waiting', 'posting', 'running', 'passed', 'stopped')),
  posted_at   timestamptz,
  passed_at   timestamptz,
  rejected    integer not null default 0,  -- vehicles not registered at the adapter
  finished    integer not null default 0,
  exposed     integer not null default 0,
  undecided   integer not null default 0,  -- exposed, without a result
  succeeded   integer not null default 0,
  failed      integer not null default 0,
  silent      integer not null default 0,
  withdrawn   integer not null default 0,
  failed_early integer not null default 0, -- before they were exposed
  rollback_failed integer not null default 0,
  primary key (schedule_id, number)
);

-- An event's position among those of its vehicle: greatest() of two is the newer one.
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
  state       text not null default 'waiting', -- waiting, device_not_found, or that of the newest event
  reason      text,
  has_consented boolean not null default false,
  asked_at    timestamptz,                 -- when it asked for admission and the exposure cap did not allow it
  -- Once it is exposed: its place in the order of exposure, from 1, and its result.
  place       integer,
  exposed_at  timestamptz,
  result      text check (result in ('undecided', 'succeeded', 'failed', 'silent', 'withdrawn')),
  decides_at  timestamptz,                 -- when it becomes silent, or its success final
  silent_at   timestamptz,                 -- when it became silent
  primary key (schedule_id, vin),
  check ((place is null) = (result is null) and (place is null) = (exposed_at is null))
) with (fillfactor = 70);
create index schedule_vehicles_wave on schedule_vehicles (schedule_id, wave);
create unique index schedule_vehicles_place on schedule_vehicles (schedule_id, place) where place is not null;
create index schedule_vehicles_deadline on schedule_vehicles (schedule_id, decides_at) where decides_at is not null;

-- Every event from the adapter, once.
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

-- Events that could not be stored: set aside, so that they do not hold up others.
create table refused_events (
  id          uuid primary key,            -- v7: sorts by the order in which events were set aside
  digest      uuid not null unique,        -- the same event is set aside only once
  refused_at  timestamptz not null,
  event_id    text,                        -- these three if the event has them
  ref_id      text,
  vin         text,
  reason      text not null,
  path        text not null,               -- JSON Pointer to the invalid field; '': not a single field
  detail      text not null,
  event       text not null,               -- JSON text as received
  replayed_at timestamptz
);
create index refused_events_by_time on refused_events (refused_at);
create index refused_events_open on refused_events (reason) where replayed_at is null;
create index refused_events_replayed on refused_events (replayed_at) where replayed_at is not null;

-- Decisions on a schedule: by whom, or on which figures.
create table decisions (
  id          bigint generated always as identity primary key,
  schedule_id bigint not null references schedules,
  wave        integer,
  at          timestamptz not null,
  decision    text not null,
  reason      text not null,
  actor       text not null,               -- guard, scheduler, or name of the token
  figures     jsonb                        -- of the guard's test, if it has one
);
create index decisions_schedule on decisions (schedule_id, id);

-- Decided tests of the guard. Consecutive tests cover consecutive vehicles in the order of exposure, each exactly once.
create table guard_tests (
  schedule_id bigint not null references schedules,
  number      integer not null,            -- from 1
  at          timestamptz not null,
  decision    text not null check (decision in ('stop', 'go')),
  figures     jsonb not null,
  primary key (schedule_id, number)
);
