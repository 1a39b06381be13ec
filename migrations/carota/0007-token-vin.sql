-- Tokens of the CarOTA Server's vehicles belong to one vehicle each; those of the adapter to none.
alter table tokens add column vin text collate "C";
