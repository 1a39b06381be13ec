-- Names that can no longer enrol with a certificate of the factory, because they have done so or have left their vehicle. The
-- same key may repeat its request, as with a one-time code. The row outlives the vehicle's erasure: it has only a hash.
create table bootstrap_enrolments (
  system_id_hash bytea primary key,         -- SHA-256 of the system_id in UTF-8, which may contain the VIN
  -- All three null: it left its vehicle without having enrolled so.
  serial         text collate "C",          -- of the factory's certificate
  key_hash       bytea,                     -- SHA-256 of the public key that it was used for
  used_at        timestamptz,
  revoked_at     timestamptz                -- when the name left its vehicle
);
