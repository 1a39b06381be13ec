-- Browsers that have signed in with a token; only the SHA-256 of a session's secret is kept.
create table sessions (
  hash       bytea primary key,
  token_id   text not null references tokens (id) on delete cascade,
  -- Host and port to which the browser signed in: cookies are shared by all ports of a host, sessions are not.
  authority  text not null,
  -- Whether over TLS: its cookie is then accepted only with the prefix __Host-.
  secure     boolean not null,
  created_at timestamptz not null,
  seen_at    timestamptz not null
);

create index on sessions (token_id);
