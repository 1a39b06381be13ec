-- A person who has signed in at an OpenID Connect provider has no token: the session itself identifies the person.
alter table sessions alter column token_id drop not null;
alter table sessions add column person_id text;
alter table sessions add column person_name text;
alter table sessions add column person_role text;
-- When the provider authenticated the person.
alter table sessions add column authenticated_at timestamptz;
alter table sessions add constraint sessions_whose check (
  case when token_id is null
    then num_nonnulls(person_id, person_name, person_role, authenticated_at) = 4
    else num_nonnulls(person_id, person_name, person_role, authenticated_at) = 0
  end
);

-- A token expires, and may be replaced by a successor while it is still valid.
alter table tokens add column expires_at timestamptz;
-- Accurate to a minute: not every request updates it.
alter table tokens add column last_used_at timestamptz;
alter table tokens add column replaced_by text references tokens (id);
