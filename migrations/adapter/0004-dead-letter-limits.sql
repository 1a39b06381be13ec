-- Who has sent a dead letter: the vehicle that the broker has authenticated, else the topic. The number of each is limited.
alter table dead_letters add column sender text collate "C" not null default '';

create index dead_letters_of_sender on dead_letters (sender) where replayed_at is null;

-- Bytes of all dead letters; one row per writer, and row 0 for those that were deleted.
create table dead_letter_sizes (
  shard smallint primary key,
  bytes bigint not null
);

-- Messages beyond the limits: of them only the number is kept.
create table dead_letter_overflow (
  sender   text collate "C" not null,       -- empty: of all, when all dead letters together have reached their limit
  reason   text not null,
  messages bigint not null,
  first_at timestamptz not null,
  last_at  timestamptz not null,
  primary key (sender, reason)
);
