-- Maps the name in a client certificate, a system_id, to its vehicle.
alter table vehicles add column system_id text collate "C";

create unique index vehicles_system_id on vehicles (system_id) where system_id is not null;
