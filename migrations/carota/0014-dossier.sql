-- A vehicle's software as known at its exposure. Never changed: later updates do not change the record.
create table exposed_configurations (
  schedule_id bigint not null references schedules,
  vin         text collate "C" not null,
  at          timestamptz not null,        -- when it was exposed
  versions    json not null,               -- installed version by name of the ECU
  manifest_at timestamptz,                 -- when its last manifest was received; null: none
  manifest    bytea,                       -- as received, with its signatures
  primary key (schedule_id, vin)
);
create index exposed_configurations_vin on exposed_configurations (vin);

-- Each vehicle's pseudonym is derived from its own key. Erasing the key separates the two in all archives.
create table vin_keys (
  vin text collate "C" primary key,
  key bytea not null
);
