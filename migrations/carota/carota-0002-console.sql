-- A schedule may have to be approved, by a second person where the setting demands it.
alter table schedules
  drop constraint schedules_status_check,
  add constraint schedules_status_check check (status in
    ('proposed', 'planned', 'running', 'paused', 'held', 'stopped', 'completed')),
  add approved_at timestamptz,
  add approved_by text;                    -- id of the token

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
