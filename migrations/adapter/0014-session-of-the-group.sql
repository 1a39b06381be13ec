alter table subscription_lease
  -- The group's id when an adapter last subscribed: a broker that has no session of this id has lost it.
  add column session_of uuid,
  add column sessions_lost bigint not null default 0;
