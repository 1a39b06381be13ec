-- What was known of a vehicle's software when it was exposed. Never changed: later updates do not change the record.
create table exposed_configurations (
  schedule_id bigint not null references schedules,
  vin         text collate "C" not null,
  at          timestamptz not null,        -- when it was exposed
  versions    json not null,               -- installed version by name of the ECU, as then known
  manifest_at timestamptz,                 -- when its last manifest was received; null: there was none
  manifest    bytea,                       -- as it came, with its signatures
  primary key (schedule_id, vin)
);
create index exposed_configurations_vin on exposed_configurations (vin);

-- By a key of its own each vehicle has a pseudonym. Who erases the key takes the vehicle out of every archive that has it.
create table vin_keys (
  vin text collate "C" primary key,
  key bytea not null
);
