-- Revoked client certificates of vehicles, by serial number, of any authority. A revocation is final.
create table revoked_certificates (
  serial     text collate "C" primary key,  -- lower-case hexadecimal without leading zeros
  revoked_at timestamptz not null,
  revoked_by text not null,                 -- name of the token
  reason     text not null,
  xact       xid8 not null default pg_current_xact_id()
);

-- Each process reads on from the last transaction that it has seen.
create index on revoked_certificates (xact);
