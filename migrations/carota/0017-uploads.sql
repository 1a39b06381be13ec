-- Uploads in progress. Their size counts towards the quota before their bytes arrive; a row left by a crash counts until its
-- bytes are removed.
create table uploads (
  id      uuid primary key,
  owner   uuid not null,                   -- the process that receives it
  token   text not null,                   -- id of the token
  bytes   bigint not null,                 -- reserved
  sha256  text,                            -- set once all bytes are here: from then on the store may have them
  seen_at timestamptz not null             -- refreshed by its owner
);

-- Deleted artifacts whose bytes may still be in the store. These bytes are not stored again before they are removed.
create table artifact_removals (
  sha256 text primary key
);

-- The artifacts that a script installs; they cannot be deleted.
create table script_artifacts (
  script_ref_id text collate "C" not null references update_scripts on delete cascade,
  sha256        text not null references artifacts,
  primary key (sha256, script_ref_id)
);
insert into script_artifacts (script_ref_id, sha256)
  select distinct script_ref_id, ecu -> 'artifact' ->> 'sha256'
  from update_scripts, jsonb_array_elements(script -> 'ecus') as ecu;

alter table update_scripts
  add column bytes bigint generated always as (octet_length(script::text)) stored;

create index schedules_script on schedules (script_ref_id);
create index published_images_artifact on published_images (sha256);
