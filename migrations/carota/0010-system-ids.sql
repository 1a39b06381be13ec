-- Which vehicle a client certificate is for: its name is the system_id.
alter table vehicles add column system_id text collate "C";

create unique index vehicles_system_id on vehicles (system_id) where system_id is not null;
