-- Sender of a dead letter: the vehicle that the broker has authenticated, or else the topic. The number per sender is limited.
alter table dead_letters add column sender text collate "C" not null default '';

create index dead_letters_of_sender on dead_letters (sender) where replayed_at is null;

-- Bytes of all dead letters; one row per writer, and row 0 for deleted ones.
create table dead_letter_sizes (
  shard smallint primary key,
  bytes bigint not null
);

-- Messages beyond the limits: only their number is kept.
create table dead_letter_overflow (
  sender   text collate "C" not null,       -- empty: all senders, once the overall limit is reached
  reason   text not null,
  messages bigint not null,
  first_at timestamptz not null,
  last_at  timestamptz not null,
  primary key (sender, reason)
);
