-- Which vehicles have enrolled with a certificate of the factory. One key, as with a one-time code: the row remains.
create table bootstrap_enrolments (
  system_id text collate "C" primary key,
  serial    text collate "C" not null,      -- of the factory's certificate; as in revoked_certificates
  key_hash  bytea not null,                 -- SHA-256 of the public key that it was used for
  used_at   timestamptz not null
);
