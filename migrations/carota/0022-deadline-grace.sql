-- Until then no vehicle of the schedule is called silent: a server has started, and reports that waited for it set deadlines that
-- may already be over.
alter table schedules add column grace_until timestamptz;
