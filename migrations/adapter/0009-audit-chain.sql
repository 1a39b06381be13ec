-- The audit log (docs/audit.md). It has its own schema, because the owner of a schema may drop its contents: `protect-audit.ts`
-- makes a role that cannot sign in its owner, and leaves the server's role with INSERT and SELECT.
create schema audit;

-- Who did what, when, from where and why, and with what outcome. Never changed.
create table audit.entries (
  id           bigint generated always as identity primary key,
  at           timestamptz not null,
  token_id     text not null,              -- '': the server itself, a vehicle, or an unknown caller
  token_name   text not null,
  address      text not null,              -- '': not over the network
  action       text not null,
  outcome      text not null check (outcome in ('done', 'refused', 'failed')),
  error_code   text,                       -- null: done
  ref_id       text,
  vin          text collate "C",
  subject      text not null,              -- '': none besides ref_id and vin
  reason       text not null,              -- '': none given
  detail       json not null,
  operation_id bigint
);
create index audit_entries_of_operation on audit.entries (operation_id, id);
create index audit_entries_of_vehicle on audit.entries (vin, id);
create index audit_entries_of_ref_id on audit.entries (ref_id, id);
create index audit_entries_by_action on audit.entries (action, id);
create index audit_entries_by_token on audit.entries (token_name, id);
create index audit_entries_by_token_id on audit.entries (token_id, id);
-- A subject may be too long for an index.
create index audit_entries_by_subject on audit.entries (left(subject, 64), id) where subject <> '';
create index audit_entries_by_time on audit.entries (at, id);

-- Entries that are not in the chain yet, so that a transaction that writes an entry never waits for another.
create table audit.pending (entry_id bigint primary key);

-- The hash chain: committed entries, numbered without gaps. Each hash covers the entry and the hash before it.
create table audit.chain (
  position bigint primary key check (position > 0),
  entry_id bigint not null unique references audit.entries,
  hash     text not null check (hash ~ '^[0-9a-f]{64}$')
);

-- Signed statements about the head of the chain.
create table audit.seals (
  id            bigint generated always as identity primary key,
  from_position bigint not null,
  to_position   bigint not null,
  hash          text not null,
  signed_at_ms  bigint not null,
  keyid         text not null,
  signature     text not null
);

-- Public keys of the servers that have sealed.
create table audit.keys (
  keyid text primary key,
  key   json not null
);

-- Progress of the copies of the chain.
create table audit.copies (
  name     text primary key,
  position bigint not null,                -- of the last entry delivered
  seal_id  bigint not null                 -- of the last seal delivered
);

-- The server's role changes `audit.pending` only through these two functions: a role that could write to it could keep an
-- entry out of the chain forever. They run with the rights of their owner, so they refuse to be triggers of other tables.
create function audit.add_pending() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if tg_relid <> 'audit.entries'::regclass then raise insufficient_privilege; end if;
  insert into audit.pending select id from added;
  return null;
end $$;
create trigger add_pending after insert on audit.entries
  referencing new table as added for each statement execute function audit.add_pending();
create function audit.remove_pending() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if tg_relid <> 'audit.chain'::regclass then raise insufficient_privilege; end if;
  delete from audit.pending where entry_id in (select entry_id from added);
  return null;
end $$;
create trigger remove_pending after insert on audit.chain
  referencing new table as added for each statement execute function audit.remove_pending();
revoke execute on function audit.add_pending(), audit.remove_pending() from public;

-- Prevents mistakes only, as the owner of a table could drop these triggers; the roles stop the server.
create function audit.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log is never changed: % of %', lower(tg_op), tg_table_name
    using errcode = 'insufficient_privilege';
end $$;
create trigger refuse_change before update or delete or truncate on audit.entries
  for each statement execute function audit.refuse_change();
create trigger refuse_change before update or delete or truncate on audit.chain
  for each statement execute function audit.refuse_change();
create trigger refuse_change before update or delete or truncate on audit.seals
  for each statement execute function audit.refuse_change();
create trigger refuse_change before update or delete or truncate on audit.keys
  for each statement execute function audit.refuse_change();

insert into audit.entries overriding system value
select a.id, at, token_id, token_name, '', action, 'done', null, o.ref_id, vin, '', reason, detail, operation_id
from audit_log a left join operations o on o.id = a.operation_id order by a.id;
select setval(pg_get_serial_sequence('audit.entries', 'id'), coalesce(max(id), 0) + 1, false) from audit.entries;
drop table audit_log;
