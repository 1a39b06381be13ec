-- Until then no vehicle of the schedule becomes silent: after a server's start, queued reports may set deadlines that are
-- already over.
alter table schedules add column grace_until timestamptz;
