-- How many vehicles of an operation were in each state, now and then: what its charts are drawn from.
create table operation_samples (
  operation_id bigint not null,
  at           timestamptz not null,
  states       json not null,              -- {state: vehicles}
  primary key (operation_id, at)
);

-- The adapters that run on this database, as each of them says of itself.
create table adapters (
  instance   text primary key,
  started_at timestamptz not null,
  seen_at    timestamptz not null,
  version    text not null,
  broker     text not null,                -- address of its broker
  connected  boolean not null,             -- whether it reaches that
  subscribed boolean not null,             -- whether it is the one that reads what vehicles send
  waiting    integer not null,             -- messages that have arrived and are not stored yet
  received   double precision not null,    -- messages a second, since it said so before
  triggered  double precision not null     -- triggers a second
);
