-- Sign-out at the OpenID Connect provider ends sessions here. The provider's session from which a session was created;
-- null: the provider did not name it.
alter table sessions add column provider_session text;
create index on sessions (person_id) where person_id is not null;

-- A logout token is accepted once. It is kept here until it would be refused as too old.
create table used_logout_tokens (
  hash  bytea primary key,                  -- SHA-256 of the token's id
  until timestamptz not null
);
create index on used_logout_tokens (until);

-- Sign-outs at the provider, kept until every sign-in then in progress has completed or expired. Null: all sessions of the
-- person, or any person with the session.
create table provider_sign_outs (
  person_hash  bytea,                       -- SHA-256 of the person's id at this server
  session_hash bytea,                       -- SHA-256 of the session at the provider
  at           timestamptz not null,
  until        timestamptz not null
);
create index on provider_sign_outs (until);
