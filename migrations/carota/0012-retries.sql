-- Failures that are tried again: a vehicle counts by its last result.
alter table schedule_vehicles
  add column tries      integer not null default 0, -- how often it was tried again
  add column retry_at   timestamptz,                -- when it is tried again
  -- The attempt at the adapter that failed, noted before the adapter is told to begin another: after a crash it shows
  -- whether the adapter was.
  add column retry_from integer;
create index schedule_vehicles_retry on schedule_vehicles (retry_at) where retry_at is not null;
