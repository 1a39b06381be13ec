-- The guard's results for a vehicle over time: one row per change, so that a silence undone by a later success stays visible.
create table vehicle_steps (
  id          bigint generated always as identity primary key,
  schedule_id bigint not null references schedules,
  vin         text collate "C" not null,
  at          timestamptz not null,
  -- The new result, or a retry that the adapter has started. The exposure itself is in schedule_vehicles.
  step        text not null check (step in ('undecided', 'succeeded', 'failed', 'silent', 'withdrawn', 'retried'))
);
create index vehicle_steps_vehicle on vehicle_steps (vin, schedule_id);
