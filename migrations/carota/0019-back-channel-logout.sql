-- Sign-out at the OpenID Connect provider ends sessions here. The session at the provider that a session comes from; null: the
-- provider has not said.
alter table sessions add column provider_session text;
create index on sessions (person_id) where person_id is not null;

-- Logout tokens are used once; until they are refused by their age.
create table used_logout_tokens (
  hash  bytea primary key,                  -- SHA-256 of the token's id
  until timestamptz not null
);
create index on used_logout_tokens (until);

-- Sign-outs at the provider, until no sign-in can be completed that was under way then. Null: all sessions of the person, or
-- whoever has the session.
create table provider_sign_outs (
  person_hash  bytea,                       -- SHA-256 of the person's id here
  session_hash bytea,                       -- SHA-256 of the session at the provider
  at           timestamptz not null,
  until        timestamptz not null
);
create index on provider_sign_outs (until);
