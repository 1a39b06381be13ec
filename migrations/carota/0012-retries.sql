-- Retries of failed vehicles; only the last result of a vehicle counts.
alter table schedule_vehicles
  add column tries      integer not null default 0, -- number of retries so far
  add column retry_at   timestamptz,                -- when the next retry is due
  -- The failed attempt at the adapter, stored before the adapter is asked for the next one: after a crash it shows whether
  -- the adapter has started that one.
  add column retry_from integer;
create index schedule_vehicles_retry on schedule_vehicles (retry_at) where retry_at is not null;
