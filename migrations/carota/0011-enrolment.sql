-- One-time codes for the first enrolment of vehicles, at most one per vehicle.
create table enrolment_codes (
  vin        text collate "C" primary key references vehicles on delete cascade,
  hash       bytea not null,                -- SHA-256 of the code, which has 120 random bits
  created_at timestamptz not null,
  created_by text not null,                 -- name of the token
  expires_at timestamptz not null,
  key_hash   bytea                          -- SHA-256 of the public key that it was used for; null: not used
);

-- Client certificates issued by this server.
create table issued_certificates (
  serial     text collate "C" primary key,  -- as in revoked_certificates
  system_id  text collate "C" not null,
  issued_at  timestamptz not null,
  expires_at timestamptz not null
);

create index on issued_certificates (system_id, issued_at);
