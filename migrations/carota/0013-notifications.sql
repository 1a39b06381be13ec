-- Who is told of what, and the outbox: written with what happened, sent until it has arrived.
create table notification_rules (
  id              bigint generated always as identity primary key,
  name            text collate "C" not null unique,
  events          text[] not null,
  channel         text not null check (channel in ('webhook', 'slack', 'teams', 'email')),
  shown           text not null,           -- where it goes to, without what is secret
  sealed          text not null,           -- address and signing secret, encrypted
  failure_percent float8,                  -- of event failure-rate
  least           integer,                 -- vehicles with a result before which the rate is not looked at
  enabled         boolean not null default true,
  created_at      timestamptz not null
);

create table notifications (
  id      bigint generated always as identity primary key,
  key     text collate "C" not null unique, -- the same for the same event, however often it is found
  event   text not null,
  at      timestamptz not null,
  ref_id  text collate "C",
  summary text not null
);

create table notification_deliveries (
  id              bigint generated always as identity primary key,
  notification_id bigint not null references notifications,
  rule_id         bigint not null references notification_rules on delete cascade,
  due_at          timestamptz,             -- of the next try; null: delivered, or given up
  tries           integer not null default 0,
  delivered_at    timestamptz,
  failure         text,                    -- of the last try
  unique (notification_id, rule_id)
);
create index notification_deliveries_due on notification_deliveries (due_at) where due_at is not null;
create index notification_deliveries_rule on notification_deliveries (rule_id);
