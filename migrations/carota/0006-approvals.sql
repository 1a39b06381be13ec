-- The approved content, by digest: plan, script and list of vehicles of a schedule; file of a script.
alter table schedules
  add column approved_digest text,          -- SHA-256 over all three
  add column approved_script text;          -- SHA-256 of the script's file

alter table update_scripts
  add column approved_at     timestamptz,
  add column approved_by     text,          -- id of the token
  add column approved_sha256 text;          -- of the file that was approved
