-- At the CarOTA Server, a token with the role `vehicle` belongs to one vehicle; tokens of the adapter belong to none.
alter table tokens add column vin text collate "C";
