-- Inventory of ECUs (Uptane, "Inventory Database").
create table ecus (
  vin           text collate "C" not null references vehicles,
  serial        text collate "C" not null, -- ECU_ID, unique in the vehicle
  name          text not null,             -- as update scripts name it
  hardware_id   text not null,
  key           json not null,             -- public key in the form of metadata
  key_id        text not null unique,      -- a key that two ECUs have is no identity
  is_primary    boolean not null,
  registered_at timestamptz not null,
  primary key (vin, serial),
  unique (vin, name)
);
create unique index ecus_one_primary on ecus (vin) where is_primary;

-- The ECUs of a vehicle as one text, written with every change of theirs: the Director reads them three times in a cycle.
create table inventories (
  vin  text collate "C" primary key references vehicles,
  ecus json not null
);

-- The last manifest of each vehicle that was accepted, and the last one that was refused.
create table manifests (
  vin         text collate "C" primary key,
  revision    bigint not null,             -- one more with each that is accepted
  received_at timestamptz,
  manifest    bytea,                       -- as it came, with its signatures
  reports     json not null                -- by key id: what the ECU has installed, and which nonces are used up
);
create table manifest_refusals (
  vin        text collate "C" primary key,
  refused_at timestamptz not null,         -- last
  fault      text not null,
  serial     text,
  message    text not null,
  count      bigint not null
);

-- Attacks that ECUs have reported; a repetition counts.
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

-- What the Director has signed for each vehicle. Versions never go back.
create table director_files (
  vin               text collate "C" primary key,
  replaces          bigint not null,       -- version of the timestamp before; 0: there was none
  content           text not null,         -- digest of what the targets say
  epoch             text not null,         -- keys and database that they were signed with
  targets_version   bigint not null,
  targets_expires   timestamptz not null,
  targets           bytea not null,
  snapshot_version  bigint not null,
  snapshot_expires  timestamptz not null,
  snapshot          bytea not null,
  timestamp_version bigint not null,
  timestamp_expires timestamptz not null,
  timestamp_file    bytea not null,
  ordered           json not null          -- by serial: the image that was ordered last, and in which schedule
);

-- For what a vehicle is due.
create index schedule_vehicles_vin on schedule_vehicles (vin);

-- Who has done what when and why. Never changed, never cleared.
create table audit_log (
  id         bigint generated always as identity primary key,
  at         timestamptz not null,
  token_id   text not null,                -- '': the server itself
  token_name text not null,
  action     text not null,
  vin        text collate "C",
  reason     text not null,                -- '': none was given
  detail     json not null
);
create index audit_log_of_vehicle on audit_log (vin, id);
