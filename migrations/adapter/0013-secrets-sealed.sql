-- No statement can store a call-back's secret unencrypted.
alter table callbacks
  add constraint callbacks_secret_sealed check (secret like 'sealed:v1:%'),
  add constraint callbacks_old_secret_sealed check (old_secret like 'sealed:v1:%');

comment on column callbacks.secret is 'encrypted with a key that is not in this database';
