-- A vehicle's identity at the embedded broker, new after each change of its system_id or credential. Connections are bound
-- to it.
alter table vehicles add column identity uuid not null default gen_random_uuid();

-- Changes after which connections must be checked: each adapter reads on from the last transaction that it has seen.
create table identity_changes (
  xact      xid8 not null default pg_current_xact_id(),
  system_id text collate "C" not null,
  at        timestamptz not null default now()
);

create index on identity_changes (xact);

-- Records every change of a registration, including one by an administrator's statement.
create function note_identity_change() returns trigger language plpgsql as $$
begin
  insert into identity_changes (system_id) values (old.system_id);
  return null;
end
$$;

create trigger vehicle_deleted after delete on vehicles
for each row execute function note_identity_change();

create trigger vehicle_changed after update on vehicles
for each row when (
  (old.vin, old.system_id, old.identity) is distinct from (new.vin, new.system_id, new.identity)
) execute function note_identity_change();
