-- The group id under which an adapter has subscribed: whoever finds no session of it later knows that the broker has lost it.
alter table subscription_lease add column session_of uuid;
