-- Which names have enrolled with a certificate of the factory, or have left their vehicle: none of them does so again. One key, as
-- with a one-time code. The row remains, also when the vehicle is erased, so it has the name as a hash only.
create table bootstrap_enrolments (
  system_id_hash bytea primary key,         -- SHA-256 of the system_id in UTF-8, which may contain the VIN
  -- Null, all three: it had not enrolled so when it left its vehicle.
  serial         text collate "C",          -- of the factory's certificate
  key_hash       bytea,                     -- SHA-256 of the public key that it was used for
  used_at        timestamptz,
  revoked_at     timestamptz                -- when the name left its vehicle
);
