-- Vehicles that send more messages than their budget.
create table message_floods (
  vin      text collate "C" primary key references vehicles on delete cascade,
  messages bigint not null,                -- beyond the budget, since first_at
  first_at timestamptz not null,
  last_at  timestamptz not null
);
create index message_floods_by_time on message_floods (last_at);
