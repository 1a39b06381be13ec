-- Browsers that have signed in with a token; only the SHA-256 of a session's secret is kept.
create table sessions (
  hash       bytea primary key,
  token_id   text not null references tokens (id) on delete cascade,
  -- Host and port that the browser has signed in to: a cookie knows no ports, its session does.
  authority  text not null,
  -- Whether over TLS: then its cookie has the prefix __Host-, and without it is not taken.
  secure     boolean not null,
  created_at timestamptz not null,
  seen_at    timestamptz not null
);

create index on sessions (token_id);
