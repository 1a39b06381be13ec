-- Rules of who is notified of which events, and the outbox: written with the event, retried until delivered.
create table notification_rules (
  id              bigint generated always as identity primary key,
  name            text collate "C" not null unique,
  events          text[] not null,
  channel         text not null check (channel in ('webhook', 'slack', 'teams', 'email')),
  shown           text not null,           -- the destination, without its secrets
  sealed          text not null,           -- address and signing secret, encrypted
  failure_percent float8,                  -- of event failure-rate
  least           integer,                 -- number of vehicles with a result from which the rate is evaluated
  enabled         boolean not null default true,
  created_at      timestamptz not null
);

create table notifications (
  id      bigint generated always as identity primary key,
  key     text collate "C" not null unique, -- identifies the event, however often it is detected
  event   text not null,
  at      timestamptz not null,
  ref_id  text collate "C",
  summary text not null
);

create table notification_deliveries (
  id              bigint generated always as identity primary key,
  notification_id bigint not null references notifications,
  rule_id         bigint not null references notification_rules on delete cascade,
  due_at          timestamptz,             -- of the next attempt; null: delivered or given up
  tries           integer not null default 0,
  delivered_at    timestamptz,
  failure         text,                    -- of the last attempt
  unique (notification_id, rule_id)
);
create index notification_deliveries_due on notification_deliveries (due_at) where due_at is not null;
create index notification_deliveries_rule on notification_deliveries (rule_id);
