-- No statement can store addresses and secrets of notifications unencrypted.
alter table notification_rules
  add constraint notification_rules_sealed check (sealed like 'sealed:v1:%');

-- The key that signs artifact URLs is derived from one outside the database.
drop table own_keys;
