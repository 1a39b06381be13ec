-- Inventory of ECUs (Uptane, "Inventory Database").
create table ecus (
  vin           text collate "C" not null references vehicles,
  serial        text collate "C" not null, -- ECU_ID, unique in the vehicle
  name          text not null,             -- as update scripts name it
  hardware_id   text not null,
  key           json not null,             -- public key in the form of metadata
  key_id        text not null unique,      -- a key shared by two ECUs would identify neither
  is_primary    boolean not null,
  registered_at timestamptz not null,
  primary key (vin, serial),
  unique (vin, name)
);
create unique index ecus_one_primary on ecus (vin) where is_primary;

-- The ECUs of a vehicle as one text, updated with every change of them: the Director reads them three times per cycle.
create table inventories (
  vin  text collate "C" primary key references vehicles,
  ecus json not null
);

-- Each vehicle's last accepted manifest, and its last refused one.
create table manifests (
  vin         text collate "C" primary key,
  revision    bigint not null,             -- incremented with each accepted manifest
  received_at timestamptz,
  manifest    bytea,                       -- as received, with its signatures
  reports     json not null                -- by key id: the ECU's installed image, and the nonces already used
);
create table manifest_refusals (
  vin        text collate "C" primary key,
  refused_at timestamptz not null,         -- the last time
  fault      text not null,
  serial     text,
  message    text not null,
  count      bigint not null
);

-- Attacks that ECUs have reported; repetitions are counted.
create table attack_reports (
  id       bigint generated always as identity primary key,
  vin      text collate "C" not null,
  serial   text collate "C" not null,
  attack   text not null,
  reason   text not null,                  -- of the last one
  first_at timestamptz not null,           -- received
  last_at  timestamptz not null,
  count    bigint not null,
  unique (vin, serial, attack)
);

-- Roots of the Director repository, for all processes on this database. Never changed.
create table director_roots (
  version bigint primary key,
  root    bytea not null
);

-- The metadata that the Director has signed for each vehicle. Versions never decrease.
create table director_files (
  vin               text collate "C" primary key,
  replaces          bigint not null,       -- version of the previous timestamp; 0: none
  content           text not null,         -- digest of the targets' content
  epoch             text not null,         -- identifies the keys and the database when they were signed
  targets_version   bigint not null,
  targets_expires   timestamptz not null,
  targets           bytea not null,
  snapshot_version  bigint not null,
  snapshot_expires  timestamptz not null,
  snapshot          bytea not null,
  timestamp_version bigint not null,
  timestamp_expires timestamptz not null,
  timestamp_file    bytea not null,
  ordered           json not null          -- by serial: the last ordered image and its schedule
);

-- To find the schedules of a vehicle.
create index schedule_vehicles_vin on schedule_vehicles (vin);

-- Who did what, when and why. Never changed, never deleted.
create table audit_log (
  id         bigint generated always as identity primary key,
  at         timestamptz not null,
  token_id   text not null,                -- '': the server itself
  token_name text not null,
  action     text not null,
  vin        text collate "C",
  reason     text not null,                -- '': none given
  detail     json not null
);
create index audit_log_of_vehicle on audit_log (vin, id);
