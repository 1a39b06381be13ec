-- Wrong tokens, sessions and credentials of the last hour, by address, or by name and address.
create table failed_sign_ins (
  key      text collate "C" primary key,    -- an address, or the digest of an address and a name
  failures integer not null,
  last_at  timestamptz not null
);

create index on failed_sign_ins (last_at);
