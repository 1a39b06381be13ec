-- Sessions of people who have signed in at an OpenID Connect provider have no token: they say themselves who it is.
alter table sessions alter column token_id drop not null;
alter table sessions add column person_id text;
alter table sessions add column person_name text;
alter table sessions add column person_role text;
-- When they proved to the provider who they are.
alter table sessions add column authenticated_at timestamptz;
alter table sessions add constraint sessions_whose check (
  case when token_id is null
    then num_nonnulls(person_id, person_name, person_role, authenticated_at) = 4
    else num_nonnulls(person_id, person_name, person_role, authenticated_at) = 0
  end
);

-- Tokens end by themselves, and are replaced by a successor while they still hold.
alter table tokens add column expires_at timestamptz;
-- To a minute: not every request writes.
alter table tokens add column last_used_at timestamptz;
alter table tokens add column replaced_by text references tokens (id);
