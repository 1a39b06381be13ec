-- Vehicle models that a token, or a person's session, is limited to; null: not limited.
alter table tokens add column scopes text[];
alter table sessions add column person_scopes text[];
alter table sessions add constraint sessions_whose_scopes check (token_id is null or person_scopes is null);
